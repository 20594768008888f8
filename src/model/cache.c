#include "model/cache.h"

#include <stdlib.h>
#include <string.h>

void sp_cache_init(sp_cache *c, int layers, int slots, int capacity, long width) {
    size_t floats = (size_t)layers * (size_t)slots * (size_t)capacity * (size_t)width;
    *c = (sp_cache){.layers = layers, .slots = slots, .capacity = capacity, .width = width};
    c->length = sp_alloc((size_t)slots, sizeof(int));
    c->prefix_from = sp_alloc((size_t)slots, sizeof(int));
    c->key = sp_alloc_floats(floats);
    c->value = sp_alloc_floats(floats);
}

void sp_cache_free(sp_cache *c) {
    free(c->length);
    free(c->prefix_from);
    free(c->key);
    free(c->value);
    sp_arena_free(&c->scratch);
    *c = (sp_cache){0};
}

static size_t row_offset(const sp_cache *c, int layer, int slot, int token) {
    size_t slots_before = (size_t)layer * (size_t)c->slots + (size_t)slot;
    return (slots_before * (size_t)c->capacity + (size_t)token) * (size_t)c->width;
}

static void append_rows(sp_cache *c, int layer, int slot, const sp_var *k, const sp_var *v,
                        int first, int count) {
    size_t target = row_offset(c, layer, slot, c->length[slot]);
    for (int i = 0; i < count; i++, target += (size_t)c->width) {
        memcpy(c->key + target, k->data + (first + i) * k->ld, (size_t)c->width * sizeof(float));
        memcpy(c->value + target, v->data + (first + i) * v->ld, (size_t)c->width * sizeof(float));
    }
}

static sp_var *attend_to_cache(sp_tape *t, const sp_context *ctx, int layer,
                               const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v,
                               sp_kv prefix) {
    sp_cache *c = ctx->cache;
    sp_keys *keys = sp_arena_alloc(&t->arena, (size_t)ctx->sequences * sizeof *keys);
    for (int i = 0; i < ctx->sequences; i++) {
        int slot = ctx->slots[i], count = ctx->offsets[i + 1] - ctx->offsets[i];
        append_rows(c, layer, slot, k, v, ctx->offsets[i], count);
        size_t first = row_offset(c, layer, slot, 0);
        keys[i] = (sp_keys){
            .key = c->key + first, .value = c->value + first, .length = c->length[slot] + count};
    }
    return sp_attention_cached(t, shape, q, keys, c->width, prefix);
}

sp_var *sp_context_attention(sp_tape *t, const sp_context *ctx, int layer,
                             const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v) {
    const sp_kv *prefixes = ctx->steering ? ctx->steering->prefix : NULL;
    sp_kv prefix = prefixes ? prefixes[layer] : (sp_kv){0};
    return ctx->cache ? attend_to_cache(t, ctx, layer, shape, q, k, v, prefix)
                      : sp_attention(t, shape, q, k, v, prefix);
}

void sp_cache_advance(const sp_context *ctx) {
    for (int i = 0; i < ctx->sequences; i++)
        ctx->cache->length[ctx->slots[i]] += ctx->offsets[i + 1] - ctx->offsets[i];
}

/* Gathers each layer's rows through a temporary, since sources may overwrite one another. */
static void permute_rows(const sp_cache *c, float *rows, int layer, int first, int count,
                         const int *source, float *temporary) {
    size_t slot_floats = (size_t)c->capacity * (size_t)c->width;
    for (int i = 0; i < count; i++) {
        size_t used = (size_t)c->length[first + source[i]] * (size_t)c->width;
        if (source[i] != i)
            memcpy(temporary + (size_t)i * slot_floats,
                   rows + row_offset(c, layer, first + source[i], 0), used * sizeof(float));
    }
    for (int i = 0; i < count; i++) {
        size_t used = (size_t)c->length[first + source[i]] * (size_t)c->width;
        if (source[i] != i)
            memcpy(rows + row_offset(c, layer, first + i, 0), temporary + (size_t)i * slot_floats,
                   used * sizeof(float));
    }
}

/* values [count] become values[source[i]]. */
static void permute_ints(sp_arena *scratch, int *values, int count, const int *source) {
    int *picked = sp_arena_alloc(scratch, (size_t)count * sizeof(int));
    for (int i = 0; i < count; i++) picked[i] = values[source[i]];
    memcpy(values, picked, (size_t)count * sizeof(int));
}

void sp_cache_reorder(sp_cache *c, int first, int count, const int *source) {
    size_t slot_floats = (size_t)c->capacity * (size_t)c->width;
    float *temporary = sp_arena_alloc(&c->scratch, (size_t)count * slot_floats * sizeof(float));
    for (int layer = 0; layer < c->layers; layer++) {
        permute_rows(c, c->key, layer, first, count, source, temporary);
        permute_rows(c, c->value, layer, first, count, source, temporary);
    }
    permute_ints(&c->scratch, c->length + first, count, source);
    permute_ints(&c->scratch, c->prefix_from + first, count, source);
    sp_arena_reset(&c->scratch);
}
