#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

typedef struct rms_node {
    sp_node node;
    sp_var *x, *weight;
    const float *inverse_rms; /* [n] */
} rms_node;

static void rms_backward(sp_tape *t, sp_node *node) {
    rms_node *n = (rms_node *)node;
    sp_var *x = n->x, *y = node->out;
    if (x->needs_grad) {
        float beta, *dx = sp_grad_beta(t, x, &beta);
#pragma omp parallel for
        for (long r = 0; r < x->rows; r++)
            sp_rms_row_backward(x->cols, sp_row(x, r), n->weight->data, y->grad + r * y->ld,
                                n->inverse_rms[r], sp_grad_row(dx, beta, x, r));
    }
    if (!n->weight->needs_grad) return;
    float *dweight = sp_grad(t, n->weight);
#pragma omp parallel for
    for (long c = 0; c < x->cols; c += SP_COLUMN_STRIP)
        for (long r = 0; r < x->rows; r++)
            sp_rms_row_backward_weight(sp_strip_width(c, x->cols), sp_row(x, r) + c,
                                       y->grad + r * y->ld + c, n->inverse_rms[r], dweight + c);
}

sp_var *sp_rms_norm(sp_tape *t, sp_var *x, const sp_norm *norm) {
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad || norm->weight->needs_grad);
    sp_var *inverse_rms = sp_var_new(t, 1, x->rows, false);
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++)
        sp_rms_row_forward(x->cols, sp_row(x, r), norm->weight->data, norm->epsilon, sp_row(y, r),
                           &inverse_rms->data[r]);
    rms_node *n = sp_tape_record(t, y, rms_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->weight = norm->weight;
        n->inverse_rms = inverse_rms->data;
        sp_tape_save(&n->node, x);
        sp_tape_save(&n->node, norm->weight);
        sp_tape_save(&n->node, inverse_rms);
    }
    return y;
}
