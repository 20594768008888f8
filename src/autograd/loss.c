#include "autograd/matrix.h"
#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

/* Rows of logits that exist at a time: as many as fit the caches between one pass and the next, but
 * enough for a GEMM near its full speed. */
enum { CHUNK_FLOATS = 4 << 20, CHUNK_LEAST = 128 };

/* Chunks of equal size rather than full ones and a rest. */
static long rows_per_chunk(long targets, long vocabulary) {
    long most = CHUNK_FLOATS / vocabulary;
    if (most < CHUNK_LEAST) most = CHUNK_LEAST;
    long chunks = (targets + most - 1) / most;
    return (targets + chunks - 1) / chunks;
}

typedef struct loss_node {
    sp_node node;
    sp_var *hidden, *head;
    int *rows; /* [targets] the rows of hidden that have one */
    long targets;
    sp_var *dhidden; /* [targets, d] or NULL */
    sp_var *dhead;   /* [vocabulary, d] or NULL */
} loss_node;

static void loss_backward(sp_tape *t, sp_node *node) {
    loss_node *n = (loss_node *)node;
    float upstream = *node->out->grad;
    if (n->dhidden) {
        float *grad = sp_grad(t, n->hidden);
#pragma omp parallel for
        for (long i = 0; i < n->targets; i++)
            sp_axpy(n->hidden->cols, upstream, sp_row(n->dhidden, i),
                    grad + n->rows[i] * n->hidden->ld);
    }
    if (n->dhead) {
        float *grad = sp_grad(t, n->head);
#pragma omp parallel for
        for (long r = 0; r < n->head->rows; r++)
            sp_axpy(n->head->cols, upstream, sp_row(n->dhead, r), grad + r * n->head->ld);
    }
}

/* Turns a row of logits into sum * (softmax - onehot), sum being that of the softmax: what is left
 * to divide by is left to the shorter rows that are multiplied with this one. Returns log
 * softmax[target]. */
static float row_gradient(long vocabulary, float *logits, int target, float *sum) {
    float target_logit = logits[target];
    float shift = sp_max(vocabulary, logits);
    *sum = sp_exp_sum(vocabulary, logits, shift, logits);
    logits[target] -= *sum;
    return target_logit - shift - logf(*sum);
}

typedef struct chunk_work {
    float *x;      /* [rows, d] the hidden rows */
    float *logits; /* [rows, vocabulary] */
    float *log_p;  /* [rows] */
    float *factor; /* [rows] 1 / (sum * targets) */
} chunk_work;

static chunk_work make_work(sp_tape *t, long rows, long d, long vocabulary) {
    size_t n = (size_t)rows * sizeof(float);
    return (chunk_work){sp_arena_alloc(&t->scratch, n * (size_t)d),
                        sp_arena_alloc(&t->scratch, n * (size_t)vocabulary),
                        sp_arena_alloc(&t->scratch, n), sp_arena_alloc(&t->scratch, n)};
}

static void scale_rows(long count, long d, const float *factor, float *rows) {
    for (long i = 0; i < count; i++) sp_scale(d, factor[i], rows + i * d, rows + i * d);
}

static void run_chunk(sp_tape *t, const loss_node *n, const int *targets, long first, long count,
                      chunk_work w) {
    long d = n->hidden->cols, vocabulary = n->head->rows;
    for (long i = 0; i < count; i++)
        memcpy(w.x + i * d, sp_row(n->hidden, n->rows[first + i]), (size_t)d * sizeof(float));
    sp_matrix_gemm(t, n->head, true, count, w.x, d, 0, w.logits, vocabulary);
#pragma omp parallel for
    for (long i = 0; i < count; i++) {
        float sum;
        w.log_p[i] =
            row_gradient(vocabulary, w.logits + i * vocabulary, targets[n->rows[first + i]], &sum);
        w.factor[i] = 1.0f / (sum * (float)n->targets);
    }
    if (n->dhidden) {
        float *dhidden = sp_row(n->dhidden, first);
        sp_matrix_gemm(t, n->head, false, count, w.logits, vocabulary, 0, dhidden, d);
        scale_rows(count, d, w.factor, dhidden);
    }
    if (n->dhead) {
        scale_rows(count, d, w.factor, w.x);
        sp_gemm(true, false, vocabulary, d, count, w.logits, vocabulary, w.x, d, first ? 1 : 0,
                n->dhead->data, d);
    }
}

static void find_targets(sp_tape *t, loss_node *n, const int *targets) {
    n->rows = sp_arena_alloc(&t->arena, (size_t)n->hidden->rows * sizeof(int));
    for (long r = 0; r < n->hidden->rows; r++)
        if (targets[r] >= 0) n->rows[n->targets++] = (int)r;
}

static void make_gradients(sp_tape *t, loss_node *n) {
    long d = n->hidden->cols;
    if (n->hidden->needs_grad) n->dhidden = sp_var_new(t, n->targets, d, false);
    if (n->head->needs_grad) n->dhead = sp_var_new(t, n->head->rows, d, false);
    sp_tape_save(&n->node, n->dhidden);
    sp_tape_save(&n->node, n->dhead);
}

sp_var *sp_lm_loss(sp_tape *t, sp_var *hidden, sp_var *head, const int *targets,
                   float *log_probabilities) {
    sp_var *out = sp_var_new(t, 1, 1, hidden->needs_grad || head->needs_grad);
    loss_node local = {0};
    loss_node *n = sp_tape_record(t, out, loss_backward, sizeof *n);
    if (!n) n = &local;
    n->hidden = hidden;
    n->head = head;
    find_targets(t, n, targets);
    if (out->needs_grad) make_gradients(t, n);
    long rows = rows_per_chunk(n->targets, head->rows);
    chunk_work w = make_work(t, rows, hidden->cols, head->rows);
    if (log_probabilities) memset(log_probabilities, 0, (size_t)hidden->rows * sizeof(float));
    double sum = 0;
    for (long first = 0; first < n->targets; first += rows) {
        long count = n->targets - first < rows ? n->targets - first : rows;
        run_chunk(t, n, targets, first, count, w);
        for (long i = 0; i < count; i++) {
            sum += w.log_p[i];
            if (log_probabilities) log_probabilities[n->rows[first + i]] = w.log_p[i];
        }
    }
    sp_arena_reset(&t->scratch);
    out->data[0] = (float)(-sum / (double)n->targets);
    return out;
}
