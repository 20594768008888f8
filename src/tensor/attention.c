#include "tensor/attention.h"

#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Query rows handled at a time. */
enum { BLOCK = 64 };

static long longest_keys(const sp_attention_shape *s, const sp_keys *keys) {
    long longest = 0;
    for (int i = 0; i < s->sequences; i++)
        if (keys[i].length > longest) longest = keys[i].length;
    return longest;
}

static sp_rows at(sp_rows r, long row, long column) {
    return r.data ? (sp_rows){r.data + row * r.ld + column, r.ld} : r;
}

/* Which of a sequence's queries a block holds, and what they see. */
typedef struct query_block {
    long start, rows;
    long prefix, keys; /* numbers of keys: the prefix's, or 0, and the sequence's own */
} query_block;

/* How many of the sequence's own first queries do not see the prefix. */
static long hidden_queries(const sp_attention_shape *s, int sequence, long past, long length) {
    long hidden = s->prefix_from && s->prefix_length ? s->prefix_from[sequence] - past : 0;
    return hidden < 0 ? 0 : hidden < length ? hidden : length;
}

/* The block of at most BLOCK queries from `start` on that all see the prefix, or all do not. */
static query_block block_at(const sp_attention_shape *s, long start, long length, long past,
                            long hidden) {
    long end = start < hidden ? hidden : length;
    query_block b = {start, end - start < BLOCK ? end - start : BLOCK,
                     start < hidden ? 0 : s->prefix_length, 0};
    if (!s->prefix_only) b.keys = past + (s->causal ? start + b.rows : length);
    return b;
}

/* scores [rows, prefix + keys] = q . [Kp; K]^T, unscaled. */
static void compute_scores(long rows, long d, sp_rows q, long prefix, sp_rows prefix_key, long keys,
                           const float *key, long key_ld, float *scores, long ld) {
    if (prefix)
        sp_gemm(false, true, rows, prefix, d, q.data, q.ld, prefix_key.data, prefix_key.ld, 0,
                scores, ld);
    if (keys)
        sp_gemm(false, true, rows, keys, d, q.data, q.ld, key, key_ld, 0, scores + prefix, ld);
}

/* How many keys, the prefix's included, row `row` of the block sees. */
static long visible_keys(const sp_attention_shape *s, const query_block *b, long row) {
    bool masked = s->causal && !s->prefix_only;
    return b->prefix + b->keys - (masked ? b->rows - 1 - row : 0);
}

static void clear_rows(long rows, long d, sp_rows x) {
    for (long i = 0; i < rows; i++) memset(x.data + i * x.ld, 0, (size_t)d * sizeof(float));
}

/* out [rows, d] = p V over prefix and own values, for p [rows, prefix + keys]. */
static void weigh_values(const query_block *b, long d, const float *p, const float *value,
                         long value_ld, sp_rows prefix_value, sp_rows out) {
    long ld = b->prefix + b->keys;
    if (b->keys)
        sp_gemm(false, false, b->rows, d, b->keys, p + b->prefix, ld, value, value_ld, 0, out.data,
                out.ld);
    if (b->prefix)
        sp_gemm(false, false, b->rows, d, b->prefix, p, ld, prefix_value.data, prefix_value.ld,
                b->keys ? 1 : 0, out.data, out.ld);
}

static void forward_block(const sp_attention_shape *s, const query_block *b, sp_rows q,
                          const float *key, const float *value, long kv_ld, sp_rows prefix_key,
                          sp_rows prefix_value, sp_rows out, float *lse, float *scores) {
    long d = s->head_size, ld = b->prefix + b->keys;
    float scale = 1.0f / sqrtf((float)d);
    compute_scores(b->rows, d, q, b->prefix, prefix_key, b->keys, key, kv_ld, scores, ld);
    for (long i = 0; i < b->rows; i++) {
        float *row = scores + i * ld;
        long seen = visible_keys(s, b, i);
        sp_scale(seen, scale, row, row);
        float shift = sp_max(seen, row);
        float sum = sp_exp_sum(seen, row, shift, row);
        sp_scale(seen, 1.0f / sum, row, row);
        memset(row + seen, 0, (size_t)(ld - seen) * sizeof(float));
        if (lse) lse[i * s->heads] = shift + logf(sum);
    }
    weigh_values(b, d, scores, value, kv_ld, prefix_value, out);
}

