/* A trial does one run: opens model and data, tunes, decodes, scores, and writes the run log. */
#ifndef SP_EXPERIMENT_TRIAL_H
#define SP_EXPERIMENT_TRIAL_H

#include "core/progress.h"
#include "experiment/run.h"

/* Does the run and writes <folder>/runs/<id>.h5 (sp_run_path) with status "finished". Checkpoints
 * live in `folder` too. On failure the scheduler records status "failed" and the message.
 * SP_ERR_INTERRUPTED leaves a checkpoint from which the next call goes on. */
typedef sp_status sp_trial(const sp_run_spec *run, const char *folder, const sp_progress *progress);
sp_trial sp_trial_run;

/* The hashes of model and data that are part of a run's id. */
sp_identify sp_trial_identify;

typedef struct sp_trial_estimate {
    long trainable_parameters, total_parameters;
    double seconds; /* 0: unknown */
} sp_trial_estimate;
/* What a run would cost, without training. */
sp_status sp_trial_plan(const sp_run_spec *run, sp_trial_estimate *out);

#endif
