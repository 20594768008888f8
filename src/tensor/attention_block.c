#include "tensor/attention_block.h"

#include "tensor/vector.h"

#include <math.h>

/* Query rows handled at a time. */
enum { BLOCK = 64, TILE_ROWS = 8, TILE_WIDTH = 2 * LANES };

/* The keys and values of a task packed once for all its query heads, prefix first, and the places
 * of a block's own rows. Rows are padded with zeros: `width` is head_size rounded to vectors,
 * `ld` the number of keys and more. Products work on whole tiles of 8 rows: what they make beyond
 * a block's rows is not used, and beyond its keys is 0. */
typedef struct panels {
    long width, ld;
    float *key, *value;     /* [ld, width] */
    float *key_t, *value_t; /* [width, ld] */
    float *dkey, *dvalue;   /* [ld, width] */
    float *q, *dout, *row;  /* [BLOCK, width] */
    float *p, *ds;          /* [BLOCK, ld] */
} panels;

static long panel_ld(const sp_attention_shape *s, long longest) {
    return round_to_lanes(s->prefix_length + longest) + LANES;
}

static float *take(float **scratch, long floats) {
    float *p = *scratch;
    *scratch += floats;
    return p;
}

static panels lay_out(const sp_attention_shape *s, long longest, bool backward, float *scratch) {
    panels x = {.width = round_to_lanes(s->head_size), .ld = panel_ld(s, longest)};
    long panel = x.ld * x.width;
    x.key = take(&scratch, panel);
    x.value = take(&scratch, panel);
    x.key_t = take(&scratch, panel);
    x.q = take(&scratch, BLOCK * x.width);
    x.row = take(&scratch, BLOCK * x.width);
    x.p = take(&scratch, BLOCK * x.ld);
    if (!backward) return x;
    x.value_t = take(&scratch, panel);
    x.dkey = take(&scratch, panel);
    x.dvalue = take(&scratch, panel);
    x.dout = take(&scratch, BLOCK * x.width);
    x.ds = take(&scratch, BLOCK * x.ld);
    return x;
}

size_t sp_attention_forward_scratch(const sp_attention_shape *s, long longest) {
    long width = round_to_lanes(s->head_size), ld = panel_ld(s, longest);
    long blocks = 3 * ld * width + BLOCK * (2 * width + ld), direct = s->heads / s->kv_heads * ld;
    return (size_t)(direct > blocks ? direct : blocks);
}

size_t sp_attention_backward_scratch(const sp_attention_shape *s, long longest) {
    long width = round_to_lanes(s->head_size), ld = panel_ld(s, longest);
    return (size_t)(6 * ld * width + BLOCK * (3 * width + 2 * ld));
}

/* ---- packing ---- */

/* to [width] = from [d] * scale, padded with zeros. */
INLINED void copy_row(long d, long width, float scale, const float *from, float *to) {
    long j = 0;
    for (; j + LANES <= d; j += LANES) {
        vec x;
        load(from + j, &x);
        x *= scale;
        store(to + j, &x);
    }
    for (; j < width; j++) to[j] = j < d ? from[j] * scale : 0.0f;
}

/* The prefix's rows and then `count` own ones (which: their indices, or NULL) behind each other. */
INLINED void gather(long d, const panels *x, sp_rows prefix, long prefix_length, const float *own,
                    long own_ld, const int *which, long count, float *to) {
    for (long i = 0; i < prefix_length; i++, to += x->width)
        copy_row(d, x->width, 1.0f, prefix.data + i * prefix.ld, to);
    for (long i = 0; i < count; i++, to += x->width)
        copy_row(d, x->width, 1.0f, own + (which ? which[i] : i) * own_ld, to);
    long rest = x->ld - prefix_length - count;
    memset(to, 0, (size_t)(rest * x->width) * sizeof *to);
}

