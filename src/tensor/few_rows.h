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

/* Columns of B that lie together in a panel. */
enum { SP_PANEL = 32 };
/* C [m, count] = A B[:, first .. first + count) + beta C for B in bf16, reordered so that it is
 * read in one stream: panels [number, k, SP_PANEL], the last filled up with zeros. */
void sp_few_rows_gemm_panels(long m, long first, long count, long k, const float *a, long lda,
                             const uint16_t *panels, float beta, float *c, long ldc);

#endif
