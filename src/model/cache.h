/* The keys and values of sequences being generated. A layer's rows lie in one pool; a slot is a
 * sequence's list of row numbers. Beams share the rows of what they have in common, and reordering
 * them copies row numbers only. A row that no slot lists any more is used again. */
#ifndef SP_MODEL_CACHE_H
#define SP_MODEL_CACHE_H

#include "model/model.h"

typedef struct sp_cache {
    int layers, capacity; /* capacity: tokens a slot can hold */
    long width;           /* kv_heads * head_size */
    int *length;          /* [slots] tokens held, those of the pass at work included */
    int *prefix_from;     /* [slots] index of the first token that sees the prefix */
    int *rows;            /* [slots, capacity] the row of each token, in every layer */
    float **key, **value; /* [layers] pools [pool_rows, width] */
    int pool_rows;
    int *users;     /* [pool_rows] slots that list the row */
    sp_ints unused; /* rows without a user, the next one last */
    sp_arena lists; /* of sp_cache_reorder */
} sp_cache;

void sp_cache_init(sp_cache *cache, int layers, int slots, int capacity, long width);
void sp_cache_free(sp_cache *cache);

/* Before a forward pass: makes room for its tokens in the slots of ctx->cache. */
void sp_cache_extend(const sp_context *ctx);

/* Attention of a layer in whichever form the context asks for: over the batch (training) or over
 * the cache, to which the new keys and values are appended first. */
sp_var *sp_context_attention(sp_tape *t, const sp_context *ctx, int layer,
                             const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v);

/* Makes slot first + i hold what slot first + source[i] held, for i in [0, count): the beams of one
 * sequence. */
void sp_cache_reorder(sp_cache *cache, int first, int count, const int *source);
/* Empties slots first .. first + count. */
void sp_cache_release(sp_cache *cache, int first, int count);

/* The key or value [width] of a token that a slot holds; valid until the next sp_cache_extend. */
const float *sp_cache_key(const sp_cache *cache, int layer, int slot, int token);
const float *sp_cache_value(const sp_cache *cache, int layer, int slot, int token);

#endif
