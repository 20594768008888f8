/* Products of few rows with a large matrix, as generation makes them: C [m, n] = A op(B) + beta C.
 * What costs is reading B, so B is streamed once and kept in registers and the first-level cache
 * while all rows of A meet it. Columns of C are split over the OpenMP threads; every element is
 * summed in an order that depends on the shape alone. */
#ifndef SP_TENSOR_FEW_ROWS_H
#define SP_TENSOR_FEW_ROWS_H

#include <stdbool.h>
#include <stdint.h>

/* B [k, n], or [n, k] with `transpose`; leading dimensions in elements. */
void sp_few_rows_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                      const float *b, long ldb, float beta, float *c, long ldc);
/* The same with B in bf16, widened in registers. */
void sp_few_rows_gemm_bf16(bool transpose, long m, long n, long k, const float *a, long lda,
                           const uint16_t *b, long ldb, float beta, float *c, long ldc);

#endif
