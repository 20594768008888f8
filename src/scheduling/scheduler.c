#include "scheduling/scheduler.h"

#include "core/clock.h"
#include "core/file.h"
#include "experiment/runlog.h"
#include "scheduling/at_work.h"
#include "scheduling/cpu_locks.h"
#include "scheduling/leftovers.h"
#include "scheduling/set_aside.h"
#include "scheduling/study_index.h"
#include "scheduling/watchdog.h"
#include "scheduling/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds between two looks at requests and at other processes, those more for each run and process
 * there are to be looked at, and between two writings of a progress file. */
static const double ATTEND_SECONDS = 1, LOOK_SECONDS = 1, LOOK_SECONDS_EACH = 0.05,
                    WRITE_SECONDS = 2;

/* A run at work. */
typedef struct place {
    sp_worker worker;
    sp_item *item;
    char *title, *replicate;
    cpu_set_t cpus;
    double started, write_due;
    sp_run_progress progress;
    sp_watchdog watchdog;
    bool cancelled; /* this run alone */
} place;

typedef struct study {
    const sp_study_job *job;
    sp_schedule *out;
    sp_agenda agenda;
    sp_at_work self;
    sp_strings known; /* other processes that were told of */
    sp_slots cpus;
    sp_cpu_locks cpu_locks;
    place *places; /* [running] */
    int running, room;
    double seconds; /* that the runs of this call took which ended well */
    double attend_due, look_due;
    bool waits;     /* and has said so */
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

static bool add_time_left(double seconds, double *sum, double *longest) {
    if (seconds < 0) return false;
    *sum += seconds;
    if (seconds > *longest) *longest = seconds;
    return true;
}

/* Of the whole study, from the runs that are done and what those at work here and elsewhere say;
 * negative: unknown. */
static double study_seconds_left(const study *s) {
    size_t pending =
        sp_agenda_count(&s->agenda, SP_ITEM_OPEN) + sp_agenda_count(&s->agenda, SP_ITEM_AGAIN);
    if (pending && !s->out->done) return -1;
    double longest = 0, sum = pending ? (double)pending * s->seconds / (double)s->out->done : 0;
    bool known = true;
    int running = s->running;
    for (int i = 0; i < s->running; i++)
        known &= add_time_left(s->places[i].progress.seconds_left, &sum, &longest);
    for (size_t i = 0; i < s->agenda.count; i++) {
        if (s->agenda.items[i].state != SP_ITEM_ELSEWHERE) continue;
        known &= add_time_left(s->agenda.items[i].seconds_left, &sum, &longest);
        running++;
    }
    if (!known || !running) return -1;
    double spread = sum / running;
    return spread > longest ? spread : longest;
}

/* What is said of the whole study, beside what is there of a run. */
static void report_progress(const study *s, sp_progress_state state) {
    const sp_study_watch *watch = &s->job->watch;
    const sp_schedule *out = s->out;
    if (!watch->progress) return;
    state.experiment = s->agenda.items[0].run->experiment;
    state.runs = (int)s->agenda.count;
    state.running = s->running + (int)sp_agenda_count(&s->agenda, SP_ITEM_ELSEWHERE);
    state.done = (int)(out->done + out->skipped + out->elsewhere);
    state.failed = (int)out->failed;
    state.seconds_left = study_seconds_left(s);
    watch->progress(watch->user, &state);
}

static void report_run(const study *s, const place *p, sp_progress_state state) {
    state.run = p->item->place;
    state.label = p->title;
    state.replicate = p->replicate;
    report_progress(s, state);
}

static void write_progress(study *s, place *p) {
    double now = sp_now();
    if (now < p->write_due) return;
    p->write_due = now + WRITE_SECONDS;
    sp_run_progress_write(&p->progress, p->item->run, s->job->folder);
}

/* ---- failures ---- */

sp_status sp_run_record_failure(const sp_run_spec *run, const char *folder, const char *message) {
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

bool sp_study_must_stop(sp_status st) {
    return st == SP_ERR_INTERRUPTED || st == SP_ERR_IO || st == SP_ERR_BUSY;
}

/* Failures that may not come again: a process that died, memory, files. */
static bool may_pass(sp_status st) {
    return st == SP_ERR_FAILED || st == SP_ERR_INTERNAL || st == SP_ERR_MEMORY || st == SP_ERR_IO;
}

static void note_failure(study *s, const sp_run_spec *run, const char *message) {
    sp_status st = sp_run_record_failure(run, s->job->folder, message);
    if (st) stop_study(s, st);
    if (s->first_failure) return;
    char *title = sp_run_title(run), *replicate = sp_run_replicate(run);
    s->first_failure = sp_format("%s %s: %s", title, replicate, message);
    free(title), free(replicate);
}

static void try_again(study *s, sp_item *item) {
    const sp_study_watch *watch = &s->job->watch;
    char *message = sp_strdup(sp_error());
    sp_status st = sp_run_record_failure(item->run, s->job->folder, message);
    if (st) stop_study(s, st);
    item->state = SP_ITEM_AGAIN;
    item->tries++;
    if (watch->retried)
        watch->retried(watch->user, item->run, message, s->job->retries - item->tries + 1);
    free(message);
}

/* The failure whose message is there becomes the run's. */
static void fail_run(study *s, sp_item *item) {
    const sp_study_watch *watch = &s->job->watch;
    char *message = sp_strdup(sp_error());
    note_failure(s, item->run, message);
    sp_agenda_end(&s->agenda, item, &s->out->failed);
    if (watch->failed) watch->failed(watch->user, item->run, message);
    free(message);
}

static void end_badly(study *s, sp_item *item, sp_status st) {
    if (may_pass(st) && item->tries < s->job->retries) {
        try_again(s, item);
    } else if (sp_study_must_stop(st)) {
        stop_study(s, st);
        sp_agenda_release(&s->agenda, item);
    } else {
        fail_run(s, item);
    }
}

/* ---- starting and ending runs ---- */

static bool take_cpus(study *s, const sp_item *item, cpu_set_t *cpus) {
    return sp_cpu_locks_take(&s->cpu_locks, &s->cpus, item->threads, cpus);
}

static void give_cpus_back(study *s, const cpu_set_t *cpus) {
    sp_cpu_locks_give_back(&s->cpu_locks, &s->cpus, cpus);
}

typedef struct trial_call {
    const study *study;
    const place *own;
} trial_call;

/* In the run's own process, which keeps no locks but those of its own run and CPUs. */
static sp_status call_trial(void *user, const sp_progress *progress) {
    const trial_call *call = user;
    const sp_study_job *job = call->study->job;
    const sp_agenda *agenda = &call->study->agenda;
    for (size_t i = 0; i < agenda->count; i++)
        if (agenda->items[i].lock >= 0 && &agenda->items[i] != call->own->item)
            close(agenda->items[i].lock);
    sp_cpu_locks_keep(&call->study->cpu_locks, &call->own->cpus);
    return job->trial(call->own->item->run, job->folder, job->assets, progress);
}

/* Closes the model of a run that started, unless another one needs it. */
static void forget_model(study *s, const sp_run_spec *run) {
    for (size_t i = 0; i < s->agenda.count; i++) {
        const sp_item *item = &s->agenda.items[i];
        bool over = item->state == SP_ITEM_OVER || item->state == SP_ITEM_TWIN;
        if (!over && item->state != SP_ITEM_AT_WORK && strcmp(item->run->model, run->model) == 0 &&
            strcmp(item->run->precision, run->precision) == 0)
            return;
    }
    sp_assets_forget_model(s->job->assets, run->model, sp_run_precision(run));
}

static sp_status set_damaged_aside(const study *s, const sp_run_spec *run) {
    const sp_study_watch *watch = &s->job->watch;
    char *message;
    sp_status st = sp_set_damaged_aside(run, s->job->folder, &message);
    if (message && watch->begun_anew) watch->begun_anew(watch->user, run, message);
    free(message);
    return st;
}

static sp_status start_run(study *s, sp_item *item, const cpu_set_t *cpus) {
    const sp_study_watch *watch = &s->job->watch;
    place *p = &s->places[s->running];
    trial_call call = {s, p};
    *p = (place){.item = item, .started = sp_now(), .cpus = *cpus};
    sp_status st = set_damaged_aside(s, item->run);
    if (!st) st = sp_worker_start(&p->worker, call_trial, &call, &p->cpus, s->self.lock);
    if (st) return st;
    s->running++;
    item->state = SP_ITEM_AT_WORK;
    p->progress = sp_run_progress_start(p->worker.pid);
    p->watchdog = sp_watchdog_start(&s->job->limits);
    p->title = sp_run_title(item->run);
    p->replicate = sp_run_replicate(item->run);
    write_progress(s, p);
    p->write_due = 0; /* what the run says first is to be seen at once */
    forget_model(s, item->run);
    if (watch->started) watch->started(watch->user, item->run, item->threads);
    return SP_OK;
}

static void finish_run(study *s, const place *p) {
    const sp_study_watch *watch = &s->job->watch;
    double seconds = sp_now() - p->started;
    s->seconds += seconds;
    sp_agenda_end(&s->agenda, p->item, &s->out->done);
    if (watch->finished) watch->finished(watch->user, p->item->run, seconds);
}

/* A process that died when its run's file was there already has finished the run. */
static bool was_finished(const study *s, const sp_run_spec *run) {
    sp_run_state state;
    if (sp_run_find_state(run, s->job->folder, &state) || state != SP_RUN_FINISHED) return false;
    char *checkpoint = sp_run_checkpoint_path(run, s->job->folder);
    unlink(checkpoint);
    free(checkpoint);
    return true;
}

static void end_run(study *s, int which) {
    place p = s->places[which];
    sp_status st = sp_worker_end(&p.worker);
    if (st && was_finished(s, p.item->run)) st = SP_OK;
    s->places[which] = s->places[--s->running];
    give_cpus_back(s, &p.cpus);
    sp_run_progress_remove(p.item->run, s->job->folder);
    if (!st)
        finish_run(s, &p);
    else if (sp_watchdog_explain(&p.watchdog, st))
        fail_run(s, p.item);
    else if (p.cancelled)
        sp_agenda_end(&s->agenda, p.item, &s->out->cancelled);
    else
        end_badly(s, p.item, st);
    free(p.title), free(p.replicate);
}

/* ---- requests ---- */

static void cancel_run(study *s, const char *id) {
    sp_item *item = sp_agenda_find(&s->agenda, id);
    if (!item || item->state == SP_ITEM_OVER) return;
    for (int i = 0; i < s->running; i++) {
        if (s->places[i].item != item) continue;
        s->places[i].cancelled = true;
        sp_worker_stop(&s->places[i].worker);
        return;
    }
    sp_agenda_end(&s->agenda, item, &s->out->cancelled);
}

static void heed_requests(study *s) {
    char *run;
    while (sp_at_work_asked(&s->self, &run)) {
        if (run)
            cancel_run(s, run);
        else
            stop_study(s, sp_fail(SP_ERR_INTERRUPTED, "cancelled; run it again to go on"));
        free(run);
    }
}

/* ---- the next run ---- */

/* Locks the run and opens what it needs. False if it is elsewhere, over, or failed by that. */
static bool set_up(study *s, sp_item *item) {
    int threads = 1;
    sp_status st = sp_agenda_take(&s->agenda, item);
    if (st) stop_study(s, st);
    heed_requests(s); /* one may be why another process gave this run up */
    if (s->stop && item->lock >= 0) sp_agenda_release(&s->agenda, item);
    if (item->lock < 0) return false;
    st = s->job->prepare(item->run, s->job->assets, &threads);
    item->threads = threads;
    if (st) end_badly(s, item, st);
    return !st;
}

/* Starts the next run, or finds that it is elsewhere, over or cannot be. False if it has to wait;
 * while it waits for CPUs, another process may take it. */
static bool take_next(study *s) {
    sp_item *item = sp_agenda_next(&s->agenda);
    cpu_set_t cpus;
    if (!item || s->running == s->room) return false;
    bool known = item->threads > 0;
    if (known && !take_cpus(s, item, &cpus)) return false;
    bool ready = set_up(s, item), taken = known || (ready && take_cpus(s, item, &cpus));
    if (ready && !taken) {
        if (item->state == SP_ITEM_OPEN) sp_agenda_release(&s->agenda, item);
        return false;
    }
    sp_status st = ready ? start_run(s, item, &cpus) : SP_OK;
    if (taken && (st || !ready)) give_cpus_back(s, &cpus);
    if (st) end_badly(s, item, st);
    return true;
}

static void start_runs(study *s) {
    while (!s->stop && sp_agenda_next(&s->agenda)) {
        if (sp_interrupted())
            stop_study(s, sp_fail(SP_ERR_INTERRUPTED, "interrupted; run it again to go on"));
        else if (!take_next(s))
            return;
    }
}

/* ---- other processes ---- */

static bool is_known(const study *s, const char *process) {
    for (size_t i = 0; i < s->known.len; i++)
        if (strcmp(s->known.data[i], process) == 0) return true;
    return false;
}

static void greet_others(study *s) {
    const sp_study_watch *watch = &s->job->watch;
    sp_strings others = {0};
    sp_at_work_others(s->job->folder, &s->self, &others);
    for (size_t i = 0; i < others.len; i++) {
        if (is_known(s, others.data[i])) continue;
        sp_strings_push(&s->known, others.data[i]);
        if (watch->joined) watch->joined(watch->user, others.data[i]);
    }
    sp_strings_free(&others);
}

/* Tells, once, that there is nothing to do here before runs of others end; and then how far they
 * are. */
static void report_waiting(study *s) {
    const sp_study_watch *watch = &s->job->watch;
    size_t elsewhere = sp_agenda_count(&s->agenda, SP_ITEM_ELSEWHERE);
    if (s->stop || s->running || !elsewhere) return;
    if (!s->waits && watch->waiting) watch->waiting(watch->user, elsewhere);
    s->waits = true;
    report_progress(s, sp_progress_start());
}

static void look_at_others(study *s, double now) {
    if (now < s->look_due) return;
    greet_others(s);
    sp_status st = sp_agenda_look_around(&s->agenda);
    if (st) stop_study(s, st);
    size_t seen = s->known.len + sp_agenda_count(&s->agenda, SP_ITEM_ELSEWHERE);
    s->look_due = now + LOOK_SECONDS + LOOK_SECONDS_EACH * (double)seen;
}

static void attend_to_others(study *s) {
    double now = sp_now();
    if (now < s->attend_due) return;
    s->attend_due = now + ATTEND_SECONDS;
    heed_requests(s); /* first: one may be why another process gives a run up */
    look_at_others(s, now);
    report_waiting(s);
}

/* ---- news ---- */

static void hear(study *s, int which) {
    place *p = &s->places[which];
    sp_progress_state state;
    switch (sp_worker_listen(&p->worker, &state)) {
    case SP_WORKER_PROGRESS:
        sp_run_progress_take(&p->progress, &state);
        write_progress(s, p);
        report_run(s, p, state);
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
    struct pollfd *sockets = sp_alloc((size_t)s->room, sizeof *sockets);
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
    const sp_study_watch *watch = &s->job->watch;
    if (s->told || (!s->stop && !sp_interrupted())) return;
    if (watch->stopping) watch->stopping(watch->user, s->running);
    for (int i = 0; i < s->running; i++) sp_worker_stop(&s->places[i].worker);
    s->told = true;
    stop_study(s, sp_fail(SP_ERR_INTERRUPTED, "interrupted; run it again to go on"));
}

static void watch_limits(study *s) {
    for (int i = 0; i < s->running; i++)
        sp_watchdog_look(&s->places[i].watchdog, &s->places[i].worker);
}

/* ---- the study ---- */

static bool goes_on(const study *s) {
    if (s->running) return true;
    if (s->stop) return false;
    bool waits = !s->job->no_wait && sp_agenda_count(&s->agenda, SP_ITEM_ELSEWHERE);
    return waits || sp_agenda_next(&s->agenda);
}

static sp_status do_all(study *s) {
    greet_others(s);
    for (start_runs(s); goes_on(s); start_runs(s)) {
        attend_to_others(s);
        tell_to_stop(s);
        wait_for_news(s);
        watch_limits(s);
    }
    return s->stop ? sp_fail(s->stop, "%s", s->reason) : SP_OK;
}

static sp_status fail_at_end(const study *s) {
    const sp_schedule *out = s->out;
    if (out->failed)
        return sp_fail(SP_ERR_FAILED, "%zu of %zu runs failed; the first: %s", out->failed,
                       s->agenda.count,
                       s->first_failure ? s->first_failure
                                        : "another process did it; `softprompt status` tells why");
    if (out->cancelled)
        return sp_fail(SP_ERR_INTERRUPTED,
                       "%zu of %zu runs were cancelled; run it again to do them", out->cancelled,
                       s->agenda.count);
    return SP_OK;
}

static sp_status prepare_folder(const sp_study_job *job) {
    char *runs = sp_path_join(job->folder, "runs");
    sp_status st = sp_make_folders(runs);
    if (!st) sp_remove_leftovers(job->folder);
    free(runs);
    return st;
}

sp_status sp_schedule_runs(const sp_study_job *job, sp_schedule *out) {
    *out = (sp_schedule){0};
    study s = {.job = job,
               .out = out,
               .cpus = sp_slots_usable(),
               .cpu_locks = {.folder = job->folder},
               .self = {.lock = -1}};
    int cpus = sp_slots_free(&s.cpus);
    s.room = job->jobs > 0 && job->jobs < cpus ? job->jobs : cpus;
    s.places = sp_alloc((size_t)s.room, sizeof *s.places);
    sp_status st = sp_limits_check(&job->limits);
    if (!st) st = prepare_folder(job);
    if (!st) st = sp_at_work_enter(job->folder, &s.self);
    if (!st) st = sp_agenda_open(job->runs, job->folder, out, &s.agenda);
    if (!st) st = do_all(&s);
    if (!st) st = sp_study_index_write(job->folder);
    if (!st) st = fail_at_end(&s);
    sp_agenda_close(&s.agenda);
    sp_at_work_leave(&s.self);
    sp_strings_free(&s.known);
    free(s.first_failure), free(s.reason), free(s.places);
    return st;
}
