/* Does a list of runs, several at a time, each in a process and on CPUs of its own. */
#ifndef SP_EXPERIMENT_SCHEDULER_H
#define SP_EXPERIMENT_SCHEDULER_H

#include "core/progress.h"
#include "experiment/assets.h"
#include "experiment/grid.h"

typedef enum sp_run_state { SP_RUN_PENDING, SP_RUN_FINISHED, SP_RUN_FAILED } sp_run_state;

/* What the run file says. A run that was cancelled is pending. SP_ERR_FORMAT for a damaged one. */
sp_status sp_run_find_state(const sp_run_spec *run, const char *folder, sp_run_state *out);

/* What is done with a run; sp_trial_prepare and sp_trial_run but in tests. */
typedef sp_status sp_prepare(const sp_run_spec *run, sp_assets *assets, int *threads);
typedef sp_status sp_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                           const sp_progress *progress);

/* Who watches a study, in its own process. Functions may be NULL. */
typedef struct sp_study_watch {
    void *user;
    void (*started)(void *user, const sp_run_spec *run, int threads);
    void (*progress)(void *user, const sp_progress_state *state);
    void (*finished)(void *user, const sp_run_spec *run, double seconds);
    void (*failed)(void *user, const sp_run_spec *run, const char *message);
} sp_study_watch;

typedef struct sp_study_job {
    const sp_run_list *runs;
    const char *folder; /* of the study; made if missing */
    sp_assets *assets;  /* handed to the next two */
    sp_prepare *prepare;
    sp_trial *trial;
    int jobs; /* runs at a time at most; 0: as many as the CPUs hold */
    sp_study_watch watch;
} sp_study_job;

typedef struct sp_schedule {
    size_t done, skipped, failed; /* runs trained now, found finished, failed now */
} sp_schedule;

/* Does every run of the list that is not finished, holding a lock on the folder. `prepare` is
 * called here, run by run, in the order of the list; `trial` in a process forked then. A run starts
 * as soon as `jobs` and the CPUs this process may use leave it as many as its threads, and never
 * before the runs ahead of it; so no two threads share a CPU. What a run gives does not depend on
 * the others. This process must have no other threads.
 *
 * A run that fails or whose process dies is recorded with status "failed" and its message, and the
 * others go on. index.h5 links the run files. Temporary files that killed processes left are
 * removed. SP_ERR_BUSY if another process has the lock; SP_ERR_FAILED at the end if runs failed
 * (the message is the first one's). SP_ERR_INTERRUPTED and SP_ERR_IO start no further run and make
 * those at work stop at their next step, with a checkpoint. `out` is filled always. */
sp_status sp_schedule_runs(const sp_study_job *job, sp_schedule *out);

#endif
