/* The ops. Each returns a new variable on the tape; inputs stay the caller's. Shapes in the first
 * line of each comment. An input gets its gradient only if it needs one. A matrix kept in bf16 may
 * be the weight of a linear map, a table of embeddings, the head of the loss, and what rows are
 * gathered or columns are sliced from. */
#ifndef SP_AUTOGRAD_OPS_H
#define SP_AUTOGRAD_OPS_H

#include "autograd/tape.h"
#include "tensor/attention.h"

/* ---- linear.c ---- */

/* A linear map with weights as the checkpoint stores them; a frozen one may be kept in bf16. */
typedef struct sp_linear_map {
    sp_var *weight; /* [in, out] (GPT-2's Conv1D), or [out, in] if transposed (torch Linear) */
    sp_var *bias;   /* [1, out] or NULL */
    bool transposed;
} sp_linear_map;

/* x [n, in] -> x W + b [n, out] */
sp_var *sp_linear(sp_tape *t, sp_var *x, const sp_linear_map *map);
/* The same plus residual [n, out], in one pass over the output; residual NULL: sp_linear. */
sp_var *sp_linear_add(sp_tape *t, sp_var *x, const sp_linear_map *map, sp_var *residual);

/* ---- low_rank.c ---- */

/* x [n, in], down [rank, in], diagonal [rank, 1] or NULL (ones), up [out, rank]
 * -> scale * ((x down^T) * diagonal) up^T [n, out]: what LoRA (Hu et al. 2021, eq. 3) and AdaLoRA
 * (Zhang et al. 2023, eq. 3) add to x W. */
sp_var *sp_linear_low_rank(sp_tape *t, sp_var *x, sp_var *down, sp_var *diagonal, sp_var *up,
                           float scale);

/* ---- orthogonality.c ---- */

/* m [r, n] -> weight * ||m m^T - I|| [1, 1], the Frobenius norm: 0 if the rows are orthonormal.
 * `columns`: m [n, r], of its columns. */
sp_var *sp_orthogonality(sp_tape *t, sp_var *m, bool columns, float weight);

/* ---- norm.c ---- */

typedef struct sp_norm {
    sp_var *weight, *bias; /* [1, d]; sp_rms_norm has no bias */
    float epsilon;
} sp_norm;

/* x [n, d] -> [n, d], each row normalised (Ba et al. 2016) */
sp_var *sp_layer_norm(sp_tape *t, sp_var *x, const sp_norm *norm);

/* ---- rms_norm.c ---- */

/* x [n, d] -> x / sqrt(mean(x^2) + epsilon) * weight [n, d] (Zhang & Sennrich 2019, eq. 4) */
sp_var *sp_rms_norm(sp_tape *t, sp_var *x, const sp_norm *norm);

/* ---- swiglu.c ---- */

/* gate, up [n, d] -> silu(gate) * up [n, d] (Shazeer 2020, eq. 6) */
sp_var *sp_swiglu(sp_tape *t, sp_var *gate, sp_var *up);

/* ---- rope.c ---- */

/* Rotary positions: pair i of a head turns by the angle position / periods[i]. */
typedef struct sp_rotations {
    int head_size;
    const double *periods; /* [head_size / 2] */
    double scale;          /* factor of every cosine and sine; 1 but for YaRN */
    const float *table;    /* [tabled, head_size] sp_rotations_row of positions 0, 1, ... */
    long tabled;           /* rows of later positions are computed when they are needed */
} sp_rotations;

/* row [head_size] = the head_size / 2 cosines of a position, then its sines. */
void sp_rotations_row(const sp_rotations *rotations, long position, float *row);

/* x [tokens, heads * head_size] -> the same shape: pair (i, i + head_size / 2) of every head turned
 * by its position's angle (Su et al. 2021, section 3.4.2; Hugging Face's half-split layout).
 * positions [tokens], 0 or more, are copied; the rotations must outlive the backward pass. */
sp_var *sp_rope(sp_tape *t, sp_var *x, const int *positions, const sp_rotations *rotations);

/* ---- activation.c ---- */

sp_var *sp_gelu(sp_tape *t, sp_var *x); /* [n, d] -> [n, d], tanh approximation ("gelu_new") */
sp_var *sp_tanh(sp_tape *t, sp_var *x); /* [n, d] -> [n, d] */
sp_var *sp_relu(sp_tape *t, sp_var *x); /* [n, d] -> [n, d] */

/* Which one stands between a model's two maps: by Hugging Face's names "gelu_new", "gelu" (exact,
 * with the error function), "relu". */