static void forward_head(const sp_attention_shape *s, int sequence, int head, sp_rows q,
                         const sp_keys *k, long keys_ld, sp_rows prefix_key, sp_rows prefix_value,
                         sp_rows out, float *lse, float *scores) {
    long first = s->offsets[sequence], length = s->offsets[sequence + 1] - first;
    long column = (long)head * s->head_size;
    long kv_column = (long)(head / (s->heads / s->kv_heads)) * s->head_size;
    long past = k->length - length, hidden = hidden_queries(s, sequence, past, length);
    query_block b;
    for (long start = 0; start < length; start += b.rows) {
        b = block_at(s, start, length, past, hidden);
        sp_rows block_out = at(out, first + start, column);
        if (b.prefix + b.keys == 0)
            clear_rows(b.rows, s->head_size, block_out);
        else
            forward_block(s, &b, at(q, first + start, column), k->key + kv_column,
                          k->value + kv_column, keys_ld, at(prefix_key, 0, kv_column),
                          at(prefix_value, 0, kv_column), block_out,
                          lse ? lse + (first + start) * s->heads + head : NULL, scores);
    }
}

void sp_attention_forward(const sp_attention_shape *s, sp_rows q, const sp_keys *keys, long keys_ld,
                          sp_rows prefix_key, sp_rows prefix_value, sp_rows out, float *lse,
                          sp_arena *scratch) {
    size_t block = (size_t)BLOCK * (size_t)(s->prefix_length + longest_keys(s, keys));
    float *scores = sp_arena_alloc(scratch, (size_t)sp_threads() * block * sizeof(float));
    int tasks = s->sequences * s->heads;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < tasks; task++)
        forward_head(s, task / s->heads, task % s->heads, q, &keys[task / s->heads], keys_ld,
                     prefix_key, prefix_value, out, lse,
                     scores + (size_t)omp_get_thread_num() * block);
}

/* ---- backward ---- */

typedef struct head_work {
    float *p, *ds; /* [BLOCK, prefix + keys] */
} head_work;

/* p = exp(scores * scale - lse), masked. */
static void recompute_probabilities(const sp_attention_shape *s, const query_block *b,
                                    const float *lse, float *p) {
    long ld = b->prefix + b->keys;
    float scale = 1.0f / sqrtf((float)s->head_size);
    for (long i = 0; i < b->rows; i++) {
        float *row = p + i * ld;
        long seen = visible_keys(s, b, i);
        sp_scale(seen, scale, row, row);
        sp_exp_sum(seen, row, lse[i * s->heads], row);
        memset(row + seen, 0, (size_t)(ld - seen) * sizeof(float));
    }
}

/* ds = p * (dp - dout . out) * scale, in place of dp. */
static void softmax_backward(const sp_attention_shape *s, long rows, long ld, const float *p,
                             float *ds, sp_rows out, sp_rows dout) {
    float scale = 1.0f / sqrtf((float)s->head_size);
    for (long i = 0; i < rows; i++) {
        float delta = sp_dot(s->head_size, out.data + i * out.ld, dout.data + i * dout.ld);
        for (long j = 0; j < ld; j++)
            ds[i * ld + j] = p[i * ld + j] * (ds[i * ld + j] - delta) * scale;
    }
}

/* target [n, d] += m^T x for m [rows, n] (leading dimension ld), x [rows, d]. */
static void add_transposed(long rows, long n, long d, const float *m, long ld, sp_rows x,
                           sp_rows target) {
    if (target.data && n)
        sp_gemm(true, false, n, d, rows, m, ld, x.data, x.ld, 1, target.data, target.ld);
}

static void backward_block(const sp_attention_shape *s, const query_block *b, sp_rows q, sp_rows k,
                           sp_rows v, sp_rows prefix_key, sp_rows prefix_value, sp_rows out,
                           sp_rows dout, const float *lse, const sp_attention_grads *g,
                           head_work w) {
    long rows = b->rows, keys = b->keys, prefix = b->prefix, d = s->head_size, ld = prefix + keys;
    compute_scores(rows, d, q, prefix, prefix_key, keys, k.data, k.ld, w.p, ld);
    recompute_probabilities(s, b, lse, w.p);
    add_transposed(rows, keys, d, w.p + prefix, ld, dout, g->v);
    add_transposed(rows, prefix, d, w.p, ld, dout, g->prefix_value);
    if (!g->q.data && !g->k.data && !g->prefix_key.data) return;
    compute_scores(rows, d, dout, prefix, prefix_value, keys, v.data, v.ld, w.ds, ld);
    softmax_backward(s, rows, ld, w.p, w.ds, out, dout);
    add_transposed(rows, keys, d, w.ds + prefix, ld, q, g->k);
    add_transposed(rows, prefix, d, w.ds, ld, q, g->prefix_key);
    if (!g->q.data) return;
    if (keys)
        sp_gemm(false, false, rows, d, keys, w.ds + prefix, ld, k.data, k.ld, 1, g->q.data,
                g->q.ld);
    if (prefix)
        sp_gemm(false, false, rows, d, prefix, w.ds, ld, prefix_key.data, prefix_key.ld, 1,
                g->q.data, g->q.ld);
}

