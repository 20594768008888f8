#include "experiment/scheduler.h"

#include "core/clock.h"
#include "core/file.h"
#include "experiment/runlog.h"
#include "experiment/slots.h"
#include "experiment/worker.h"

#include <dirent.h>
#include <poll.h>
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

/* ---- a study at work ---- */

/* A run at work. */
typedef struct place {
    sp_worker worker;
    const sp_run_spec *run;
    char *title, *replicate;
    int index; /* of the run in the list, from 1 */
    cpu_set_t cpus;
    double started, seconds_left; /* negative: unknown */
} place;

typedef struct study {
    const sp_study_job *job;
    sp_schedule *out;
    sp_slots cpus;
    place *places; /* [running] */
    int running, room;
    size_t next;    /* run to be looked at */
    int pending;    /* runs that were not finished, or looked at, yet */
    double seconds; /* that the runs of this call took which ended well */
    sp_status stop; /* not SP_OK: nothing more is started */
    char *reason;   /* its message */
    bool told;      /* the runs at work were asked to stop */
    char *first_failure;
} study;

/* The first reason counts. */
static void stop_study(study *s, sp_status st) {
    if (s->stop) return;
    s->stop = st;
    s->reason = sp_strdup(sp_error());
}

/* ---- progress ---- */

/* Of the whole study, from the runs that are done and what those at work say; negative: unknown. */
static double study_seconds_left(const study *s) {
    double each = s->out->done ? s->seconds / (double)s->out->done : -1;
    if (s->pending && each < 0) return -1;
    double longest = 0, sum = s->pending * each;
    for (int i = 0; i < s->running; i++) {
        double left = s->places[i].seconds_left;
        if (left < 0) return -1;
        sum += left;
        if (left > longest) longest = left;
    }
    double spread = sum / s->running;
    return spread > longest ? spread : longest;
}

static void report_progress(const study *s, const place *p, sp_progress_state state) {
    const sp_study_watch *watch = &s->job->watch;
    if (!watch->progress) return;
    state.experiment = p->run->experiment;
    state.run = p->index;
    state.runs = (int)s->job->runs->count;
    state.label = p->title;
    state.replicate = p->replicate;
    state.running = s->running;
    state.done = (int)(s->out->done + s->out->skipped);
    state.failed = (int)s->out->failed;
    state.seconds_left = study_seconds_left(s);
    watch->progress(watch->user, &state);
}

/* ---- starting and ending runs ---- */

typedef struct trial_call {
    const sp_study_job *job;
    const sp_run_spec *run;
} trial_call;

/* In the run's own process. */
static sp_status call_trial(void *user, const sp_progress *progress) {
    const trial_call *call = user;
    return call->job->trial(call->run, call->job->folder, call->job->assets, progress);
}

/* The failure whose message is there becomes the run's. */
static void fail_run(study *s, const sp_run_spec *run) {
    const sp_study_watch *watch = &s->job->watch;
    char *message = sp_strdup(sp_error());
    sp_status st = record_failure(run, s->job->folder, message);
    if (st) stop_study(s, st);
    s->out->failed++;
    if (!s->first_failure) {
        char *title = sp_run_title(run), *replicate = sp_run_replicate(run);
        s->first_failure = sp_format("%s %s: %s", title, replicate, message);
        free(title), free(replicate);
    }
    if (watch->failed) watch->failed(watch->user, run, message);
    free(message);
}

static void fail_or_stop(study *s, const sp_run_spec *run, sp_status st) {
    if (must_stop(st))
        stop_study(s, st);
    else
        fail_run(s, run);
}

/* Closes the model of a run that started, unless a later one needs it. */
static void forget_model(study *s, const sp_run_spec *run) {
    for (size_t i = s->next; i < s->job->runs->count; i++) {
        const sp_run_spec *later = &s->job->runs->items[i];
        if (strcmp(later->model, run->model) == 0 && strcmp(later->precision, run->precision) == 0)
            return;
    }
    sp_assets_forget_model(s->job->assets, run->model, sp_run_precision(run));
}

static sp_status start_run(study *s, const sp_run_spec *run, int threads, int lock) {
    const sp_study_watch *watch = &s->job->watch;
    place *p = &s->places[s->running];
    trial_call call = {s->job, run};
    *p = (place){.run = run, .index = (int)s->next, .started = sp_now(), .seconds_left = -1};
    p->cpus = sp_slots_take(&s->cpus, threads);
    sp_status st = sp_worker_start(&p->worker, call_trial, &call, &p->cpus, lock);
    if (st) {
        sp_slots_give_back(&s->cpus, &p->cpus);
        return st;
    }
    s->running++;
    p->title = sp_run_title(run);
    p->replicate = sp_run_replicate(run);
    forget_model(s, run);
    if (watch->started) watch->started(watch->user, run, threads);
    return SP_OK;
}

