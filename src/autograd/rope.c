#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

typedef struct rope_node {
    sp_node node;
    sp_var *x;
    int head_size;
    const int *rows; /* [tokens] of cos_sin; NULL: 0, 1, ... */
    const float *cos_sin;
} rope_node;

void sp_rotations_row(const sp_rotations *r, long position, float *row) {
    long half = r->head_size / 2;
    for (long i = 0; i < half; i++) {
        double angle = (double)position / r->periods[i];
        row[i] = (float)(r->scale * cos(angle));
        row[half + i] = (float)(r->scale * sin(angle));
    }
}

static void rotate(const sp_var *y, int head_size, const int *rows, const float *cos_sin,
                   float sign, const float *x, long ld, float *out) {
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++)
        for (long c = 0; c < y->cols; c += head_size)
            sp_rope_row(head_size, cos_sin + (rows ? rows[r] : r) * head_size, sign, x + r * ld + c,
                        out + r * y->ld + c);
}

/* A rotation's gradient is the rotation backwards, with the same scale, done in place: the output's
 * gradient ends here. */
static void rope_backward(sp_tape *t, sp_node *node) {
    rope_node *n = (rope_node *)node;
    sp_var *y = node->out;
    float *dy = sp_grad_own(t, y);
    rotate(y, n->head_size, n->rows, n->cos_sin, -1.0f, dy, y->ld, dy);
    sp_grad_pass(t, y, 0, n->x);
}

static bool all_tabled(const sp_rotations *r, const int *positions, long count) {
    for (long i = 0; i < count; i++)
        if (positions[i] >= r->tabled) return false;
    return true;
}

/* A row for each position, computed now. */
static sp_var *rows_for(sp_tape *t, const sp_rotations *r, const int *positions, long count) {
    sp_var *rows = sp_var_new(t, count, r->head_size, false);
#pragma omp parallel for
    for (long i = 0; i < count; i++) sp_rotations_row(r, positions[i], rows->data + i * rows->ld);
    return rows;
}

sp_var *sp_rope(sp_tape *t, sp_var *x, const int *positions, const sp_rotations *rotations) {
    bool tabled = all_tabled(rotations, positions, x->rows);
    sp_var *own = tabled ? NULL : rows_for(t, rotations, positions, x->rows);
    const float *cos_sin = tabled ? rotations->table : own->data;
    int head_size = rotations->head_size;
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad);
    rotate(y, head_size, tabled ? positions : NULL, cos_sin, 1.0f, x->data, x->ld, y->data);
    rope_node *n = sp_tape_record(t, y, rope_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)x->rows * sizeof(int);
        n->x = x;
        n->head_size = head_size;
        n->rows = tabled ? memcpy(sp_arena_alloc(&t->arena, bytes), positions, bytes) : NULL;
        n->cos_sin = cos_sin;
        sp_tape_save(&n->node, own);
    }
    return y;
}