/* All query heads that share one key/value head of one sequence, so that no two tasks write the
 * same gradient. `g` has this task's own prefix gradients. */
static void backward_task(const sp_attention_shape *s, int sequence, int kv_head, sp_rows q,
                          sp_rows k, sp_rows v, sp_rows prefix_key, sp_rows prefix_value,
                          sp_rows out, sp_rows dout, const float *lse, const sp_attention_grads *g,
                          head_work w) {
    long first = s->offsets[sequence], length = s->offsets[sequence + 1] - first;
    long hidden = hidden_queries(s, sequence, 0, length);
    int group = s->heads / s->kv_heads;
    long kv = (long)kv_head * s->head_size;
    for (int head = kv_head * group; head < (kv_head + 1) * group; head++) {
        long column = (long)head * s->head_size;
        query_block b;
        for (long start = 0; start < length; start += b.rows) {
            long row = first + start;
            b = block_at(s, start, length, 0, hidden);
            if (b.prefix + b.keys == 0) continue;
            sp_attention_grads here = {at(g->q, row, column), at(g->k, first, kv),
                                       at(g->v, first, kv), g->prefix_key, g->prefix_value};
            backward_block(s, &b, at(q, row, column), at(k, first, kv), at(v, first, kv),
                           at(prefix_key, 0, kv), at(prefix_value, 0, kv), at(out, row, column),
                           at(dout, row, column), lse + row * s->heads + head, &here, w);
        }
    }
}

/* target [prefix, kv_heads * d] += the tasks' parts [sequences, kv_heads, prefix, d], in order. */
static void reduce_prefix(const sp_attention_shape *s, const float *parts, sp_rows target) {
    long d = s->head_size, part = s->prefix_length * d;
#pragma omp parallel for
    for (int head = 0; head < s->kv_heads; head++)
        for (int sequence = 0; sequence < s->sequences; sequence++)
            for (long i = 0; i < s->prefix_length; i++)
                sp_axpy(d, 1.0f, parts + ((long)sequence * s->kv_heads + head) * part + i * d,
                        target.data + i * target.ld + head * d);
}

void sp_attention_backward(const sp_attention_shape *s, sp_rows q, sp_rows k, sp_rows v,
                           sp_rows prefix_key, sp_rows prefix_value, sp_rows out, sp_rows dout,
                           const float *lse, const sp_attention_grads *grads, sp_arena *scratch) {
    long longest = 0, d = s->head_size;
    for (int i = 0; i < s->sequences; i++)
        if (s->offsets[i + 1] - s->offsets[i] > longest)
            longest = s->offsets[i + 1] - s->offsets[i];
    size_t block = (size_t)BLOCK * (size_t)(s->prefix_length + longest);
    float *work = sp_arena_alloc(scratch, (size_t)sp_threads() * 2 * block * sizeof(float));
    int tasks = s->sequences * s->kv_heads;
    long part = s->prefix_length * d;
    size_t parts_bytes = (size_t)tasks * (size_t)part * sizeof(float);
    float *key_parts = grads->prefix_key.data ? sp_arena_zero(scratch, parts_bytes) : NULL;
    float *value_parts = grads->prefix_value.data ? sp_arena_zero(scratch, parts_bytes) : NULL;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < tasks; task++) {
        float *mine = work + (size_t)omp_get_thread_num() * 2 * block;
        sp_attention_grads g = *grads;
        g.prefix_key = (sp_rows){key_parts ? key_parts + task * part : NULL, d};
        g.prefix_value = (sp_rows){value_parts ? value_parts + task * part : NULL, d};
        backward_task(s, task / s->kv_heads, task % s->kv_heads, q, k, v, prefix_key, prefix_value,
                      out, dout, lse, &g, (head_work){mine, mine + block});
    }
    if (key_parts) reduce_prefix(s, key_parts, grads->prefix_key);
    if (value_parts) reduce_prefix(s, value_parts, grads->prefix_value);
}
