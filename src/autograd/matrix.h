/* For the ops of this room: a matrix of either kind, fp32 or bf16, as a factor. */
#ifndef SP_AUTOGRAD_MATRIX_H
#define SP_AUTOGRAD_MATRIX_H

#include "autograd/tape.h"

/* C [m, n] = A op(w) + beta C, n being the columns of op(w) = w, or w^T with `transpose`. May take
 * room from the tape's scratch, which the caller releases. */
void sp_matrix_gemm(sp_tape *t, sp_var *w, bool transpose, long m, const float *a, long lda,
                    float beta, float *c, long ldc);

#endif
