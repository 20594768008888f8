/* Tuning: a method's parameters against a training set, with the best state on dev kept. */
#ifndef SP_TRAINING_TUNE_H
#define SP_TRAINING_TUNE_H

#include "format/hdf5.h"
#include "training/examples.h"
#include "training/options.h"
#include "tuning/method.h"

/* What one step measured; tokens and seconds count from the start of the run, resumed or not. */
typedef struct sp_tune_step {
    long step, steps;
    double loss, learning_rate, gradient_norm, tokens, seconds;
} sp_tune_step;

/* Who watches a tuning. Functions may be NULL. */
typedef struct sp_tune_observer {
    void *user;
    void (*on_step)(void *user, const sp_tune_step *step);
    /* After each evaluation on dev, with the state of that step in the tuner. */
    sp_status (*on_dev)(void *user, long step, double dev_loss);
    /* To take along in a checkpoint, and to take back. */
    sp_status (*save)(void *user, sp_h5 *file);
    sp_status (*load)(void *user, sp_h5 *file);
} sp_tune_observer;

typedef struct sp_tune_job {
    sp_tuner *tuner;
    const sp_template *template;
    int first_position; /* of real tokens (sp_soft_prompt) */
    const sp_examples *train, *dev;
    const sp_train_options *options;
    uint64_t seed;          /* order of the pairs */
    const char *checkpoint; /* path, or NULL for none */
    const char *identity;   /* the run's id */
    sp_tune_observer observer;
} sp_tune_job;

typedef struct sp_tune_result {
    long steps;     /* done */
    long best_step; /* with the lowest dev loss, whose state the tuner is left in */
    double best_dev_loss;
    double seconds; /* of training, all sessions together */
} sp_tune_result;

/* Steps a run with these options takes on `pairs` pairs. */
long sp_tune_steps(const sp_train_options *options, size_t pairs);

/* Trains, going on from the checkpoint if there is one, and leaves the tuner in its best state on
 * dev (mean loss per target token). The loss of a step is the mean over the batch's target tokens.
 * A method that trains nothing is evaluated on dev once, at step 0. SP_ERR_NUMERIC;
 * SP_ERR_INTERRUPTED after a checkpoint; SP_ERR_FORMAT for a checkpoint that cannot be used. */
sp_status sp_tune(const sp_tune_job *job, sp_tune_result *out);

#endif