/* to [width, ld] = from [ld, width]^T */
INLINED void transpose_panel(const panels *x, const float *from, float *to) {
    for (long i = 0; i < x->ld; i += LANES)
        for (long j = 0; j < x->width; j += LANES) {
            vec block[LANES];
            for (int r = 0; r < LANES; r++) load(from + (i + r) * x->width + j, &block[r]);
            transpose_lanes(block);
            for (int r = 0; r < LANES; r++) store(to + (j + r) * x->ld + i, &block[r]);
        }
}

/* Packs the keys and values that the task's queries may see. */
INLINED void pack_keys(const sp_attention_inputs *in, int sequence, int kv_head, const panels *x) {
    const sp_attention_shape *s = in->shape;
    const sp_keys *k = &in->keys[sequence];
    long d = s->head_size, column = kv_head * d, count = s->prefix_only ? 0 : k->length;
    gather(d, x, sp_rows_at(in->prefix_key, 0, column), s->prefix_length, k->key + column,
           in->keys_ld, k->rows, count, x->key);
    gather(d, x, sp_rows_at(in->prefix_value, 0, column), s->prefix_length, k->value + column,
           in->keys_ld, k->rows, count, x->value);
    transpose_panel(x, x->key, x->key_t);
    if (x->value_t) transpose_panel(x, x->value, x->value_t);
}

/* ---- a block of queries ---- */

/* Which of a sequence's queries a block holds, and what they see. */
typedef struct query_block {
    long start, rows;
    long first;  /* the first key in the panels that is seen: 0, the prefix's length, or where the
                  * window of the first row starts */
    long keys;   /* how many from there the last row sees */
    long masked; /* 1 if each row sees one less than the next, else 0 */
} query_block;

/* A task at work: which sequence, how many of its keys are from the cache, and how many of its own
 * queries do not see the prefix. */
typedef struct task_place {
    const sp_attention_shape *shape;
    int sequence;
    long length, past, hidden;
} task_place;

static sp_window_start window_of(const task_place *at, const query_block *b, long row) {
    long index = b->start + row;
    return sp_window_start_of(at->shape, at->sequence, at->past + index, index >= at->hidden);
}

/* Leaves out the keys before the window of the first row, and so of all rows, unless keys that are
 * seen stand before them in the panels. */
static void skip_before_window(const task_place *at, query_block *b) {
    sp_window_start start = window_of(at, b, 0);
    long prefix = b->first ? 0 : at->shape->prefix_length;
    long skipped = start.prefix < prefix ? start.prefix : prefix + start.own;
    b->first += skipped;
    b->keys -= skipped;
}

/* The block of at most BLOCK queries from `start` on that all see the prefix, or all do not. */
static query_block block_at(const task_place *at, long start) {
    const sp_attention_shape *s = at->shape;
    long end = start < at->hidden ? at->hidden : at->length;
    query_block b = {.start = start, .rows = end - start < BLOCK ? end - start : BLOCK};
    if (start < at->hidden)
        b.first = s->prefix_length;
    else
        b.keys = s->prefix_length;
    if (!s->prefix_only) {
        b.keys += at->past + (s->causal ? start + b.rows : at->length);
        b.masked = s->causal;
    }
    if (s->window) skip_before_window(at, &b);
    return b;
}

static void fill(float *row, long from, long to, float value) {
    for (long j = from < 0 ? 0 : from; j < to; j++) row[j] = value;
}

/* Sets what belongs to keys before the window in rows [rows, keys] of a block. */
static void fill_before_window(const task_place *at, const query_block *b, float *rows, long ld,
                               float value) {
    long own = at->shape->prefix_length - b->first;
    for (long i = 0; i < b->rows; i++) {
        sp_window_start start = window_of(at, b, i);
        fill(rows + i * ld, 0, start.prefix - b->first, value);
        fill(rows + i * ld, own, own + start.own, value);
    }
}

INLINED long visible_keys(const query_block *b, long row) {
    return b->keys - b->masked * (b->rows - 1 - row);
}

