#include "autograd/ops.h"
#include "tensor/gemm.h"

typedef struct low_rank_node {
    sp_node node;
    sp_var *x, *down, *diagonal, *up;
    float scale;
    sp_var *inner;  /* x down^T [n, rank] */
    sp_var *scaled; /* scale * inner * diagonal [n, rank] */
} low_rank_node;

/* out[r, k] = scale * in[r, k] * diagonal[k]; diagonal NULL: ones. */
static void scale_columns(long rows, long rank, float scale, const float *in,
                          const sp_var *diagonal, float *out) {
    for (long r = 0; r < rows; r++)
        for (long k = 0; k < rank; k++)
            out[r * rank + k] = scale * in[r * rank + k] * (diagonal ? diagonal->data[k] : 1.0f);
}

static void diagonal_gradient(sp_tape *t, const low_rank_node *n, const float *d_scaled) {
    long rows = n->x->rows, rank = n->down->rows;
    float *target = sp_grad(t, n->diagonal);
    for (long r = 0; r < rows; r++)
        for (long k = 0; k < rank; k++)
            target[k] += n->scale * d_scaled[r * rank + k] * n->inner->data[r * rank + k];
}

static void low_rank_backward(sp_tape *t, sp_node *node) {
    low_rank_node *n = (low_rank_node *)node;
    const sp_var *y = node->out;
    long rows = y->rows, rank = n->down->rows;
    float beta;
    if (n->up->needs_grad) {
        float *d_up = sp_grad_beta(t, n->up, &beta);
        sp_gemm(true, false, n->up->rows, rank, rows, y->grad, y->ld, n->scaled->data, rank, beta,
                d_up, n->up->ld);
    }
    float *d_scaled = sp_arena_alloc(&t->scratch, (size_t)(rows * rank) * sizeof(float));
    sp_gemm(false, false, rows, rank, y->cols, y->grad, y->ld, n->up->data, n->up->ld, 0, d_scaled,
            rank);
    if (n->diagonal && n->diagonal->needs_grad) diagonal_gradient(t, n, d_scaled);
    scale_columns(rows, rank, n->scale, d_scaled, n->diagonal, d_scaled); /* of x down^T */
    if (n->down->needs_grad) {
        float *d_down = sp_grad_beta(t, n->down, &beta);
        sp_gemm(true, false, rank, n->x->cols, rows, d_scaled, rank, n->x->data, n->x->ld, beta,
                d_down, n->down->ld);
    }
    if (n->x->needs_grad) {
        float *dx = sp_grad_beta(t, n->x, &beta);
        sp_gemm(false, false, rows, n->x->cols, rank, d_scaled, rank, n->down->data, n->down->ld,
                beta, dx, n->x->ld);
    }
}

sp_var *sp_linear_low_rank(sp_tape *t, sp_var *x, sp_var *down, sp_var *diagonal, sp_var *up,
                           float scale) {
    long rows = x->rows, rank = down->rows;
    sp_var *inner = sp_var_new(t, rows, rank, false), *scaled = sp_var_new(t, rows, rank, false);
    sp_gemm(false, true, rows, rank, x->cols, x->data, x->ld, down->data, down->ld, 0, inner->data,
            rank);
    scale_columns(rows, rank, scale, inner->data, diagonal, scaled->data);
    bool needs =
        x->needs_grad || down->needs_grad || up->needs_grad || (diagonal && diagonal->needs_grad);
    sp_var *y = sp_var_new(t, rows, up->rows, needs);
    sp_gemm(false, true, rows, up->rows, rank, scaled->data, rank, up->data, up->ld, 0, y->data,
            y->ld);
    low_rank_node *n = sp_tape_record(t, y, low_rank_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->down = down;
        n->diagonal = diagonal;
        n->up = up;
        n->scale = scale;
        n->inner = inner;
        n->scaled = scaled;
        if (down->needs_grad) sp_tape_save(&n->node, x);
        if (diagonal && diagonal->needs_grad) sp_tape_save(&n->node, inner);
        if (up->needs_grad) sp_tape_save(&n->node, scaled);
    }
    return y;
}