typedef enum sp_activation { SP_GELU_NEW, SP_GELU_EXACT, SP_RELU } sp_activation;
sp_var *sp_activate(sp_tape *t, sp_activation kind, sp_var *x); /* [n, d] -> [n, d] */

/* ---- shape.c ---- */

sp_var *sp_add(sp_tape *t, sp_var *a, sp_var *b); /* [n, d] + [n, d] */
/* x [n, d], gate [1, g] with g a divisor of d -> [n, d]: the g blocks of d / g columns, each times
 * its gate. */
sp_var *sp_gate_columns(sp_tape *t, sp_var *x, sp_var *gate);
/* Columns first .. first + count of x, as a view: no copy, gradients land in x. */
sp_var *sp_slice_columns(sp_tape *t, sp_var *x, long first, long count);
/* Columns index[0..count) of x [n, d] -> [n, count]; index is copied; repeated ones are fine. */
sp_var *sp_gather_columns(sp_tape *t, sp_var *x, const int *index, long count);
/* [n, a], [n, b] -> [n, a + b] */
sp_var *sp_concat_columns(sp_tape *t, sp_var *a, sp_var *b);
/* Rows index[0..count) of x [n, d], of either precision -> [count, d] in fp32; index is copied;
 * repeated rows are fine. */
sp_var *sp_gather_rows(sp_tape *t, sp_var *x, const int *index, long count);

/* ---- embed.c ---- */

/* table [vocabulary, d], virtual [n, d] or NULL, ids [count] -> [count, d].
 * id >= 0 takes that row of the table; id = -1 - i takes row i of `virtual`: this is how a soft
 * prompt stands among the token embeddings (Prompt Tuning, section 2; P-tuning, section 3). */
sp_var *sp_embed(sp_tape *t, sp_var *table, sp_var *virtual_rows, const int *ids, long count);

/* ---- attention.c ---- */

/* A key/value prefix for one layer; key = NULL for none. Rows [length, kv_heads * head_size].
 *
 * Without a gate, queries attend to the prefix and to their sequence together. With one, the prefix
 * has a softmax of its own, and what it gives is added times the gate (LLaMA-Adapter, Zhang et al.
 * 2023, section 3.2; one gate for all heads as in PEFT, or one per head):
 *   out = attention(q, k, v) + gate * softmax(q Kp^T / sqrt(head_size)) Vp */
typedef struct sp_kv {
    sp_var *key, *value;
    sp_var *gate; /* [1, 1] or [1, heads]; NULL: none */
} sp_kv;

/* q [tokens, heads * head_size], k, v [tokens, kv_heads * head_size] -> like q.
 * Training form: every sequence attends to the prefix and to itself (tensor/attention.h; of `shape`
 * prefix_length and prefix_only are set here). */
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

/* ---- classify.c ---- */

/* logits [n, classes], targets [n] (0 .. classes - 1) -> [1, 1], the mean over the rows of
 * -log softmax(logits)[target]. n >= 1. */
sp_var *sp_cross_entropy(sp_tape *t, sp_var *logits, const int *targets);

/* x [n, words], group_of_word [words] (0 .. groups - 1; copied) -> [n, groups]: the logarithm of
 * the sum of exp(x) over the words of each group, every one of which has a word. With the logits of
 * label words this is a label's logit: softmax over it gives the words' summed probability. */
sp_var *sp_group_logsumexp(sp_tape *t, sp_var *x, const int *group_of_word, int groups);

/* ---- recompute.c ---- */

/* A part of a model: x -> a new variable. It may read what else is on the tape or a parameter. */
typedef sp_var *sp_block(sp_tape *t, void *user, sp_var *x);

/* block(t, user, x) without keeping its activations: the backward pass runs it again, so that only
 * x is kept (Chen et al. 2016, section 3). Gradients are those of block(t, user, x) itself, of all
 * that it reads. `user` [user_bytes] is copied; what it points to, and other variables of the tape
 * that the block reads, must live until the backward pass. */
sp_var *sp_recompute(sp_tape *t, sp_block *block, void *user, size_t user_bytes, sp_var *x);

/* ---- lstm.c ---- */

/* The recurrence of one LSTM direction over n time steps (Hochreiter & Schmidhuber 1997; PyTorch's
 * gate order). gates [n, 4h] = W_ih x + b_ih, w_hh [4h, h], b_hh [1, 4h] -> hidden states [n, h];
 * `reverse` runs from the last step to the first. */
sp_var *sp_lstm(sp_tape *t, sp_var *gates, sp_var *w_hh, sp_var *b_hh, bool reverse);

#endif
