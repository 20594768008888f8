/* Runs a list of runs one after another, skipping what is finished. */
#ifndef SP_EXPERIMENT_SCHEDULER_H
#define SP_EXPERIMENT_SCHEDULER_H

#include "experiment/grid.h"
#include "experiment/trial.h"

typedef enum sp_run_state { SP_RUN_PENDING, SP_RUN_FINISHED, SP_RUN_FAILED } sp_run_state;

/* What the run file says. A run that was cancelled is pending. SP_ERR_FORMAT for a damaged one. */
sp_status sp_run_find_state(const sp_run_spec *run, const char *folder, sp_run_state *out);

typedef struct sp_schedule {
    size_t done, skipped, failed; /* runs trained now, found finished, failed now */
} sp_schedule;

/* Does every run of the list that is not finished, in `folder` (made if missing), holding a lock on
 * it. A run that fails is recorded with status "failed" and its message, and the others go on.
 * index.h5 links the run files. Temporary files that killed processes left are removed.
 * SP_ERR_BUSY if another process has the lock; SP_ERR_FAILED at the end if runs failed (the message
 * is the first one's); SP_ERR_INTERRUPTED and SP_ERR_IO stop at once. `out` is filled always. */
sp_status sp_schedule_runs(const sp_run_list *runs, const char *folder, sp_trial *trial,
                           const sp_progress *progress, sp_schedule *out);

#endif
