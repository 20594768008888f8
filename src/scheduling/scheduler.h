/* Does a list of runs, several at a time, each in a process and on CPUs of its own; with other
 * processes, of this host or others, that do the same list. */
#ifndef SP_SCHEDULING_SCHEDULER_H
#define SP_SCHEDULING_SCHEDULER_H

#include "core/progress.h"
#include "experiment/assets.h"
#include "scheduling/agenda.h"
#include "scheduling/run_status.h"

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
    /* A run failed, and will be tried again at the end: up to `left` times. */
    void (*retried)(void *user, const sp_run_spec *run, const char *message, int left);
    /* Another process ("<pid>@<host>") is at work on the study; once for each. */
    void (*joined)(void *user, const char *process);
    /* There is nothing to do but to wait for `runs` runs of other processes, or their CPUs. */
    void (*waiting)(void *user, size_t runs);
    /* The runs at work, if there are any, were asked to stop: by a signal, a cancellation, or since
     * all others would fail like one that did. */
    void (*stopping)(void *user, int running);
    /* A run's checkpoint was set aside (sp_set_damaged_aside). */
    void (*begun_anew)(void *user, const sp_run_spec *run, const char *message);
} sp_study_watch;

typedef struct sp_study_job {
    const sp_run_list *runs;
    const char *folder; /* of the study; made if missing */
    sp_assets *assets;  /* handed to the next two */
    sp_prepare *prepare;
    sp_trial *trial;
    int jobs;    /* runs at a time at most; 0: as many as the CPUs hold */
    int retries; /* of a run whose failure may have had a cause outside it */
    bool no_wait;
    sp_limits limits; /* of each run */
    sp_study_watch watch;
} sp_study_job;

/* Does every run of the list that is not finished and that no other process is at work on.
 * `prepare` is called here, run by run, in the order of the list; `trial` in a process forked then,
 * which holds the run's lock too. A run starts as soon as `jobs` and the CPUs this process may use
 * leave it as many as its threads, and never before the runs ahead of it; so no two threads of
 * runs share a CPU, those of other processes on this host and study included. What a run gives does
 * not depend on the others. This process must have no other threads.
 *
 * A run that fails or whose process dies is recorded with status "failed" and its message, and the
 * others go on; at their end it is tried again, `retries` times, if it died or met a failure of
 * memory or files. So is a run beyond its limits, but never again by the same call. At the end this
 * waits, unless `no_wait`, for the runs of other processes, and does those whose process dies. What
 * another process finished or failed at meanwhile is counted, not repeated. index.h5 links the run
 * files. Temporary files that killed processes left are removed.
 *
 * SP_ERR_FAILED at the end if runs failed (the message is the first one's). SP_ERR_INTERRUPTED (a
 * signal, sp_at_work_ask) and SP_ERR_IO start no further run and make those at work stop at their
 * next step, with a checkpoint; SP_ERR_INTERRUPTED also at the end if a run was cancelled. `out` is
 * filled always. */
sp_status sp_schedule_runs(const sp_study_job *job, sp_schedule *out);

/* Writes a log of the run that says why it failed, over that of an earlier failure. */
sp_status sp_run_record_failure(const sp_run_spec *run, const char *folder, const char *message);
/* Whether a run's failure is one that every further run would meet too. */
bool sp_study_must_stop(sp_status st);

#endif
