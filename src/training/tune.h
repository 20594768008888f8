/* Tuning: a method's parameters against a training set, with the best state on dev kept. */
#ifndef SP_TRAINING_TUNE_H
#define SP_TRAINING_TUNE_H

#include "format/hdf5.h"
#include "parallel/ranks.h"
#include "training/examples.h"
#include "training/options.h"
#include "tuning/class_head.h"
#include "tuning/method.h"

/* What one step measured; tokens and seconds count from the start of the run, resumed or not. */
typedef struct sp_tune_step {
    long step, steps;
    double loss, learning_rate, gradient_norm, tokens, seconds;
} sp_tune_step;

/* How good a state is on dev. */
typedef struct sp_dev_score {
    double loss;     /* mean per target token; with a class head, per example or word */
    double accuracy; /* right labels in percent; NaN where there are no labels */
} sp_dev_score;

/* Whether `a` is the better state: the higher accuracy where both have one, as Prompt Tuning
 * (Lester et al. 2021, section 3) stops by the data set's own metric; if that is equal or absent,
 * the lower loss. */
bool sp_dev_better(sp_dev_score a, sp_dev_score b);

/* Who watches a tuning. Functions may be NULL. */
typedef struct sp_tune_observer {
    void *user;
    void (*on_step)(void *user, const sp_tune_step *step);
    /* After each evaluation on dev, with the state of that step in the tuner, before it is compared
     * with the best one: where labels are generated as text, this sets the accuracy, and for tags
     * it puts their span F1 in its place. */
    sp_status (*on_dev)(void *user, long step, sp_dev_score *score);
    /* To take along in a checkpoint, and to take back. */
    sp_status (*save)(void *user, sp_h5 *file);
    sp_status (*load)(void *user, sp_h5 *file);
} sp_tune_observer;

typedef struct sp_tune_job {
    sp_tuner *tuner;
    sp_class_head *head; /* trains along; NULL: the examples have target texts */
    const sp_template *template;
    const sp_examples *train, *dev;
    const sp_train_options *options;
    uint64_t seed;          /* order of the pairs */
    const char *checkpoint; /* path, or NULL for none */
    const char *identity;   /* the run's id */
    sp_tune_observer observer;
    sp_ranks *ranks; /* that work on it together, each with a job of its own; NULL: alone */
} sp_tune_job;

typedef struct sp_tune_result {
    long steps;        /* done */
    long best_step;    /* whose state the tuner is left in */
    sp_dev_score best; /* of that step */
    double seconds;    /* of training, all sessions together */
} sp_tune_result;

/* Steps a run with these options takes on `pairs` pairs. */
long sp_tune_steps(const sp_train_options *options, size_t pairs);
/* Steps from one evaluation on dev to the next, in a run of `steps`; the last step has one too. */
long sp_tune_eval_every(const sp_train_options *options, long steps);

/* Trains, going on from the checkpoint if there is one, and leaves tuner and head in their best
 * state on dev (sp_dev_better). The loss of a step is the mean over the batch's target tokens or
 * labels (training/objective.h), plus the method's penalty, which the dev loss leaves out. What
 * trains nothing is evaluated on dev once, at step 0. SP_ERR_NUMERIC; SP_ERR_INTERRUPTED after a
 * checkpoint, or, inside an evaluation, with the last one as it is; SP_ERR_FORMAT for a checkpoint
 * that cannot be used.
 *
 * With ranks (all of them call this) each takes its share of the sequences of a batch, and of dev;
 * all have the same parameters throughout and end alike. Rank 0 alone writes the checkpoint, which
 * all of them can read. */
sp_status sp_tune(const sp_tune_job *job, sp_tune_result *out);

#endif
