#include "autograd/ops.h"
#include "tensor/gemm.h"

#include <math.h>

typedef struct orthogonality_node {
    sp_node node;
    sp_var *m;
    bool columns;
    float weight, norm;
    long size;
    const float *gap; /* M M^T - I, or M^T M - I [size, size] */
} orthogonality_node;

/* d norm / dM = 2 gap M / norm, or 2 M gap / norm for columns; nothing where the norm is 0. */
static void orthogonality_backward(sp_tape *t, sp_node *node) {
    orthogonality_node *n = (orthogonality_node *)node;
    sp_var *m = n->m;
    if (n->norm == 0) return;
    float factor = 2 * n->weight * node->out->grad[0] / n->norm, beta;
    float *scaled = sp_arena_alloc(&t->scratch, (size_t)(n->size * n->size) * sizeof(float));
    for (long i = 0; i < n->size * n->size; i++) scaled[i] = factor * n->gap[i];
    float *dm = sp_grad_beta(t, m, &beta);
    if (n->columns)
        sp_gemm(false, false, m->rows, m->cols, n->size, m->data, m->ld, scaled, n->size, beta, dm,
                m->ld);
    else
        sp_gemm(false, false, m->rows, m->cols, n->size, scaled, n->size, m->data, m->ld, beta, dm,
                m->ld);
}

sp_var *sp_orthogonality(sp_tape *t, sp_var *m, bool columns, float weight) {
    long size = columns ? m->cols : m->rows, inner = columns ? m->rows : m->cols;
    sp_var *kept = sp_var_new(t, size, size, false);
    float *gap = kept->data;
    sp_gemm(columns, !columns, size, size, inner, m->data, m->ld, m->data, m->ld, 0, gap, size);
    double squares = 0;
    for (long i = 0; i < size; i++) {
        gap[i * size + i] -= 1;
        for (long k = 0; k < size; k++) squares += (double)gap[i * size + k] * gap[i * size + k];
    }
    sp_var *out = sp_var_new(t, 1, 1, m->needs_grad);
    float norm = (float)sqrt(squares);
    out->data[0] = weight * norm;
    orthogonality_node *n = sp_tape_record(t, out, orthogonality_backward, sizeof *n);
    if (n) {
        n->m = m;
        n->columns = columns;
        n->weight = weight;
        n->norm = norm;
        n->size = size;
        n->gap = gap;
        sp_tape_save(&n->node, m);
        sp_tape_save(&n->node, kept);
    }
    return out;
}