static void end_run(study *s, int which) {
    const sp_study_watch *watch = &s->job->watch;
    place p = s->places[which];
    sp_status st = sp_worker_end(&p.worker);
    s->places[which] = s->places[--s->running];
    sp_slots_give_back(&s->cpus, &p.cpus);
    double seconds = sp_now() - p.started;
    if (st) {
        fail_or_stop(s, p.run, st);
    } else {
        s->out->done++;
        s->seconds += seconds;
        if (watch->finished) watch->finished(watch->user, p.run, seconds);
    }
    free(p.title), free(p.replicate);
}

/* Two entries with equal settings share an id: the second one then finds the run finished. */
static bool is_at_work(const study *s, const sp_run_spec *run) {
    for (int i = 0; i < s->running; i++)
        if (strcmp(s->places[i].run->id, run->id) == 0) return true;
    return false;
}

/* Starts the next run, or finds that it is finished or cannot be. False if it has to wait. */
static bool take_next(study *s, int lock) {
    const sp_run_spec *run = &s->job->runs->items[s->next];
    sp_run_state state;
    int threads = 1;
    if (s->running == s->room || is_at_work(s, run)) return false;
    sp_status st = sp_run_find_state(run, s->job->folder, &state);
    if (!st && state == SP_RUN_FINISHED) {
        s->next++;
        s->out->skipped++;
        return true;
    }
    if (!st) st = s->job->prepare(run, s->job->assets, &threads);
    if (!st && threads > sp_slots_free(&s->cpus)) return false;
    s->next++;
    s->pending--;
    if (!st) st = start_run(s, run, threads, lock);
    if (st) fail_or_stop(s, run, st);
    return true;
}

static void start_runs(study *s, int lock) {
    while (!s->stop && s->next < s->job->runs->count) {
        if (sp_interrupted())
            stop_study(s, sp_fail(SP_ERR_INTERRUPTED, "interrupted; run it again to go on"));
        else if (!take_next(s, lock))
            return;
    }
}

/* ---- news ---- */

static void hear(study *s, int which) {
    place *p = &s->places[which];
    sp_progress_state state;
    switch (sp_worker_listen(&p->worker, &state)) {
    case SP_WORKER_PROGRESS:
        p->seconds_left = state.seconds_left;
        report_progress(s, p, state);
        return;
    case SP_WORKER_TALK:
        return;
    case SP_WORKER_ENDED:
        end_run(s, which);
    }
}

/* Waits until a run says something, or a little, since a signal may have come before the wait. */
static void wait_for_news(study *s) {
    enum { MILLISECONDS = 200 };
    struct pollfd *sockets = sp_alloc((size_t)s->running, sizeof *sockets);
    int count = s->running;
    for (int i = 0; i < count; i++)
        sockets[i] = (struct pollfd){.fd = s->places[i].worker.socket, .events = POLLIN};
    int ready = poll(sockets, (nfds_t)count, MILLISECONDS);
    /* Backwards: the last place moves into that of a run that ended. */
    for (int i = count - 1; ready > 0 && i >= 0; i--)
        if (sockets[i].revents) hear(s, i);
    free(sockets);
}

static void tell_to_stop(study *s) {
    if (s->told || (!s->stop && !sp_interrupted())) return;
    for (int i = 0; i < s->running; i++) sp_worker_stop(&s->places[i].worker);
    s->told = true;
}

/* ---- the study ---- */

/* How many runs still have to be done. (Runs of two entries with equal settings count twice.) */
static sp_status count_pending(study *s) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < s->job->runs->count; i++) {
        sp_run_state state;
        st = sp_run_find_state(&s->job->runs->items[i], s->job->folder, &state);
        s->pending += !st && state != SP_RUN_FINISHED;
    }
    return st;
}

static sp_status do_all(study *s, int lock) {
    sp_status st = count_pending(s);
    if (st) return st;
    for (start_runs(s, lock); s->running; start_runs(s, lock)) {
        tell_to_stop(s);
        wait_for_news(s);
    }
    return s->stop ? sp_fail(s->stop, "%s", s->reason) : SP_OK;
}

sp_status sp_schedule_runs(const sp_study_job *job, sp_schedule *out) {
    int lock;
    *out = (sp_schedule){0};
    study s = {.job = job, .out = out, .cpus = sp_slots_usable()};
    int cpus = sp_slots_free(&s.cpus);
    s.room = job->jobs > 0 && job->jobs < cpus ? job->jobs : cpus;
    s.places = sp_alloc((size_t)s.room, sizeof *s.places);
    sp_status st = prepare_folder(job->folder, &lock);
    if (!st) st = do_all(&s, lock);
    if (!st) st = write_index(job->folder);
    sp_unlock_file(lock);
    if (!st && out->failed)
        st = sp_fail(SP_ERR_FAILED, "%zu of %zu runs failed; the first: %s", out->failed,
                     job->runs->count, s.first_failure);
    free(s.first_failure), free(s.reason), free(s.places);
    return st;
}
