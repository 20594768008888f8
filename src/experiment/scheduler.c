#include "experiment/scheduler.h"

#include "core/clock.h"
#include "core/file.h"
#include "experiment/runlog.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sp_status sp_run_find_state(const sp_run_spec *run, const char *folder, sp_run_state *out) {
    char *path = sp_run_path(run, folder), *status = NULL;
    sp_h5 *f = NULL;
    *out = SP_RUN_PENDING;
    sp_status st = SP_OK;
    if (sp_file_exists(path)) st = sp_h5_open(path, &f);
    if (f) st = sp_h5_get_text(f, "/", "status", &status);
    if (status && strcmp(status, "finished") == 0) *out = SP_RUN_FINISHED;
    if (status && strcmp(status, "failed") == 0) *out = SP_RUN_FAILED;
    sp_h5_close(f);
    free(status), free(path);
    return st;
}

/* ---- the folder of a study ---- */

/* Nobody else is at work here (the lock is held), so every temporary file is a leftover. */
static void remove_leftovers(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strstr(e->d_name, ".tmp-")) continue;
        char *path = sp_path_join(folder, e->d_name);
        unlink(path);
        free(path);
    }
    closedir(dir);
}

static sp_status prepare_folder(const char *folder, int *lock) {
    char *runs = sp_path_join(folder, "runs"), *lock_path = sp_path_join(folder, ".lock");
    *lock = -1;
    sp_status st = sp_make_folders(runs);
    if (!st) st = sp_lock_file(lock_path, lock);
    if (!st) {
        remove_leftovers(runs);
        remove_leftovers(folder);
    }
    free(runs), free(lock_path);
    return st;
}

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

/* index.h5 links every run of the study, those of other presets too. */
static sp_status write_index(const char *folder) {
    char *path = sp_path_join(folder, "index.h5");
    sp_h5 *f;
    sp_status st = sp_h5_create(path, &f);
    free(path);
    return st ? st : sp_h5_finish(f, link_runs(f, folder));
}

/* ---- failures ---- */

/* Writes a log that says why, over that of an earlier failure. */
static sp_status record_failure(const sp_run_spec *run, const char *folder, const char *message) {
    sp_runlog log = {0};
    sp_run_describe(run, &log);
    sp_runlog_text(&log, "status", "failed");
    sp_runlog_text(&log, "error", message);
    char *path = sp_run_path(run, folder);
    sp_status st = sp_runlog_write(&log, path);
    free(path);
    sp_runlog_free(&log);
    return st;
}

/* Failures that every further run would meet too. */
static bool must_stop(sp_status st) {
    return st == SP_ERR_INTERRUPTED || st == SP_ERR_IO || st == SP_ERR_BUSY;
}

/* ---- progress ---- */

/* Adds to a trial's own state which run of the study it is, and the time for those after it. */
typedef struct study_progress {
    const sp_progress *outer;
    const sp_run_spec *run;
    char *title, *replicate;
    int index, total;
    int trained;    /* runs of this call that ended well */
    double seconds; /* they took together */
    int after;      /* pending runs after this one */
} study_progress;

static void report_line(void *user, const sp_progress_state *inner) {
    const study_progress *p = user;
    sp_progress_state state = *inner;
    state.experiment = p->run->experiment;
    state.run = p->index;
    state.runs = p->total;
    state.label = p->title;
    state.replicate = p->replicate;
    if (state.seconds_left >= 0 && p->after > 0)
        state.seconds_left =
            p->trained ? state.seconds_left + p->after * p->seconds / p->trained : -1;
    sp_progress_report(p->outer, &state);
}

/* ---- the study ---- */

typedef struct study {
    const sp_run_list *runs;
    const char *folder;
    sp_trial *trial;
    study_progress progress;
    sp_schedule *out;
    char *first_failure;
} study;

static sp_status do_run(study *s, const sp_run_spec *run) {
    double start = sp_now();
    s->progress.run = run;
    s->progress.title = sp_run_title(run);
    s->progress.replicate = sp_run_replicate(run);
    sp_progress progress = {.line = report_line, .user = &s->progress};
    sp_status st = s->trial(run, s->folder, &progress);
    if (!st) {
        s->out->done++;
        s->progress.trained++;
        s->progress.seconds += sp_now() - start;
    } else if (!must_stop(st)) {
        char *message = sp_strdup(sp_error());
        st = record_failure(run, s->folder, message);
        s->out->failed++;
        if (!s->first_failure)
            s->first_failure =
                sp_format("%s %s: %s", s->progress.title, s->progress.replicate, message);
        free(message);
    }
    free(s->progress.title), free(s->progress.replicate);
    return st;
}

/* How many runs still have to be done. (Runs of two entries with equal settings count twice.) */
static sp_status count_pending(const study *s, int *out) {
    *out = 0;
    for (size_t i = 0; i < s->runs->count; i++) {
        sp_run_state state;
        sp_status st = sp_run_find_state(&s->runs->items[i], s->folder, &state);
        if (st) return st;
        *out += state != SP_RUN_FINISHED;
    }
    return SP_OK;
}

static sp_status do_all(study *s) {
    sp_status st = count_pending(s, &s->progress.after);
    for (size_t i = 0; !st && i < s->runs->count; i++) {
        sp_run_state state;
        if ((st = sp_run_find_state(&s->runs->items[i], s->folder, &state))) break;
        s->progress.index = (int)i + 1;
        if (state == SP_RUN_FINISHED) {
            s->out->skipped++;
            continue;
        }
        if (sp_interrupted())
            return sp_fail(SP_ERR_INTERRUPTED, "interrupted; run it again to go on");
        s->progress.after--;
        st = do_run(s, &s->runs->items[i]);
    }
    return st;
}

sp_status sp_schedule_runs(const sp_run_list *runs, const char *folder, sp_trial *trial,
                           const sp_progress *progress, sp_schedule *out) {
    int lock;
    *out = (sp_schedule){0};
    study s = {.runs = runs, .folder = folder, .trial = trial, .out = out};
    s.progress.outer = progress;
    s.progress.total = (int)runs->count;
    sp_status st = prepare_folder(folder, &lock);
    if (!st) st = do_all(&s);
    if (!st) st = write_index(folder);
    sp_unlock_file(lock);
    if (!st && out->failed)
        st = sp_fail(SP_ERR_FAILED, "%zu of %zu runs failed; the first: %s", out->failed,
                     runs->count, s.first_failure);
    free(s.first_failure);
    return st;
}
