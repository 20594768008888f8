/* Matrix multiplication: one call, two libraries behind it.
 *
 * OpenBLAS is loaded at run time with dlopen, because its kernels are chosen when it is loaded:
 * version 0.3.21 takes AVX-512 CPUs that are newer than itself for Haswell and runs at a third to a
 * half of their speed. sp_gemm_start sets OPENBLAS_CORETYPE=SkylakeX first on every CPU with
 * AVX-512 (unless the user has set it), by rule and never by timing, so the bits of a result depend
 * on the CPU's instruction set and not on noise. SOFTPROMPT_GEMM=openblas|onednn overrides.
 * Where OpenBLAS is used on a CPU with AVX-512, products of few rows with a large matrix are made
 * by tensor/few_rows.h; the shape alone decides.
 *
 * For weights in bf16 (tensor/weight.h) there are two ways. `native` computes with bf16: chosen, by
 * the same kind of rule, where that is faster (sp_cpu_has_fast_bf16). `storage` only keeps them so
 * and computes in fp32. SOFTPROMPT_BF16=native|storage overrides. */
#ifndef SP_TENSOR_GEMM_H
#define SP_TENSOR_GEMM_H

#include "core/status.h"

#include <stdbool.h>

typedef enum sp_gemm_backend { SP_GEMM_OPENBLAS, SP_GEMM_ONEDNN } sp_gemm_backend;

typedef enum sp_bf16_way { SP_BF16_STORAGE, SP_BF16_NATIVE } sp_bf16_way;

/* Loads the back end and sets the thread count (0: all CPUs). May be called again to change the
 * thread count. SP_ERR_MISSING if OpenBLAS cannot be loaded; SP_ERR_USAGE for a wrong
 * SOFTPROMPT_GEMM or SOFTPROMPT_BF16. */
sp_status sp_gemm_start(int threads);
sp_gemm_backend sp_gemm_current(void);
sp_bf16_way sp_bf16_current(void);
/* e.g. "OpenBLAS 0.3.21 (SkylakeX)"; valid after sp_gemm_start. */
const char *sp_gemm_describe(sp_gemm_backend backend);
/* Chooses a back end by hand (for `info` and tests). */
void sp_gemm_use(sp_gemm_backend backend);
int sp_threads(void);

/* C [m, n] = A op B + beta * C, row-major, leading dimensions in elements.
 * transpose_a: A is stored [k, m]; transpose_b: B is stored [n, k]. */
void sp_gemm(bool transpose_a, bool transpose_b, long m, long n, long k, const float *a, long lda,
             const float *b, long ldb, float beta, float *c, long ldc);

#endif
