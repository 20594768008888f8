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

static void rotate(const sp_var *y, int head_size, const int *positions, const float *cos_sin,
                   float sign, const float *x, long ld, float *out) {
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++)
        for (long c = 0; c < y->cols; c += head_size)
            sp_rope_row(head_size, cos_sin + (long)positions[r] * head_size, sign, x + r * ld + c,
                        out + r * y->ld + c);
}

/* A rotation's gradient is the rotation backwards, done in place: the output's gradient ends here.
 */
static void rope_backward(sp_tape *t, sp_node *node) {
    rope_node *n = (rope_node *)node;
    sp_var *y = node->out;
    float *dy = sp_grad_own(t, y);
    rotate(y, n->head_size, n->positions, n->cos_sin, -1.0f, dy, y->ld, dy);
    sp_grad_pass(t, y, 0, n->x);
}

sp_var *sp_rope(sp_tape *t, sp_var *x, int head_size, const int *positions, const float *cos_sin) {
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad);
    rotate(y, head_size, positions, cos_sin, 1.0f, x->data, x->ld, y->data);
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
