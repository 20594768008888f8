/* Floating-point operations of a training step, counted from shapes. */
#ifndef SP_BENCH_FLOPS_H
#define SP_BENCH_FLOPS_H

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

#endif
