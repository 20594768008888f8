#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

#include <string.h>

/* ---- add, concat: two inputs, each taking its columns of the output's gradient ---- */

typedef struct pair_node {
    sp_node node;
    sp_var *a, *b;
    long b_column; /* the column of the output where b's gradient starts */
} pair_node;

static void pair_backward(sp_tape *t, sp_node *node) {
    pair_node *n = (pair_node *)node;
    sp_grad_pass(t, node->out, 0, n->a);
    sp_grad_pass(t, node->out, n->b_column, n->b);
}

static void record_pair(sp_tape *t, sp_var *y, sp_var *a, sp_var *b, long b_column) {
    pair_node *n = sp_tape_record(t, y, pair_backward, sizeof *n);
    if (n) {
        n->a = a;
        n->b = b;
        n->b_column = b_column;
    }
}

sp_var *sp_add(sp_tape *t, sp_var *a, sp_var *b) {
    sp_var *y = sp_var_new(t, a->rows, a->cols, a->needs_grad || b->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++) {
        memcpy(sp_row(y, r), sp_row(a, r), (size_t)y->cols * sizeof(float));
        sp_axpy(y->cols, 1.0f, sp_row(b, r), sp_row(y, r));
    }
    record_pair(t, y, a, b, 0);
    return y;
}

sp_var *sp_concat_columns(sp_tape *t, sp_var *a, sp_var *b) {
    sp_var *y = sp_var_new(t, a->rows, a->cols + b->cols, a->needs_grad || b->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < y->rows; r++) {
        memcpy(sp_row(y, r), sp_row(a, r), (size_t)a->cols * sizeof(float));
        memcpy(sp_row(y, r) + a->cols, sp_row(b, r), (size_t)b->cols * sizeof(float));
    }
    record_pair(t, y, a, b, a->cols);
    return y;
}

/* ---- gate ---- */

typedef struct gate_node {
    sp_node node;
    sp_var *x, *gate;
} gate_node;

/* dgate = the sum of dy * x over the rows and the gate's columns, in row order. */
static void add_gate_gradient(sp_tape *t, const sp_var *y, const sp_var *x, sp_var *gate) {
    float *dgate = sp_grad(t, gate);
    long width = x->cols / gate->cols;
    for (long g = 0; g < gate->cols; g++) {
        double sum = 0;
        for (long r = 0; r < x->rows; r++)
            sum += (double)sp_dot(width, y->grad + r * y->ld + g * width, sp_row(x, r) + g * width);
        dgate[g] += (float)sum;
    }
}

static void gate_backward(sp_tape *t, sp_node *node) {
    gate_node *n = (gate_node *)node;
    const sp_var *y = node->out;
    sp_var *x = n->x, *gate = n->gate;
    if (gate->needs_grad) add_gate_gradient(t, y, x, gate);
    if (!x->needs_grad) return;
    float beta, *dx = sp_grad_beta(t, x, &beta);
    long width = x->cols / gate->cols;
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++) {
        float *row = sp_grad_row(dx, beta, x, r);
        for (long g = 0; g < gate->cols; g++)
            sp_axpy(width, gate->data[g], y->grad + r * y->ld + g * width, row + g * width);
    }
}

sp_var *sp_gate_columns(sp_tape *t, sp_var *x, sp_var *gate) {
    sp_var *y = sp_var_new(t, x->rows, x->cols, x->needs_grad || gate->needs_grad);
    long width = x->cols / gate->cols;
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++)
        for (long g = 0; g < gate->cols; g++)
            sp_scale(width, gate->data[g], sp_row(x, r) + g * width, sp_row(y, r) + g * width);
    gate_node *n = sp_tape_record(t, y, gate_backward, sizeof *n);
    if (n) {
        n->x = x;
        n->gate = gate;
        if (gate->needs_grad) sp_tape_save(&n->node, x);
        if (x->needs_grad) sp_tape_save(&n->node, gate);
    }
    return y;
}

/* ---- views ---- */

sp_var *sp_slice_columns(sp_tape *t, sp_var *x, long first, long count) {
    sp_var *v = sp_arena_zero(&t->arena, sizeof *v);
    *v = (sp_var){.rows = x->rows,
                  .cols = count,
                  .ld = x->ld,
                  .data = x->weight ? NULL : x->data + first,
                  .weight = x->weight,
                  .needs_grad = x->needs_grad,
                  .base = x,
                  .base_column = first};
    return v;
}

/* ---- gather ---- */

typedef struct gather_node {
    sp_node node;
    sp_var *x;
    int *index;
} gather_node;

static void gather_backward(sp_tape *t, sp_node *node) {
    gather_node *n = (gather_node *)node;
    sp_var *y = node->out;
    float *dx = sp_grad(t, n->x);
#pragma omp parallel for
    for (long c = 0; c < y->cols; c += SP_COLUMN_STRIP)
        for (long r = 0; r < y->rows; r++)
            sp_axpy(sp_strip_width(c, y->cols), 1.0f, y->grad + r * y->ld + c,
                    dx + n->index[r] * n->x->ld + c);
}

sp_var *sp_gather_rows(sp_tape *t, sp_var *x, const int *index, long count) {
    sp_var *y = sp_var_new(t, count, x->cols, x->needs_grad);
#pragma omp parallel for
    for (long r = 0; r < count; r++) sp_var_row(x, index[r], sp_row(y, r));
    gather_node *n = sp_tape_record(t, y, gather_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)count * sizeof(int);
        n->x = x;
        n->index = memcpy(sp_arena_alloc(&t->arena, bytes), index, bytes);
    }
    return y;
}

static void gather_columns_backward(sp_tape *t, sp_node *node) {
    gather_node *n = (gather_node *)node;
    sp_var *y = node->out;
    float *dx = sp_grad(t, n->x);
    for (long r = 0; r < y->rows; r++)
        for (long c = 0; c < y->cols; c++) dx[r * n->x->ld + n->index[c]] += y->grad[r * y->ld + c];
}

sp_var *sp_gather_columns(sp_tape *t, sp_var *x, const int *index, long count) {
    sp_var *y = sp_var_new(t, x->rows, count, x->needs_grad);
    for (long r = 0; r < x->rows; r++)
        for (long c = 0; c < count; c++) sp_row(y, r)[c] = sp_row(x, r)[index[c]];
    gather_node *n = sp_tape_record(t, y, gather_columns_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)count * sizeof(int);
        n->x = x;
        n->index = memcpy(sp_arena_alloc(&t->arena, bytes), index, bytes);
    }
    return y;
}