/* c [8, n] (+)= a b, or only 4 rows where m is no more; n a multiple of 16. */
INLINED void multiply_strip(long m, long n, bool add, long depth, const float *a, long a_row,
                            long a_depth, const float *b, long ldb, float *c, long ldc) {
    long j = 0;
    for (; j + TILE_WIDTH <= n; j += TILE_WIDTH)
        if (m > 4)
            multiply_tile(8, 2, add, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc);
        else
            multiply_tile(4, 2, add, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc);
    if (j < n) multiply_tile(8, 1, add, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc);
}

INLINED long strip_rows(long rows, long i) {
    return rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
}

/* scores [rows, keys] = x [rows, width] panel^T, only where some row of a strip of 8 sees a key. */
INLINED void multiply_visible(const query_block *b, const panels *x, const float *rows,
                              const float *panel_t, float *scores) {
    for (long i = 0; i < b->rows; i += TILE_ROWS) {
        long m = strip_rows(b->rows, i), seen = visible_keys(b, i + m - 1);
        multiply_strip(m, round_to_lanes(seen), false, x->width, rows + i * x->width, x->width, 1,
                       panel_t + b->first, x->ld, scores + i * x->ld, x->ld);
    }
}

/* out [rows, width] = weights [rows, keys] panel */
INLINED void weigh_rows(const query_block *b, const panels *x, const float *weights,
                        const float *panel, float *out) {
    for (long i = 0; i < b->rows; i += TILE_ROWS) {
        long m = strip_rows(b->rows, i), seen = visible_keys(b, i + m - 1);
        multiply_strip(m, x->width, false, seen, weights + i * x->ld, x->ld, 1,
                       panel + b->first * x->width, x->width, out + i * x->width, x->width);
    }
}

/* panel [keys, width] += weights [rows, keys]^T rows [rows, width] */
INLINED void add_to_keys(const query_block *b, const panels *x, const float *weights,
                         const float *rows, float *panel) {
    for (long j = 0; j < b->keys; j += TILE_ROWS) {
        long hidden = b->masked ? j - visible_keys(b, 0) + 1 : 0, from = hidden > 0 ? hidden : 0;
        multiply_strip(strip_rows(b->keys, j), x->width, true, b->rows - from,
                       weights + from * x->ld + j, 1, x->ld, rows + from * x->width, x->width,
                       panel + (b->first + j) * x->width, x->width);
    }
}

/* row [n] = exp(row - shift) for the `seen` first, 0 for the rest; returns their sum. */
INLINED float exponentiate(long seen, long n, float shift, float *row) {
    vec sum = {0}, x;
    long whole = seen / LANES * LANES, j = 0;
    for (; j < whole; j += LANES) {
        load(row + j, &x);
        x -= shift;
        exponential(&x);
        sum += x;
        store(row + j, &x);
    }
    if (j < seen) {
        load(row + j, &x);
        x -= shift;
        exponential(&x);
        store(row + j, &x);
        for (long i = seen; i < j + LANES; i++) row[i] = 0;
        load(row + j, &x);
        sum += x;
        j += LANES;
    }
    if (j < n) memset(row + j, 0, (size_t)(n - j) * sizeof *row);
    return sum_of(&sum);
}

INLINED float largest(long n, const float *row) {
    vec m = (vec){0} - INFINITY, x;
    long j = 0;
    for (; j + LANES <= n; j += LANES) {
        load(row + j, &x);
        take_larger(&m, &x);
    }
    float most = largest_of(&m);
    for (; j < n; j++) most = row[j] > most ? row[j] : most;
    return most;
}

