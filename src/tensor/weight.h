/* Frozen matrices in bf16: half the memory and half the traffic of fp32. Activations and results
 * stay fp32. gemm.h says which of two ways a product takes: `native` rounds the activations to bf16
 * as well and sums products of bf16 in fp32 (oneDNN); `storage` widens the weights block by block
 * and is fp32 otherwise. For few rows (generation) it is always `storage`, a panel at a time, since
 * reading the weights is what they cost. Nothing about a weight changes after it is made: processes
 * forked later share it. */
#ifndef SP_TENSOR_WEIGHT_H
#define SP_TENSOR_WEIGHT_H

#include <stdbool.h>

typedef enum sp_precision { SP_PRECISION_FP32, SP_PRECISION_BF16 } sp_precision;
extern const char *const sp_precision_names[]; /* "fp32", "bf16", NULL */

/* A frozen matrix [rows, cols] kept in bf16. */
typedef struct sp_weight sp_weight;

/* From data [rows, cols] with leading dimension ld, rounded to nearest even, and reordered for the
 * products of a linear map, as which it is stored [in, out] or `transposed` [out, in]. The
 * caller's. */
sp_weight *sp_weight_new(long rows, long cols, const float *data, long ld, bool transposed);
void sp_weight_free(sp_weight *w); /* NULL is fine */
/* Rows first_row .. first_row + count as floats, out [count, cols]. */
void sp_weight_floats(const sp_weight *w, long first_row, long count, float *out);
/* C [m, count] = A op(W)[:, first .. first + count) + beta C. op(W) is W, or with `transpose` W^T,
 * whose columns are W's rows; A [m, rows of op(W)]. The bits of C depend on m and the ranges, and
 * beyond few rows on the number of threads, as those of sp_gemm do. */
void sp_weight_gemm(const sp_weight *w, bool transpose, long first, long count, long m,
                    const float *a, long lda, float beta, float *c, long ldc);

#endif
