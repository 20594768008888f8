/* The keys and values of sequences being generated: one slot a sequence. */
#ifndef SP_MODEL_CACHE_H
#define SP_MODEL_CACHE_H

#include "model/model.h"

typedef struct sp_cache {
    int layers, slots, capacity; /* capacity: tokens a slot can hold */
    long width;                  /* kv_heads * head_size */
    int *length;                 /* [slots] tokens held */
    int *prefix_from;            /* [slots] index of the first token that sees the prefix */
    float *key, *value;          /* [layers, slots, capacity, width] */
    sp_arena scratch;            /* of sp_cache_reorder */
} sp_cache;

void sp_cache_init(sp_cache *cache, int layers, int slots, int capacity, long width);
void sp_cache_free(sp_cache *cache);

/* Attention of a layer in whichever form the context asks for: over the batch (training) or over
 * the cache, to which the new keys and values are appended first. After the last layer of a
 * forward pass call sp_cache_advance. */
sp_var *sp_context_attention(sp_tape *t, const sp_context *ctx, int layer,
                             const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v);
/* Adds the tokens of this forward pass to the slots' lengths. */
void sp_cache_advance(const sp_context *ctx);

/* Makes slot first + i hold what slot first + source[i] held, for i in [0, count): the beams of one
 * sequence. Only slots that change are copied. */
void sp_cache_reorder(sp_cache *cache, int first, int count, const int *source);

#endif