/* to [rows, width] = from * scale, and zeros up to a whole tile. */
INLINED void load_rows(long rows, long d, long width, float scale, sp_rows from, float *to) {
    for (long i = 0; i < rows; i++)
        copy_row(d, width, scale, from.data + i * from.ld, to + i * width);
    long end = (rows + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    memset(to + rows * width, 0, (size_t)((end - rows) * width) * sizeof *to);
}

/* ---- forward ---- */

INLINED void forward_block(const task_place *at, const query_block *b, const panels *x, sp_rows q,
                           sp_rows out, float *lse) {
    const sp_attention_shape *s = at->shape;
    long d = s->head_size, n = round_to_lanes(b->keys);
    float sums[BLOCK];
    load_rows(b->rows, d, x->width, 1.0f / sqrtf((float)d), q, x->q);
    multiply_visible(b, x, x->q, x->key_t, x->p);
    if (s->window) fill_before_window(at, b, x->p, x->ld, -INFINITY);
    for (long i = 0; i < b->rows; i++) {
        float *row = x->p + i * x->ld;
        long seen = visible_keys(b, i);
        float shift = largest(seen, row);
        sums[i] = exponentiate(seen, n, shift, row);
        if (lse) lse[i * s->heads] = shift + logf(sums[i]);
    }
    if (s->window) fill_before_window(at, b, x->p, x->ld, 0);
    weigh_rows(b, x, x->p, x->value, x->row);
    for (long i = 0; i < b->rows; i++)
        for (long j = 0; j < d; j++)
            out.data[i * out.ld + j] = x->row[i * x->width + j] * (1.0f / sums[i]);
}

static void clear_rows(long rows, long d, sp_rows x) {
    for (long i = 0; i < rows; i++) memset(x.data + i * x.ld, 0, (size_t)d * sizeof(float));
}

VECTORISED void sp_attention_forward_task(const sp_attention_inputs *in, int sequence, int kv_head,
                                          sp_rows out, float *lse, float *scratch) {
    const sp_attention_shape *s = in->shape;
    long first = s->offsets[sequence], length = s->offsets[sequence + 1] - first;
    long past = in->keys[sequence].length - length, d = s->head_size;
    task_place at = {s, sequence, length, past, sp_hidden_queries(s, sequence, past, length)};
    int group = s->heads / s->kv_heads;
    panels x = lay_out(s, in->keys[sequence].length, false, scratch);
    pack_keys(in, sequence, kv_head, &x);
    for (int head = kv_head * group; head < (kv_head + 1) * group; head++) {
        query_block b;
        for (long start = 0; start < length; start += b.rows) {
            b = block_at(&at, start);
            sp_rows block_out = sp_rows_at(out, first + start, head * d);
            if (b.keys == 0)
                clear_rows(b.rows, d, block_out);
            else
                forward_block(&at, &b, &x, sp_rows_at(in->q, first + start, head * d), block_out,
                              lse ? lse + (first + start) * s->heads + head : NULL);
        }
    }
}

/* ---- backward ---- */

/* p = exp(scores - lse), 0 where a key is not seen. */
INLINED void recompute_probabilities(const task_place *at, const query_block *b, const panels *x,
                                     const float *lse) {
    const sp_attention_shape *s = at->shape;
    long n = round_to_lanes(b->keys);
    multiply_visible(b, x, x->q, x->key_t, x->p);
    for (long i = 0; i < b->rows; i++)
        exponentiate(visible_keys(b, i), n, lse[i * s->heads], x->p + i * x->ld);
    if (s->window) fill_before_window(at, b, x->p, x->ld, 0);
}

/* The sum of p * dp: dout . out without the output, since out = p V. */
INLINED float weighted_sum(long n, const float *p, const float *dp) {
    vec sum = {0}, a, b;
    for (long j = 0; j < n; j += LANES) {
        load(p + j, &a);
        load(dp + j, &b);
        sum += a * b;
    }
    return sum_of(&sum);
}

/* ds = p * (dp - the sum of p * dp) with dp = dout V^T */
INLINED void compute_dscores(const query_block *b, const panels *x) {
    long n = round_to_lanes(b->keys);
    multiply_visible(b, x, x->dout, x->value_t, x->ds);
    for (long i = 0; i < b->rows; i++) {
        long seen = round_to_lanes(visible_keys(b, i));
        const float *p = x->p + i * x->ld;
        float *ds = x->ds + i * x->ld, delta = weighted_sum(seen, p, ds);
        for (long j = 0; j < seen; j += LANES) {
            vec a, y;
            load(p + j, &a);
            load(ds + j, &y);
            y = a * (y - delta);
            store(ds + j, &y);
        }
        memset(ds + seen, 0, (size_t)(n - seen) * sizeof *ds);
    }
}

INLINED void add_rows(long rows, long d, float scale, const float *from, long from_ld,
                      sp_rows target) {
    if (!target.data) return;
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < d; j++)
            target.data[i * target.ld + j] += scale * from[i * from_ld + j];
}

