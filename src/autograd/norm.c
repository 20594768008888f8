#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

typedef struct norm_node {
    sp_node node;
    sp_var *x;
    sp_norm norm;
    float *mean, *inverse_deviation; /* [n] */
} norm_node;

static void norm_backward(sp_tape *t, sp_node *node) {
    norm_node *n = (norm_node *)node;
    sp_var *x = n->x, *y = node->out, *weight = n->norm.weight, *bias = n->norm.bias;
    if (x->needs_grad) {
        float *dx = sp_grad(t, x);
#pragma omp parallel for
        for (long r = 0; r < x->rows; r++)
            sp_norm_row_backward(x->cols, sp_row(x, r), weight->data, y->grad + r * y->ld,
                                 n->mean[r], n->inverse_deviation[r], dx + r * x->ld);
    }
    if (!weight->needs_grad && !bias->needs_grad) return;
    size_t bytes = (size_t)x->cols * sizeof(float);
    float *dweight = weight->needs_grad ? sp_grad(t, weight) : sp_arena_zero(&t->scratch, bytes);
    float *dbias = bias->needs_grad ? sp_grad(t, bias) : sp_arena_zero(&t->scratch, bytes);
    for (long r = 0; r < x->rows; r++)
        sp_norm_row_backward_weights(x->cols, sp_row(x, r), y->grad + r * y->ld, n->mean[r],
                                     n->inverse_deviation[r], dweight, dbias);
}

sp_var *sp_layer_norm(sp_tape *t, sp_var *x, const sp_norm *norm) {
    bool needs = x->needs_grad || norm->weight->needs_grad || norm->bias->needs_grad;
    sp_var *y = sp_var_new(t, x->rows, x->cols, needs);
    float *statistics = sp_arena_alloc(&t->arena, 2 * (size_t)x->rows * sizeof(float));
    float *mean = statistics, *inverse = statistics + x->rows;
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++)
        sp_norm_row_forward(x->cols, sp_row(x, r), norm->weight->data, norm->bias->data,
                            norm->epsilon, sp_row(y, r), &mean[r], &inverse[r]);
    norm_node *n = sp_tape_record(t, y, norm_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->norm = *norm;
        n->mean = mean;
        n->inverse_deviation = inverse;
    }
    return y;
}
