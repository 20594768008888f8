#include "model/cache.h"

#include <stdlib.h>
#include <string.h>

void sp_cache_init(sp_cache *c, int layers, int slots, int capacity, long width) {
    *c = (sp_cache){.layers = layers, .capacity = capacity, .width = width};
    c->length = sp_alloc((size_t)slots, sizeof(int));
    c->prefix_from = sp_alloc((size_t)slots, sizeof(int));
    c->rows = sp_alloc((size_t)slots * (size_t)capacity, sizeof(int));
    c->key = sp_alloc((size_t)layers, sizeof *c->key);
    c->value = sp_alloc((size_t)layers, sizeof *c->value);
}

void sp_cache_free(sp_cache *c) {
    for (int i = 0; i < c->layers; i++) {
        free(c->key[i]);
        free(c->value[i]);
    }
    free(c->length);
    free(c->prefix_from);
    free(c->rows);
    free(c->key);
    free(c->value);
    free(c->users);
    sp_ints_free(&c->unused);
    sp_arena_free(&c->lists);
    *c = (sp_cache){0};
}

static int *slot_rows(const sp_cache *c, int slot) {
    return c->rows + (size_t)slot * (size_t)c->capacity;
}

/* ---- the pool ---- */

static void grow_rows(const sp_cache *c, float **pool, int rows) {
    size_t width = (size_t)c->width;
    float *grown = sp_alloc_floats((size_t)rows * width);
    if (*pool) memcpy(grown, *pool, (size_t)c->pool_rows * width * sizeof(float));
    free(*pool);
    *pool = grown;
}

/* By half of what there is, so that the passes that must copy are few. */
static void grow_pool(sp_cache *c, int wanted) {
    int rows = c->pool_rows + c->pool_rows / 2;
    if (rows < wanted) rows = wanted;
    for (int i = 0; i < c->layers; i++) {
        grow_rows(c, &c->key[i], rows);
        grow_rows(c, &c->value[i], rows);
    }
    c->users = sp_realloc(c->users, (size_t)rows, sizeof(int));
    int added = rows - c->pool_rows;
    for (int i = 0; i < added; i++) {
        c->users[c->pool_rows + i] = 0;
        sp_ints_push(&c->unused, rows - 1 - i);
    }
    c->pool_rows = rows;
}

static int take_row(sp_cache *c) {
    int row = c->unused.data[--c->unused.len];
    c->users[row] = 1;
    return row;
}

static void leave_rows(sp_cache *c, const int *rows, int count) {
    for (int i = count - 1; i >= 0; i--)
        if (--c->users[rows[i]] == 0) sp_ints_push(&c->unused, rows[i]);
}

void sp_cache_extend(const sp_context *ctx) {
    sp_cache *c = ctx->cache;
    int tokens = ctx->offsets[ctx->sequences], unused = (int)c->unused.len;
    if (tokens > unused) grow_pool(c, c->pool_rows + tokens - unused);
    for (int i = 0; i < ctx->sequences; i++) {
        int slot = ctx->slots[i], count = ctx->offsets[i + 1] - ctx->offsets[i];
        int *rows = slot_rows(c, slot) + c->length[slot];
        for (int k = 0; k < count; k++) rows[k] = take_row(c);
        c->length[slot] += count;
    }
}

const float *sp_cache_key(const sp_cache *c, int layer, int slot, int token) {
    return c->key[layer] + slot_rows(c, slot)[token] * c->width;
}

const float *sp_cache_value(const sp_cache *c, int layer, int slot, int token) {
    return c->value[layer] + slot_rows(c, slot)[token] * c->width;
}

/* ---- attention ---- */

static int tokens_of(const sp_context *ctx, int sequence) {
    return ctx->offsets[sequence + 1] - ctx->offsets[sequence];
}

/* The rows of new, the batch's keys or values, into the pool of a layer. */
static void store_rows(const sp_context *ctx, float *pool, const sp_var *new) {
    const sp_cache *c = ctx->cache;
    const float *from = new->data;
    for (int i = 0; i < ctx->sequences; i++) {
        int slot = ctx->slots[i], count = tokens_of(ctx, i);
        const int *rows = slot_rows(c, slot) + c->length[slot] - count;
        for (int k = 0; k < count; k++, from += new->ld)
            memcpy(pool + rows[k] * c->width, from, (size_t)c->width * sizeof(float));
    }
}

/* The leading sequences of the batch that have no past. */
static int count_fresh(const sp_context *ctx) {
    int n = 0;
    while (n < ctx->sequences && ctx->cache->length[ctx->slots[n]] == tokens_of(ctx, n)) n++;
    return n;
}