/* Gradients of one block, into the panels and dq. The queries are scaled, so dkey is right as it
 * is and dq wants the scale. */
INLINED void backward_block(const task_place *at, const query_block *b, const panels *x, sp_rows q,
                            sp_rows dout, const float *lse, const sp_attention_grads *g) {
    long d = at->shape->head_size;
    float scale = 1.0f / sqrtf((float)d);
    load_rows(b->rows, d, x->width, scale, q, x->q);
    load_rows(b->rows, d, x->width, 1.0f, dout, x->dout);
    recompute_probabilities(at, b, x, lse);
    if (g->v.data || g->prefix_value.data) add_to_keys(b, x, x->p, x->dout, x->dvalue);
    if (!g->q.data && !g->k.data && !g->prefix_key.data) return;
    compute_dscores(b, x);
    if (g->k.data || g->prefix_key.data) add_to_keys(b, x, x->ds, x->q, x->dkey);
    if (!g->q.data) return;
    weigh_rows(b, x, x->ds, x->key, x->row);
    add_rows(b->rows, d, scale, x->row, x->width, g->q);
}

/* The panel [prefix + own rows, width] to where its parts belong. */
INLINED void add_panel(const sp_attention_shape *s, const panels *x, const float *panel,
                       long own_rows, sp_rows prefix, sp_rows own) {
    add_rows(s->prefix_length, s->head_size, 1.0f, panel, x->width, prefix);
    add_rows(own_rows, s->head_size, 1.0f, panel + s->prefix_length * x->width, x->width, own);
}

VECTORISED void sp_attention_backward_task(const sp_attention_inputs *in, int sequence, int kv_head,
                                           sp_rows dout, const float *lse,
                                           const sp_attention_grads *g, float *scratch) {
    const sp_attention_shape *s = in->shape;
    long first = s->offsets[sequence], length = s->offsets[sequence + 1] - first;
    long d = s->head_size, kv = kv_head * d;
    task_place at = {s, sequence, length, 0, sp_hidden_queries(s, sequence, 0, length)};
    int group = s->heads / s->kv_heads;
    panels x = lay_out(s, length, true, scratch);
    pack_keys(in, sequence, kv_head, &x);
    memset(x.dkey, 0, (size_t)(x.ld * x.width) * sizeof *x.dkey);
    memset(x.dvalue, 0, (size_t)(x.ld * x.width) * sizeof *x.dvalue);
    for (int head = kv_head * group; head < (kv_head + 1) * group; head++) {
        query_block b;
        for (long start = 0; start < length; start += b.rows) {
            long row = first + start;
            b = block_at(&at, start);
            if (b.keys == 0) continue;
            sp_attention_grads here = *g;
            here.q = sp_rows_at(g->q, row, head * d);
            backward_block(&at, &b, &x, sp_rows_at(in->q, row, head * d),
                           sp_rows_at(dout, row, head * d), lse + row * s->heads + head, &here);
        }
    }
    long own = s->prefix_only ? 0 : length;
    add_panel(s, &x, x.dkey, own, g->prefix_key, sp_rows_at(g->k, first, kv));
    add_panel(s, &x, x.dvalue, own, g->prefix_value, sp_rows_at(g->v, first, kv));
}
