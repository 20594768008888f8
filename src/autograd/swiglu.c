#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

typedef struct swiglu_node {
    sp_node node;
    sp_var *gate, *up;
} swiglu_node;

static void swiglu_backward(sp_tape *t, sp_node *node) {
    swiglu_node *n = (swiglu_node *)node;
    sp_var *gate = n->gate, *up = n->up, *y = node->out;
    float gate_beta, up_beta;
    float *dgate = gate->needs_grad ? sp_grad_beta(t, gate, &gate_beta) : NULL;
    float *dup = up->needs_grad ? sp_grad_beta(t, up, &up_beta) : NULL;
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++)
        sp_swiglu_backward(y->cols, sp_row(gate, r), sp_row(up, r), y->grad + r * y->ld,
                           dgate ? sp_grad_row(dgate, gate_beta, gate, r) : NULL,
                           dup ? sp_grad_row(dup, up_beta, up, r) : NULL);
}

sp_var *sp_swiglu(sp_tape *t, sp_var *gate, sp_var *up) {
    sp_var *y = sp_var_new(t, gate->rows, gate->cols, gate->needs_grad || up->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++)
        sp_swiglu_forward(y->cols, sp_row(gate, r), sp_row(up, r), sp_row(y, r));
    swiglu_node *n = sp_tape_record(t, y, swiglu_backward, sizeof *n);
    if (n) {
        n->gate = gate;
        n->up = up;
        sp_tape_save(&n->node, gate);
        sp_tape_save(&n->node, up);
    }
    return y;
}
