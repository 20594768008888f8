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

/* The keys before these are outside the window of a query. */
typedef struct sp_window_start {
    long prefix, own; /* index of the first prefix row and of the first own row that is seen */
} sp_window_start;

/* For query `index` of a sequence (past included), which sees the prefix or not. A prefix stands
 * before own row `from`: row p of it is place from + p of the whole, own row j from `from` on place
 * prefix_length + j. */
static inline sp_window_start sp_window_start_of(const sp_attention_shape *s, int sequence,
                                                 long index, bool sees_prefix) {
    if (s->window == 0 || s->prefix_only) return (sp_window_start){0, 0};
    long prefix = sees_prefix ? s->prefix_length : 0, first = prefix + index + 1 - s->window;
    long from = prefix && s->prefix_from ? s->prefix_from[sequence] : 0;
    if (first < 0) first = 0;
    if (first <= from) return (sp_window_start){0, first};
    if (first <= from + prefix) return (sp_window_start){first - from, from};
    return (sp_window_start){prefix, first - prefix};
}

#endif
