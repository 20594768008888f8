/* What this CPU can do, asked from the CPU itself, never assumed. */
#ifndef SP_TENSOR_CPU_H
#define SP_TENSOR_CPU_H

#include <stdbool.h>

bool sp_cpu_has_avx512(void); /* F, DQ, CD, BW, VL: what OpenBLAS' SkylakeX kernels need */
/* "AMX-BF16", "AVX-512 BF16", "AVX-512", "AVX2" or "baseline": the best the CPU offers. */
const char *sp_cpu_isa(void);
/* The model name of /proc/cpuinfo, e.g. for run logs; "unknown CPU" if there is none. */
const char *sp_cpu_name(void);
int sp_cpu_count(void); /* CPUs this process may run on */

#endif
