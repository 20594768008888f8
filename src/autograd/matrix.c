#include "autograd/matrix.h"

#include "tensor/gemm.h"
#include "tensor/weight.h"

#include <stdlib.h>
#include <string.h>

/* The column of the leaf where a view of it starts. */
static long first_column(const sp_var *v) {
    long column = 0;
    for (; v->base; v = v->base) column += v->base_column;
    return column;
}

void sp_matrix_gemm(sp_tape *t, sp_var *w, bool transpose, long m, const float *a, long lda,
                    float beta, float *c, long ldc) {
    long n = transpose ? w->rows : w->cols, k = transpose ? w->cols : w->rows;
    if (!w->weight) {
        sp_gemm(false, transpose, m, n, k, a, lda, w->data, w->ld, beta, c, ldc);
        return;
    }
    long column = first_column(w), width = sp_var_owner(w)->cols;
    if (!transpose) {
        sp_weight_gemm(w->weight, false, column, n, m, a, lda, beta, c, ldc);
    } else if (k == width) {
        sp_weight_gemm(w->weight, true, 0, n, m, a, lda, beta, c, ldc);
    } else { /* the sum runs over some columns of the leaf only: a product sp_weight_gemm has not */
        float *floats = sp_arena_alloc(&t->scratch, (size_t)(n * width) * sizeof(float));
        sp_weight_floats(w->weight, 0, n, floats);
        sp_gemm(false, true, m, n, k, a, lda, floats + column, width, beta, c, ldc);
    }
}

void sp_var_row(const sp_var *v, long row, float *out) {
    size_t bytes = (size_t)v->cols * sizeof(float);
    if (!v->weight) {
        memcpy(out, v->data + row * v->ld, bytes);
    } else if (!v->base) {
        sp_weight_floats(v->weight, row, 1, out);
    } else {
        const sp_var *whole = v->base;
        while (whole->base) whole = whole->base;
        float *floats = sp_alloc_floats((size_t)whole->cols);
        sp_weight_floats(v->weight, row, 1, floats);
        memcpy(out, floats + first_column(v), bytes);
        free(floats);
    }
}
