#include "scheduling/leftovers.h"

#include "core/file.h"
#include "scheduling/run_lock.h"
#include "scheduling/run_status.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_checkpoint(const char *name) {
    const char end[] = ".checkpoint.h5";
    size_t len = strlen(name);
    return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* Calls `remove` with each temporary file and checkpoint of a folder; `study` is handed on. */
static void visit(const char *folder, const char *study,
                  void (*remove)(const char *study, const char *name, const char *path)) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!sp_is_temporary(e->d_name) && !is_checkpoint(e->d_name)) continue;
        char *path = sp_path_join(folder, e->d_name);
        remove(study, e->d_name, path);
        free(path);
    }
    closedir(dir);
}

static void remove_of_the_dead(const char *study, const char *name, const char *path) {
    (void)study;
    if (sp_is_left_over(name)) unlink(path);
}

/* Names begin with the id of the run. Its lock is kept for as long as the removal takes. */
static void remove_of_run(const char *study, const char *name, const char *path) {
    sp_run_spec run = {0};
    int lock;
    if (strspn(name, "0123456789abcdef") < SP_RUN_ID) {
        remove_of_the_dead(study, name, path);
        return;
    }
    memcpy(run.id, name, SP_RUN_ID);
    if (sp_run_lock(&run, study, &lock)) return;
    sp_run_state state = SP_RUN_PENDING;
    sp_status st = sp_run_find_state(&run, study, &state);
    bool finished = !st && state == SP_RUN_FINISHED;
    if (finished || sp_is_temporary(name)) unlink(path);
    sp_run_unlock(&run, study, lock, finished);
}

void sp_remove_leftovers(const char *folder) {
    char *runs = sp_path_join(folder, "runs");
    visit(runs, folder, remove_of_run);
    visit(folder, folder, remove_of_the_dead);
    free(runs);
}
