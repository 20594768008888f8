/* Attention over packed sequences with an optional key/value prefix (Prefix-Tuning, Li & Liang
 * 2021, eq. 3; P-tuning v2, Liu et al. 2021, section 3.2).
 *
 *   out[t, h] = softmax(q[t, h] . [Kp; K[s(t)]] / sqrt(head_size)) [Vp; V[s(t)]]
 *
 * Sequence s has query rows offsets[s] .. offsets[s+1]. Its keys are `past[s]` rows of the cache,
 * then its own rows; with `causal`, query i sees its own keys 0..i and everything before. The
 * prefix is read in place, shared by the batch; with `prefix_from` the first queries of a sequence
 * do not see it, which makes it an infix (Prefix-Tuning, section 7.3). With `window` a query sees
 * the last `window` keys only, itself included, of prefix and tokens in the order in which they
 * stand: a prefix leaves the window like any other key. Only one block of query rows
 * times keys exists at a time, and of it only what the mask leaves; the backward pass recomputes it
 * from one log-sum-exp per (token, head). A task is a sequence and a key/value head with all query
 * heads that share it; no sum depends on which thread takes it. */
#ifndef SP_TENSOR_ATTENTION_H
#define SP_TENSOR_ATTENTION_H

#include "core/memory.h"

#include <stdbool.h>

/* Rows of [rows, heads * head_size] with a leading dimension; data may be NULL for "none". */
typedef struct sp_rows {
    float *data;
    long ld;
} sp_rows;

typedef struct sp_attention_shape {
    int heads, kv_heads, head_size; /* kv_heads divides heads */
    int sequences;
    const int *offsets; /* [sequences + 1] into the rows of q */
    bool causal;
    long prefix_length;
    const int *prefix_from; /* [sequences] index within the sequence, past included, of the first
                             * query that sees the prefix; NULL: all see it */
    bool prefix_only;       /* queries see nothing but the prefix (0 for those that do not see it
                             * either); keys and values are then not read and get no gradient */
    long window;            /* only with `causal`: how many keys a query sees, at most 2^30; 0: all.
                             * Does not bind with `prefix_only`. */
} sp_attention_shape;

/* Where the keys and values of sequence s lie, its own rows included: `length` rows. Without a
 * cache these are the rows of k and v in the batch itself. */
typedef struct sp_keys {
    const float *key, *value;
    long length;
    const int *rows; /* [length] which row of key and value holds token i; NULL: rows 0, 1, ... */
} sp_keys;

/* out [tokens, heads * head_size]; lse [tokens, heads] or NULL. keys [sequences], rows with the
 * leading dimension keys_ld. Scratch comes from `scratch`. */
void sp_attention_forward(const sp_attention_shape *shape, sp_rows q, const sp_keys *keys,
                          long keys_ld, sp_rows prefix_key, sp_rows prefix_value, sp_rows out,
                          float *lse, sp_arena *scratch);

/* Gradients, added; a NULL data pointer means "not needed". k, v: the batch's own rows (training
 * has no cache). The prefix gradients are summed over the sequences in their order. */
typedef struct sp_attention_grads {
    sp_rows q, k, v, prefix_key, prefix_value;
} sp_attention_grads;
void sp_attention_backward(const sp_attention_shape *shape, sp_rows q, sp_rows k, sp_rows v,
                           sp_rows prefix_key, sp_rows prefix_value, sp_rows dout, const float *lse,
                           const sp_attention_grads *grads, sp_arena *scratch);

#endif
