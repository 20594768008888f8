/* Where a run of a study stands, whichever process does it. */
#ifndef SP_SCHEDULING_RUN_STATUS_H
#define SP_SCHEDULING_RUN_STATUS_H

#include "scheduling/run_progress.h"

typedef enum sp_run_state {
    SP_RUN_PENDING,
    SP_RUN_FINISHED,
    SP_RUN_FAILED,
    SP_RUN_RUNNING,     /* a process holds its lock */
    SP_RUN_INTERRUPTED, /* nobody is at work, and there is a checkpoint */
    SP_RUN_STATES
} sp_run_state;

/* "pending", "finished", ... */
extern const char *const sp_run_state_names[SP_RUN_STATES];

/* What the run file says: SP_RUN_FINISHED, SP_RUN_FAILED, or SP_RUN_PENDING without one.
 * SP_ERR_FORMAT for a damaged one. */
sp_status sp_run_find_state(const sp_run_spec *run, const char *folder, sp_run_state *out);

typedef struct sp_run_status {
    sp_run_state state;
    sp_run_progress progress; /* of a run at work */
    char *message;            /* of a failed run; or NULL */
    long checkpoint_step;     /* of the checkpoint of a failed or interrupted run; -1: none */
} sp_run_status;

/* What the run file, lock, progress and checkpoint say. Takes no lock for longer than a moment, so
 * it may be called beside processes at work. Release with sp_run_status_free, also after
 * SP_ERR_FORMAT (damaged run file). */
sp_status sp_run_status_read(const sp_run_spec *run, const char *folder, sp_run_status *out);
void sp_run_status_free(sp_run_status *status);

#endif
