#include "autograd/ops.h"
#include "autograd/rows.h"
#include "autograd/saved.h"
#include "tensor/kernels.h"

typedef struct swiglu_node {
    sp_node node;
    sp_var *gate, *up;
    sp_saved saved_gate, saved_up;
} swiglu_node;

static void swiglu_backward(sp_tape *t, sp_node *node) {
    swiglu_node *n = (swiglu_node *)node;
    sp_var *gate = n->gate, *up = n->up, *y = node->out;
    float gate_beta, up_beta;
    float *dgate = gate->needs_grad ? sp_grad_beta(t, gate, &gate_beta) : NULL;
    float *dup = up->needs_grad ? sp_grad_beta(t, up, &up_beta) : NULL;
    float *room = sp_saved_room(t, &n->saved_up, 2, y->cols);
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++)
        sp_swiglu_backward(y->cols, sp_saved_row(&n->saved_gate, r, y->cols, room, 0, 2),
                           sp_saved_row(&n->saved_up, r, y->cols, room, 1, 2), y->grad + r * y->ld,
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
        n->saved_gate = sp_save_input(t, &n->node, gate);
        n->saved_up = sp_save_input(t, &n->node, up);
    }
    return y;
}
