/* What a classification head needs after its logits: label words summed up, and the loss. */
#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

/* ---- cross-entropy ---- */

typedef struct cross_entropy_node {
    sp_node node;
    sp_var *logits;
    sp_var *gradient; /* [n, classes] of the mean */
} cross_entropy_node;

static void cross_entropy_backward(sp_tape *t, sp_node *node) {
    cross_entropy_node *n = (cross_entropy_node *)node;
    float *grad = sp_grad(t, n->logits);
    long classes = n->logits->cols;
    for (long r = 0; r < n->logits->rows; r++)
        sp_axpy(classes, *node->out->grad, sp_row(n->gradient, r), grad + r * n->logits->ld);
}

sp_var *sp_cross_entropy(sp_tape *t, sp_var *logits, const int *targets) {
    long rows = logits->rows, classes = logits->cols;
    sp_var *out = sp_var_new(t, 1, 1, logits->needs_grad);
    sp_var *p = sp_var_new(t, rows, classes, false);
    double sum = 0;
    for (long r = 0; r < rows; r++) {
        const float *x = sp_row(logits, r);
        float *row = sp_row(p, r), shift = sp_max(classes, x);
        float total = sp_exp_sum(classes, x, shift, row);
        sum += (double)(x[targets[r]] - shift) - log((double)total);
        sp_scale(classes, 1.0f / (total * (float)rows), row, row);
        row[targets[r]] -= 1.0f / (float)rows;
    }
    out->data[0] = (float)(-sum / (double)rows);
    cross_entropy_node *n = sp_tape_record(t, out, cross_entropy_backward, sizeof *n);
    if (n) {
        n->logits = logits;
        n->gradient = p;
        sp_tape_save(&n->node, p);
    }
    return out;
}

/* ---- log-sum-exp over groups of columns ---- */

typedef struct group_node {
    sp_node node;
    sp_var *x;
    int *group_of; /* [words] */
} group_node;

/* dy/dx = exp(x - y of its group). */
static void group_backward(sp_tape *t, sp_node *node) {
    group_node *n = (group_node *)node;
    const sp_var *y = node->out;
    float *dx = sp_grad(t, n->x);
    for (long r = 0; r < y->rows; r++)
        for (long j = 0; j < n->x->cols; j++) {
            int group = n->group_of[j];
            dx[r * n->x->ld + j] +=
                y->grad[r * y->ld + group] * expf(sp_row(n->x, r)[j] - sp_row(y, r)[group]);
        }
}

static void logsumexp_row(const float *x, const int *group_of, long words, float *y, int groups,
                          float *sums) {
    for (int g = 0; g < groups; g++) {
        y[g] = -INFINITY;
        sums[g] = 0;
    }
    for (long j = 0; j < words; j++)
        if (x[j] > y[group_of[j]]) y[group_of[j]] = x[j];
    for (long j = 0; j < words; j++) sums[group_of[j]] += expf(x[j] - y[group_of[j]]);
    for (int g = 0; g < groups; g++) y[g] += logf(sums[g]);
}

sp_var *sp_group_logsumexp(sp_tape *t, sp_var *x, const int *group_of_word, int groups) {
    sp_var *y = sp_var_new(t, x->rows, groups, x->needs_grad);
    float *sums = sp_arena_alloc(&t->scratch, (size_t)groups * sizeof(float));
    for (long r = 0; r < x->rows; r++)
        logsumexp_row(sp_row(x, r), group_of_word, x->cols, sp_row(y, r), groups, sums);
    sp_arena_reset(&t->scratch);
    group_node *n = sp_tape_record(t, y, group_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)x->cols * sizeof(int);
        n->x = x;
        sp_tape_save(&n->node, x);
        sp_tape_save(&n->node, y);
        n->group_of = memcpy(sp_arena_alloc(&t->arena, bytes), group_of_word, bytes);
    }
    return y;
}
