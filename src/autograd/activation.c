#include "autograd/ops.h"
#include "autograd/rows.h"
#include "autograd/saved.h"
#include "tensor/kernels.h"

typedef void forward_kernel(long n, const float *x, float *y);
typedef void backward_kernel(long n, const float *saved, const float *dy, float *dx);

/* What tells one activation from another; `from_input`: the backward kernel wants x, not y. */
typedef struct activation {
    forward_kernel *forward;
    backward_kernel *backward;
    bool from_input;
} activation;

static const activation GELU = {sp_gelu_forward, sp_gelu_backward, true};
static const activation GELU_EXACT = {sp_gelu_exact_forward, sp_gelu_exact_backward, true};
static const activation TANH = {sp_tanh_forward, sp_tanh_backward, false};
static const activation RELU = {sp_relu_forward, sp_relu_backward, false};

typedef struct activation_node {
    sp_node node;
    sp_var *x;
    sp_saved saved; /* x or y */
    const activation *kind;
} activation_node;

static void activation_backward(sp_tape *t, sp_node *node) {
    activation_node *n = (activation_node *)node;
    sp_var *x = n->x, *y = node->out;
    float beta, *dx = sp_grad_beta(t, x, &beta), *room = sp_saved_room(t, &n->saved, 1, x->cols);
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++)
        n->kind->backward(x->cols, sp_saved_row(&n->saved, r, x->cols, room, 0, 1),
                          y->grad + r * y->ld, sp_grad_row(dx, beta, x, r));
}

static sp_var *apply(sp_tape *t, sp_var *x, const activation *kind) {
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++) kind->forward(x->cols, sp_row(x, r), sp_row(y, r));
    activation_node *n = sp_tape_record(t, y, activation_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->kind = kind;
        n->saved = sp_save_input(t, &n->node, kind->from_input ? x : y);
    }
    return y;
}

sp_var *sp_gelu(sp_tape *t, sp_var *x) {
    return apply(t, x, &GELU);
}

sp_var *sp_tanh(sp_tape *t, sp_var *x) {
    return apply(t, x, &TANH);
}

sp_var *sp_relu(sp_tape *t, sp_var *x) {
    return apply(t, x, &RELU);
}

sp_var *sp_activate(sp_tape *t, sp_activation kind, sp_var *x) {
    static const activation *const kinds[] = {
        [SP_GELU_NEW] = &GELU, [SP_GELU_EXACT] = &GELU_EXACT, [SP_RELU] = &RELU};
    return apply(t, x, kinds[kind]);
}
