#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

#include <string.h>

typedef struct rope_node {
    sp_node node;
    sp_var *x;
    int head_size;
    int *positions;
    const float *cos_sin;
} rope_node;

/* A rotation's gradient is the rotation backwards. */
static void rope_backward(sp_tape *t, sp_node *node) {
    rope_node *n = (rope_node *)node;
    sp_var *x = n->x, *y = node->out;
    float *dx = sp_grad(t, x);
    float *back = sp_arena_alloc(&t->scratch, (size_t)(y->rows * y->cols) * sizeof(float));
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++) {
        const float *angles = n->cos_sin + (long)n->positions[r] * n->head_size;
        for (long c = 0; c < y->cols; c += n->head_size)
            sp_rope_row(n->head_size, angles, -1.0f, y->grad + r * y->ld + c,
                        back + r * y->cols + c);
        sp_axpy(y->cols, 1.0f, back + r * y->cols, dx + r * x->ld);
    }
}

sp_var *sp_rope(sp_tape *t, sp_var *x, int head_size, const int *positions, const float *cos_sin) {
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++)
        for (long c = 0; c < x->cols; c += head_size)
            sp_rope_row(head_size, cos_sin + (long)positions[r] * head_size, 1.0f, sp_row(x, r) + c,
                        sp_row(y, r) + c);
    rope_node *n = sp_tape_record(t, y, rope_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)x->rows * sizeof(int);
        n->x = x;
        n->head_size = head_size;
        n->positions = memcpy(sp_arena_alloc(&t->arena, bytes), positions, bytes);
        n->cos_sin = cos_sin;
    }
    return y;
}
