/* Floating-point operations of a training step and of inference, counted from shapes. */
#ifndef SP_TRAINING_FLOPS_H
#define SP_TRAINING_FLOPS_H

#include "training/packed.h"
#include "tuning/method.h"

/* What one step of tuning a key/value prefix of all layers has to do (a multiplication and an
 * addition are two operations), for the N tokens of `batch`, S of them scored:
 *
 *   linear maps  2 rows in out forward, the same for the gradient of the input. rows = N; in the
 *                last block S behind its attention. Nothing trains below the first block's
 *                attention: its maps before that have no gradient of the input.
 *   head         2 S vocab d forward, the same backward
 *   attention    4 width keys forward, 8 backward, summed over the queries, keys = prefix + the
 *                tokens so far; in the first block, only the prefix has a backward pass: 6
 *   prefix MLP   6 length x weights: forward, gradient of the input, gradient of the weight
 *
 * Norms, activations, softmax, the optimizer and work that is done twice to save memory are not
 * counted. */
double sp_step_flops(const sp_model *model, const sp_tuner *tuner, const sp_packed *batch);

/* A forward pass of one sequence. */
typedef struct sp_inference {
    double tokens; /* that go through the blocks, virtual rows in the sequence included */
    double cached; /* tokens before them whose keys and values are there */
    double prefix; /* rows of a key/value prefix, seen in ... layers by ... of the tokens */
    double prefix_layers, prefix_queries;
    double wanted;       /* tokens of which an answer is asked: see sp_context */
    double answers;      /* scored for each of them: the vocabulary, labels, or their words */
    const double *added; /* [projection_count] weights that work beside each linear map; or NULL */
} sp_inference;

/* Counted as above, forward only (an encoder's token sees all tokens of its sequence):
 *
 *   linear maps  2 rows (in out + added): rank (in + out) of an update that is not merged, and
 *                2 size d of an adapter
 *   attention    4 width keys
 *   head         2 wanted answers d
 *
 * An encoder's pooler and predictor are not counted either. `model` may be without memory
 * (sp_model_declare). */
double sp_inference_flops(const sp_model *model, const sp_inference *pass);

#endif
