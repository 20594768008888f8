#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <string.h>

typedef struct lstm_node {
    sp_node node;
    sp_var *gates, *w_hh, *b_hh;
    sp_var *activations; /* [n, 4h] of the gates */
    sp_var *cells;       /* [n, h] */
    bool reverse;
} lstm_node;

/* The time step that comes `step`-th, and the row before it in time order (-1 at the start). */
static long row_at(long n, long step, bool reverse) {
    return reverse ? n - 1 - step : step;
}

static void lstm_backward(sp_tape *t, sp_node *node) {
    lstm_node *s = (lstm_node *)node;
    sp_var *y = node->out;
    long n = y->rows, h = y->cols;
    float *dh = sp_arena_zero(&t->scratch, (size_t)h * sizeof(float));
    float *dc = sp_arena_zero(&t->scratch, (size_t)h * sizeof(float));
    float *dgates = sp_arena_alloc(&t->scratch, (size_t)(n * 4 * h) * sizeof(float));
    for (long step = n - 1; step >= 0; step--) {
        long r = row_at(n, step, s->reverse), before = step ? row_at(n, step - 1, s->reverse) : -1;
        float *d = dgates + r * 4 * h;
        sp_axpy(h, 1.0f, y->grad + r * y->ld, dh);
        sp_lstm_cell_backward(h, sp_row(s->activations, r),
                              before >= 0 ? sp_row(s->cells, before) : NULL, sp_row(s->cells, r),
                              dh, dc, d);
        sp_gemm(false, false, 1, h, 4 * h, d, 4 * h, s->w_hh->data, s->w_hh->ld, 0, dh, h);
        if (s->w_hh->needs_grad && before >= 0)
            sp_gemm(true, false, 4 * h, h, 1, d, 4 * h, sp_row(y, before), y->ld, 1,
                    sp_grad(t, s->w_hh), s->w_hh->ld);
    }
    if (s->b_hh->needs_grad) sp_add_column_sums(dgates, n, 4 * h, 4 * h, sp_grad(t, s->b_hh));
    if (!s->gates->needs_grad) return;
    float *target = sp_grad(t, s->gates);
    for (long r = 0; r < n; r++)
        sp_axpy(4 * h, 1.0f, dgates + r * 4 * h, target + r * s->gates->ld);
}

sp_var *sp_lstm(sp_tape *t, sp_var *gates, sp_var *w_hh, sp_var *b_hh, bool reverse) {
    long n = gates->rows, h = w_hh->cols;
    bool needs = gates->needs_grad || w_hh->needs_grad || b_hh->needs_grad;
    sp_var *y = sp_var_new(t, n, h, needs);
    sp_var *activations = sp_var_new(t, n, 4 * h, false), *cells = sp_var_new(t, n, h, false);
    for (long step = 0; step < n; step++) {
        long r = row_at(n, step, reverse), before = step ? row_at(n, step - 1, reverse) : -1;
        float *a = sp_row(activations, r);
        memcpy(a, sp_row(gates, r), (size_t)(4 * h) * sizeof(float));
        sp_axpy(4 * h, 1.0f, b_hh->data, a);
        if (before >= 0)
            sp_gemm(false, true, 1, 4 * h, h, sp_row(y, before), y->ld, w_hh->data, w_hh->ld, 1, a,
                    4 * h);
        sp_lstm_cell_forward(h, a, before >= 0 ? sp_row(cells, before) : NULL, sp_row(cells, r),
                             sp_row(y, r));
    }
    lstm_node *s = sp_tape_record(t, y, lstm_backward, sizeof *s);
    if (s) {
        s->gates = gates;
        s->w_hh = w_hh;
        s->b_hh = b_hh;
        s->activations = activations;
        s->cells = cells;
        s->reverse = reverse;
        sp_tape_save(&s->node, y);
        sp_tape_save(&s->node, w_hh);
        sp_tape_save(&s->node, activations);
        sp_tape_save(&s->node, cells);
    }
    return y;
}
