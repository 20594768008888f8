#include "autograd/matrix.h"
#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <string.h>

typedef struct linear_node {
    sp_node node;
    sp_var *x, *residual; /* residual: or NULL */
    sp_linear_map map;
} linear_node;

void sp_add_column_sums(const float *x, long rows, long n, long ld, float *target) {
#pragma omp parallel for
    for (long start = 0; start < n; start += SP_COLUMN_STRIP) {
        long width = sp_strip_width(start, n);
        for (long r = 0; r < rows; r++) sp_axpy(width, 1.0f, x + r * ld + start, target + start);
    }
}

/* dW += x^T dy, or dy^T x when the weight is stored transposed. */
static void weight_gradient(sp_tape *t, const linear_node *n, const float *dy, long ld) {
    sp_var *x = n->x, *w = n->map.weight;
    float beta;
    float *dw = sp_grad_beta(t, w, &beta);
    if (n->map.transposed)
        sp_gemm(true, false, w->rows, w->cols, x->rows, dy, ld, x->data, x->ld, beta, dw, w->ld);
    else
        sp_gemm(true, false, w->rows, w->cols, x->rows, x->data, x->ld, dy, ld, beta, dw, w->ld);
}

static void linear_backward(sp_tape *t, sp_node *node) {
    linear_node *n = (linear_node *)node;
    sp_var *x = n->x, *w = n->map.weight, *y = node->out;
    if (n->map.bias && n->map.bias->needs_grad)
        sp_add_column_sums(y->grad, y->rows, y->cols, y->ld, sp_grad(t, n->map.bias));
    if (w->needs_grad) weight_gradient(t, n, y->grad, y->ld);
    if (n->residual) sp_grad_pass(t, y, 0, n->residual);
    if (!x->needs_grad) return;
    float beta;
    float *dx = sp_grad_beta(t, x, &beta);
    sp_matrix_gemm(t, w, !n->map.transposed, x->rows, y->grad, y->ld, beta, dx, x->ld);
}

/* What the product is added to: residual + bias, either of which may be missing. */
static void fill(sp_var *y, const sp_var *bias, const sp_var *residual) {
    const sp_var *first = residual ? residual : bias;
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++) {
        memcpy(sp_row(y, r), sp_row(first, residual ? r : 0), (size_t)y->cols * sizeof(float));
        if (residual && bias) sp_axpy(y->cols, 1.0f, bias->data, sp_row(y, r));
    }
}

static bool needs(const sp_var *v) {
    return v && v->needs_grad;
}

sp_var *sp_linear_add(sp_tape *t, sp_var *x, const sp_linear_map *map, sp_var *residual) {
    const sp_var *w = map->weight, *b = map->bias;
    long out = map->transposed ? w->rows : w->cols;
    sp_var *y = sp_var_new(t, x->rows, out, needs(x) || needs(w) || needs(b) || needs(residual));
    if (b || residual) fill(y, b, residual);
    sp_matrix_gemm(t, map->weight, map->transposed, x->rows, x->data, x->ld,
                   b || residual ? 1.0f : 0.0f, y->data, y->ld);
    sp_arena_reset(&t->scratch);
    linear_node *n = sp_tape_record(t, y, linear_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->residual = residual;
        n->map = *map;
        if (w->needs_grad) sp_tape_save(&n->node, x);
        if (x->needs_grad) sp_tape_save(&n->node, map->weight);
    }
    return y;
}

sp_var *sp_linear(sp_tape *t, sp_var *x, const sp_linear_map *map) {
    return sp_linear_add(t, x, map, NULL);
}
