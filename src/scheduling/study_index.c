#include "scheduling/study_index.h"

#include "core/file.h"
#include "experiment/run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Writing it takes less than a second. */
static const double PATIENCE_SECONDS = 60;

static int is_run_file(const struct dirent *e) {
    size_t len = strlen(e->d_name);
    return len == SP_RUN_ID + 3 && strcmp(e->d_name + SP_RUN_ID, ".h5") == 0;
}

static sp_status link_runs(sp_h5 *f, const char *folder) {
    char *runs = sp_path_join(folder, "runs");
    struct dirent **files;
    int count = scandir(runs, &files, is_run_file, alphasort);
    free(runs);
    sp_status st = sp_h5_set_text(f, "/", "schema", "softprompt-index/1");
    for (int i = 0; i < count; i++) {
        char *link = sp_format("/%.*s", SP_RUN_ID, files[i]->d_name);
        char *target = sp_format("runs/%s", files[i]->d_name);
        if (!st) st = sp_h5_link_file(f, link, target);
        free(link), free(target), free(files[i]);
    }
    if (count >= 0) free(files);
    return st;
}

static sp_status write_index(const char *folder) {
    char *path = sp_path_join(folder, "index.h5");
    sp_h5 *f;
    sp_status st = sp_h5_create(path, &f);
    free(path);
    return st ? st : sp_h5_finish(f, link_runs(f, folder));
}

sp_status sp_study_index_write(const char *folder) {
    char *lock = sp_path_join(folder, ".lock");
    int fd;
    sp_status st = sp_lock_file_within(lock, PATIENCE_SECONDS, &fd);
    free(lock);
    if (st) return st;
    st = write_index(folder);
    sp_unlock_file(fd);
    return st;
}
