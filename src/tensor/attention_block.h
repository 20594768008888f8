/* The inner part of attention: one sequence and one key/value head at a time, with every query head
 * that shares it. attention.c chooses the tasks; here they are worked off by one thread. */
#ifndef SP_TENSOR_ATTENTION_BLOCK_H
#define SP_TENSOR_ATTENTION_BLOCK_H

#include "tensor/attention.h"

/* One call of attention. */
typedef struct sp_attention_inputs {
    const sp_attention_shape *shape;
    sp_rows q, prefix_key, prefix_value;
    const sp_keys *keys; /* [sequences] */
    long keys_ld;
} sp_attention_inputs;

/* Floats of scratch that a task needs where a sequence has at most `longest` keys of its own. */
size_t sp_attention_forward_scratch(const sp_attention_shape *shape, long longest);
size_t sp_attention_backward_scratch(const sp_attention_shape *shape, long longest);

/* Blocks of query rows; lse may be NULL. */
void sp_attention_forward_task(const sp_attention_inputs *in, int sequence, int kv_head,
                               sp_rows out, float *lse, float *scratch);
/* The same for head sizes that are multiples of 16, without packing: for few query rows. */
void sp_attention_direct_task(const sp_attention_inputs *in, int sequence, int kv_head, sp_rows out,
                              float *lse, float *scratch);
/* `grads`: prefix gradients are this task's own [prefix_length, head_size]. */
void sp_attention_backward_task(const sp_attention_inputs *in, int sequence, int kv_head,
                                sp_rows dout, const float *lse, const sp_attention_grads *grads,
                                float *scratch);

/* ---- geometry, shared by the tasks ---- */

static inline sp_rows sp_rows_at(sp_rows r, long row, long column) {
    return r.data ? (sp_rows){r.data + row * r.ld + column, r.ld} : r;
}

/* How many of a sequence's `length` own first queries do not see the prefix. */
static inline long sp_hidden_queries(const sp_attention_shape *s, int sequence, long past,
                                     long length) {
    long hidden = s->prefix_from && s->prefix_length ? s->prefix_from[sequence] - past : 0;
    return hidden < 0 ? 0 : hidden < length ? hidden : length;
}

#endif
