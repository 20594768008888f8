#include "scheduling/run_status.h"

#include "core/file.h"
#include "scheduling/run_lock.h"

#include <stdlib.h>
#include <string.h>

const char *const sp_run_state_names[SP_RUN_STATES] = {"pending", "finished", "failed", "running",
                                                       "interrupted"};

/* `message` may be NULL: not wanted. */
static sp_status read_run_file(const sp_run_spec *run, const char *folder, sp_run_state *state,
                               char **message) {
    char *path = sp_run_path(run, folder), *status = NULL;
    sp_h5 *f = NULL;
    *state = SP_RUN_PENDING;
    sp_status st = SP_OK;
    if (sp_file_exists(path)) st = sp_h5_open(path, &f);
    if (f) st = sp_h5_get_text(f, "/", "status", &status);
    if (status && strcmp(status, "finished") == 0) *state = SP_RUN_FINISHED;
    if (status && strcmp(status, "failed") == 0) *state = SP_RUN_FAILED;
    if (!st && message && *state == SP_RUN_FAILED) st = sp_h5_get_text(f, "/", "error", message);
    sp_h5_close(f);
    free(status), free(path);
    return st;
}

sp_status sp_run_find_state(const sp_run_spec *run, const char *folder, sp_run_state *out) {
    return read_run_file(run, folder, out, NULL);
}

/* -1: there is none, or none that can be read. */
static long find_checkpoint(const sp_run_spec *run, const char *folder) {
    char *path = sp_run_checkpoint_path(run, folder);
    sp_h5 *f = NULL;
    int64_t step = -1;
    if (sp_file_exists(path) && !sp_h5_open(path, &f) &&
        sp_h5_get_int(f, "/checkpoint", "step", &step))
        step = -1;
    sp_h5_close(f);
    free(path);
    return (long)step;
}

sp_status sp_run_status_read(const sp_run_spec *run, const char *folder, sp_run_status *out) {
    *out = (sp_run_status){.checkpoint_step = -1};
    /* The lock first: a run that ends in between is seen as finished, not as pending. */
    bool locked = sp_run_is_locked(run, folder);
    sp_status st = read_run_file(run, folder, &out->state, &out->message);
    if (st || out->state == SP_RUN_FINISHED) return st;
    if (locked) {
        out->state = SP_RUN_RUNNING;
        out->progress = sp_run_progress_read(run, folder);
        return SP_OK;
    }
    out->checkpoint_step = find_checkpoint(run, folder);
    if (out->state == SP_RUN_PENDING && out->checkpoint_step >= 0) out->state = SP_RUN_INTERRUPTED;
    return SP_OK;
}

void sp_run_status_free(sp_run_status *status) {
    free(status->message);
    status->message = NULL;
}
