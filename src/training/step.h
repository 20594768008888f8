/* One optimizer step, the same for pretraining and tuning. */
#ifndef SP_TRAINING_STEP_H
#define SP_TRAINING_STEP_H

#include "parallel/ranks.h"
#include "training/optimizer.h"

typedef struct sp_step_result {
    double loss, gradient_norm;
} sp_step_result;

/* Back-propagates `loss` (on the tape), clips, updates, and resets the tape. SP_ERR_NUMERIC for a
 * NaN or infinite loss or gradient, before anything is updated. */
sp_status sp_train_step(sp_tape *t, sp_var *loss, sp_optimizer *o, double learning_rate,
                        sp_step_result *out);

/* The same for this rank's part of a batch: `loss` is that of its sequences (NULL if it has none),
 * `weight` its share in the mean over the batch; the weights of all ranks add up to 1. Loss and
 * gradients are summed over the ranks, so that all of them do the same update, or fail alike. */
sp_status sp_train_step_share(sp_tape *t, sp_var *loss, double weight, sp_ranks *ranks,
                              sp_optimizer *o, double learning_rate, sp_step_result *out);

#endif
