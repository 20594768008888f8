/* A trial does one run: tunes, decodes, scores, and writes the run log. */
#ifndef SP_EXPERIMENT_TRIAL_H
#define SP_EXPERIMENT_TRIAL_H

#include "core/progress.h"
#include "experiment/assets.h"
#include "parallel/ranks.h"

/* Opens in `assets` what the run shares with others, and says on how many threads it will be.
 * Errors as sp_setup_load and sp_metrics_prepare. */
sp_status sp_trial_prepare(const sp_run_spec *run, sp_assets *assets, int *threads);

/* Does the run and writes <folder>/runs/<id>.h5 (sp_run_path) with status "finished". Checkpoints
 * live in `folder` too. Changes the model in `assets`. SP_ERR_INTERRUPTED leaves a checkpoint from
 * which the next call goes on. */
sp_status sp_trial_run(const sp_run_spec *run, const char *folder, sp_assets *assets,
                       const sp_progress *progress);

/* The same run done by all ranks together (data-parallel; NULL: alone): each takes its share of
 * every batch and of the examples of dev and test. Rank 0 alone writes files. Random numbers go by
 * example and by seed, so the run differs from one done alone only by the rounding of sums, and not
 * at all from another one on as many ranks. */
sp_status sp_trial_share(const sp_run_spec *run, const char *folder, sp_assets *assets,
                         sp_ranks *ranks, const sp_progress *progress);

/* Dev records whose text is generated at each evaluation, for the curves. */
enum { SP_TRIAL_DEV_DECODED = 40 };

typedef struct sp_trial_estimate {
    long trainable_parameters, total_parameters;
    int threads;
    double seconds; /* on CPUs of its own */
    double bytes;   /* of memory at the peak */
} sp_trial_estimate;
/* What a run would cost, without training; its model is opened and closed. */
sp_status sp_trial_plan(const sp_run_spec *run, sp_assets *assets, sp_trial_estimate *out);

#endif
