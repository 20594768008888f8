/* Matrix multiplication in bf16 by oneDNN. */
#ifndef SP_TENSOR_BF16_H
#define SP_TENSOR_BF16_H

#include <stdbool.h>
#include <stdint.h>

/* C [m, n] = A op(B) + beta C with A rounded to bf16 first and sums in fp32. B [k, n], or [n, k]
 * with `transpose`. Primitives are kept by oneDNN's own cache, which is bounded. */
void sp_bf16_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                  const uint16_t *b, long ldb, float beta, float *c, long ldc);

#endif
