/* The ops. Each returns a new variable on the tape; inputs stay the caller's. Shapes in the first
 * line of each comment. An input gets its gradient only if it needs one. */
#ifndef SP_AUTOGRAD_OPS_H
#define SP_AUTOGRAD_OPS_H

#include "autograd/tape.h"
#include "tensor/attention.h"

/* ---- linear.c ---- */

/* A linear map with weights as the checkpoint stores them. */
typedef struct sp_linear_map {
    sp_var *weight; /* [in, out] (GPT-2's Conv1D), or [out, in] if transposed (torch Linear) */
    sp_var *bias;   /* [1, out] or NULL */
    bool transposed;
} sp_linear_map;

/* x [n, in] -> x W + b [n, out] */
sp_var *sp_linear(sp_tape *t, sp_var *x, const sp_linear_map *map);

/* ---- norm.c ---- */

typedef struct sp_norm {
    sp_var *weight, *bias; /* [1, d] */
    float epsilon;
} sp_norm;

/* x [n, d] -> [n, d], each row normalised (Ba et al. 2016) */
sp_var *sp_layer_norm(sp_tape *t, sp_var *x, const sp_norm *norm);

/* ---- activation.c ---- */

sp_var *sp_gelu(sp_tape *t, sp_var *x); /* [n, d] -> [n, d], tanh approximation ("gelu_new") */
sp_var *sp_tanh(sp_tape *t, sp_var *x); /* [n, d] -> [n, d] */
sp_var *sp_relu(sp_tape *t, sp_var *x); /* [n, d] -> [n, d] */

/* ---- shape.c ---- */

sp_var *sp_add(sp_tape *t, sp_var *a, sp_var *b); /* [n, d] + [n, d] */
/* Columns first .. first + count of x, as a view: no copy, gradients land in x. */
sp_var *sp_slice_columns(sp_tape *t, sp_var *x, long first, long count);
/* [n, a], [n, b] -> [n, a + b] */
sp_var *sp_concat_columns(sp_tape *t, sp_var *a, sp_var *b);
/* Rows index[0..count) of x [n, d] -> [count, d]; index is copied; repeated rows are fine. */
sp_var *sp_gather_rows(sp_tape *t, sp_var *x, const int *index, long count);

/* ---- embed.c ---- */

/* table [vocabulary, d], virtual [n, d] or NULL, ids [count] -> [count, d].
 * id >= 0 takes that row of the table; id = -1 - i takes row i of `virtual`: this is how a soft
 * prompt stands among the token embeddings (Prompt Tuning, section 2; P-tuning, section 3). */
sp_var *sp_embed(sp_tape *t, sp_var *table, sp_var *virtual_rows, const int *ids, long count);

/* ---- attention.c ---- */

/* A key/value prefix for one layer; key = NULL for none. Rows [length, kv_heads * head_size]. */
typedef struct sp_kv {
    sp_var *key, *value;
} sp_kv;

/* q [tokens, heads * head_size], k, v [tokens, kv_heads * head_size] -> like q.
 * Training form: every sequence attends to the prefix and to itself (tensor/attention.h). */
sp_var *sp_attention(sp_tape *t, const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v,
                     sp_kv prefix);
/* Inference form: keys [sequences] point into a cache with leading dimension keys_ld. */
sp_var *sp_attention_cached(sp_tape *t, const sp_attention_shape *shape, sp_var *q,
                            const sp_keys *keys, long keys_ld, sp_kv prefix);

/* ---- loss.c ---- */

/* Language-model head and cross-entropy, only on rows that have a target.
 * hidden [n, d], head [vocabulary, d], targets [n] (-1: none) -> [1, 1], the mean over the targets
 * of -log softmax(hidden head^T)[target]. Works in chunks of rows: no [n, vocabulary] matrix is
 * kept; the gradient is made in the same pass. `log_probabilities` (NULL or [n]) receives the
 * targets' log-probabilities, 0 where there is none. At least one target. */
sp_var *sp_lm_loss(sp_tape *t, sp_var *hidden, sp_var *head, const int *targets,
                   float *log_probabilities);

/* ---- lstm.c ---- */

/* The recurrence of one LSTM direction over n time steps (Hochreiter & Schmidhuber 1997; PyTorch's
 * gate order). gates [n, 4h] = W_ih x + b_ih, w_hh [4h, h], b_hh [1, 4h] -> hidden states [n, h];
 * `reverse` runs from the last step to the first. */
sp_var *sp_lstm(sp_tape *t, sp_var *gates, sp_var *w_hh, sp_var *b_hh, bool reverse);

#endif