/* Sequences first .. first + count of the shape, whose query rows stay where they are. */
static sp_attention_shape part_of(const sp_attention_shape *shape, int first, int count) {
    sp_attention_shape part = *shape;
    part.sequences = count;
    part.offsets += first;
    if (part.prefix_from) part.prefix_from += first;
    return part;
}

/* Where the keys and values of the sequences from `first` on lie in the pools of the layer. */
static sp_keys *keys_in_cache(sp_tape *t, const sp_context *ctx, int layer, int first) {
    const sp_cache *c = ctx->cache;
    int count = ctx->sequences - first;
    sp_keys *keys = sp_arena_alloc(&t->arena, (size_t)count * sizeof *keys);
    for (int i = 0; i < count; i++) {
        int slot = ctx->slots[first + i];
        keys[i] = (sp_keys){.key = c->key[layer],
                            .value = c->value[layer],
                            .length = c->length[slot],
                            .rows = slot_rows(c, slot)};
    }
    return keys;
}

/* Sequences without a past read the batch's own keys in place, the others those of the pool. */
static sp_var *attend_to_cache(sp_tape *t, const sp_context *ctx, int layer,
                               const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v,
                               sp_kv prefix) {
    sp_cache *c = ctx->cache;
    store_rows(ctx, c->key[layer], k);
    store_rows(ctx, c->value[layer], v);
    int fresh = count_fresh(ctx), later = ctx->sequences - fresh;
    sp_attention_shape first = part_of(shape, 0, fresh), rest = part_of(shape, fresh, later);
    if (later == 0) return sp_attention(t, shape, q, k, v, prefix);
    const sp_keys *keys = keys_in_cache(t, ctx, layer, fresh);
    sp_var *out = sp_attention_cached(t, &rest, q, keys, c->width, prefix);
    if (fresh == 0) return out;
    const sp_var *of_first = sp_attention(t, &first, q, k, v, prefix);
    size_t floats = (size_t)ctx->offsets[fresh] * (size_t)out->cols;
    memcpy(out->data, of_first->data, floats * sizeof(float));
    return out;
}

sp_var *sp_context_attention(sp_tape *t, const sp_context *ctx, int layer,
                             const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v) {
    const sp_kv *prefixes = ctx->steering ? ctx->steering->prefix : NULL;
    sp_kv prefix = prefixes ? prefixes[layer] : (sp_kv){0};
    return ctx->cache ? attend_to_cache(t, ctx, layer, shape, q, k, v, prefix)
                      : sp_attention(t, shape, q, k, v, prefix);
}

/* ---- beams ---- */

/* values [count] become values[source[i]]. */
static void permute_ints(sp_arena *lists, int *values, int count, const int *source) {
    int *picked = sp_arena_alloc(lists, (size_t)count * sizeof(int));
    for (int i = 0; i < count; i++) picked[i] = values[source[i]];
    memcpy(values, picked, (size_t)count * sizeof(int));
}

/* A copy of what a slot lists, with one more user for each row. */
static int *share_rows(sp_cache *c, int slot) {
    size_t bytes = (size_t)c->length[slot] * sizeof(int);
    int *rows = memcpy(sp_arena_alloc(&c->lists, bytes), slot_rows(c, slot), bytes);
    for (int i = 0; i < c->length[slot]; i++) c->users[rows[i]]++;
    return rows;
}

/* All new lists are made before an old one is left, since a source may be overwritten. */
void sp_cache_reorder(sp_cache *c, int first, int count, const int *source) {
    int **shared = sp_arena_alloc(&c->lists, (size_t)count * sizeof *shared);
    for (int i = 0; i < count; i++)
        shared[i] = source[i] == i ? NULL : share_rows(c, first + source[i]);
    for (int i = 0; i < count; i++)
        if (shared[i]) leave_rows(c, slot_rows(c, first + i), c->length[first + i]);
    permute_ints(&c->lists, c->length + first, count, source);
    permute_ints(&c->lists, c->prefix_from + first, count, source);
    for (int i = 0; i < count; i++)
        if (shared[i])
            memcpy(slot_rows(c, first + i), shared[i], (size_t)c->length[first + i] * sizeof(int));
    sp_arena_reset(&c->lists);
}

void sp_cache_release(sp_cache *c, int first, int count) {
    for (int slot = first; slot < first + count; slot++) {
        leave_rows(c, slot_rows(c, slot), c->length[slot]);
        c->length[slot] = 0;
    }
}
