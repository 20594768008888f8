#include "scheduling/run_lock.h"

#include "core/file.h"

#include <stdlib.h>
#include <unistd.h>

/* Who asks whether a lock is held has it for a moment; that is waited for. */
static const double PATIENCE_SECONDS = 0.02;

static char *lock_path(const sp_run_spec *run, const char *folder) {
    return sp_format("%s/runs/%s.lock", folder, run->id);
}

sp_status sp_run_lock(const sp_run_spec *run, const char *folder, int *fd) {
    char *path = lock_path(run, folder);
    sp_status st = sp_lock_file_within(path, PATIENCE_SECONDS, fd);
    free(path);
    return st;
}

void sp_run_unlock(const sp_run_spec *run, const char *folder, int fd, bool finished) {
    if (fd < 0) return;
    char *path = lock_path(run, folder);
    if (finished) unlink(path);
    sp_unlock_file(fd);
    free(path);
}

bool sp_run_is_locked(const sp_run_spec *run, const char *folder) {
    char *path = lock_path(run, folder);
    bool locked = sp_is_locked(path);
    free(path);
    return locked;
}
