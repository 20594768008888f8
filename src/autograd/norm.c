#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

typedef struct norm_node {
    sp_node node;
    sp_var *x;
    sp_norm norm;
    const float *mean, *inverse_deviation; /* [n] */
} norm_node;

static void norm_backward(sp_tape *t, sp_node *node) {
    norm_node *n = (norm_node *)node;
    sp_var *x = n->x, *y = node->out, *weight = n->norm.weight, *bias = n->norm.bias;
    if (x->needs_grad) {
        float beta, *dx = sp_grad_beta(t, x, &beta);
#pragma omp parallel for
        for (long r = 0; r < x->rows; r++)
            sp_norm_row_backward(x->cols, sp_row(x, r), weight->data, y->grad + r * y->ld,
                                 n->mean[r], n->inverse_deviation[r], sp_grad_row(dx, beta, x, r));
    }
    if (!weight->needs_grad && !bias->needs_grad) return;
    size_t bytes = (size_t)x->cols * sizeof(float);
    float *dweight = weight->needs_grad ? sp_grad(t, weight) : sp_arena_zero(&t->scratch, bytes);
    float *dbias = bias->needs_grad ? sp_grad(t, bias) : sp_arena_zero(&t->scratch, bytes);
#pragma omp parallel for
    for (long c = 0; c < x->cols; c += SP_COLUMN_STRIP)
        for (long r = 0; r < x->rows; r++)
            sp_norm_row_backward_weights(sp_strip_width(c, x->cols), sp_row(x, r) + c,
                                         y->grad + r * y->ld + c, n->mean[r],
                                         n->inverse_deviation[r], dweight + c, dbias + c);
}

sp_var *sp_layer_norm(sp_tape *t, sp_var *x, const sp_norm *norm) {
    bool needs = x->needs_grad || norm->weight->needs_grad || norm->bias->needs_grad;
    sp_var *y = sp_var_new(t, x->rows, x->cols, needs);
    sp_var *statistics = sp_var_new(t, 2, x->rows, false);
    float *mean = sp_row(statistics, 0), *inverse = sp_row(statistics, 1);
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
        sp_tape_save(&n->node, x);
        sp_tape_save(&n->node, norm->weight);
        sp_tape_save(&n->node, statistics);
    }
    return y;
}
