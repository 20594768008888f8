/* What this CPU can do, asked from the CPU itself, never assumed. */
#ifndef SP_TENSOR_CPU_H
#define SP_TENSOR_CPU_H

#include <stdbool.h>

bool sp_cpu_has_avx512(void); /* F, DQ, CD, BW, VL: what OpenBLAS' SkylakeX kernels need */
/* Whether arithmetic on bf16 is faster than on fp32: AMX, or AVX-512 BF16 of a maker other than
 * Intel, whose dot product of pairs takes as long as two fp32 multiply-adds. */
bool sp_cpu_has_fast_bf16(void);
/* "AMX-BF16", "AVX-512 BF16", "AVX-512", "AVX2" or "baseline": the best the CPU offers. */
const char *sp_cpu_isa(void);
/* The model name of /proc/cpuinfo, e.g. for run logs; "unknown CPU" if there is none. */
const char *sp_cpu_name(void);
int sp_cpu_count(void); /* CPUs this process may run on */

#endif
