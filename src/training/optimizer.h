/* Optimizers over a list of parameters whose gradients a backward pass has filled. */
#ifndef SP_TRAINING_OPTIMIZER_H
#define SP_TRAINING_OPTIMIZER_H

#include "model/model.h"
#include "training/options.h"

/* Moments of one parameter: AdamW fills first and second [rows, cols]; Adafactor the row and column
 * means of squares (second [rows + cols]) or, where it does not factor, second [rows, cols]. */
typedef struct sp_moments {
    float *first, *second;
    size_t first_count, second_count;
} sp_moments;

typedef struct sp_optimizer {
    sp_param **params; /* borrowed from the list given to init */
    size_t count;
    sp_train_options options;
    sp_moments *moments; /* [count] */
    long step;           /* updates done */
} sp_optimizer;

/* Keeps `params` [count] by reference until sp_optimizer_free. */
void sp_optimizer_init(sp_optimizer *o, const sp_train_options *options, sp_param **params,
                       size_t count);
void sp_optimizer_free(sp_optimizer *o);

/* Forgets the gradients (before the backward pass of a step). */
void sp_optimizer_zero_grad(sp_optimizer *o);
/* Global L2 norm of the gradients; scales them down to options.clip if it is larger. */
double sp_optimizer_clip(sp_optimizer *o);
/* One update with the given learning rate. Parameters without a gradient are left alone. */
void sp_optimizer_step(sp_optimizer *o, double learning_rate);

/* Whether Adafactor keeps row and column means for this parameter instead of every square. */
bool sp_adafactor_factors(const sp_param *p);

/* The update rules, one parameter each; `step` counts from 1. */
void sp_adamw_apply(const sp_train_options *o, sp_param *p, sp_moments *m, double learning_rate,
                    long step);
void sp_adafactor_apply(const sp_train_options *o, sp_param *p, sp_moments *m, double learning_rate,
                        long step);

#endif
