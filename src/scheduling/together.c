#include "scheduling/together.h"

#include "core/clock.h"
#include "core/file.h"
#include "experiment/trial.h"
#include "scheduling/leftovers.h"
#include "scheduling/run_lock.h"
#include "scheduling/run_progress.h"
#include "scheduling/study_index.h"

#include <stdlib.h>
#include <unistd.h>

/* Seconds between two writings of a run's progress. */
static const double WRITE_SECONDS = 2;

typedef struct together {
    const sp_study_job *job;
    sp_ranks *ranks;
    sp_schedule *out;
    size_t index; /* of the run at work */
    char *title, *replicate;
    sp_run_progress progress; /* of it, for other processes */
    double write_due;
    char *first_failure;
} together;

/* ---- progress ---- */

static void write_progress(together *t) {
    double now = sp_now();
    if (now < t->write_due) return;
    t->write_due = now + WRITE_SECONDS;
    sp_run_progress_write(&t->progress, &t->job->runs->items[t->index], t->job->folder);
}

static void report_progress(void *user, const sp_progress_state *of_run) {
    together *t = user;
    const sp_study_watch *watch = &t->job->watch;
    sp_progress_state state = *of_run;
    state.experiment = t->job->runs->items[t->index].experiment;
    state.run = (int)t->index + 1;
    state.runs = (int)t->job->runs->count;
    state.label = t->title;
    state.replicate = t->replicate;
    state.running = 1;
    state.done = (int)(t->out->done + t->out->skipped);
    state.failed = (int)t->out->failed;
    sp_run_progress_take(&t->progress, of_run);
    write_progress(t);
    if (watch->progress) watch->progress(watch->user, &state);
}

/* ---- one run ---- */

/* On rank 0: whether the run is to be done, with its lock then. */
static sp_status take_run(together *t, const sp_run_spec *run, bool *taken, int *lock) {
    sp_run_state state;
    *taken = false;
    *lock = -1;
    sp_status st = sp_run_lock(run, t->job->folder, lock);
    if (st == SP_ERR_BUSY) return SP_OK;
    if (!st) st = sp_run_find_state(run, t->job->folder, &state);
    if (st) return st;
    *taken = state != SP_RUN_FINISHED;
    if (*taken) return SP_OK;
    t->out->skipped++;
    sp_run_unlock(run, t->job->folder, *lock, true);
    *lock = -1;
    return SP_OK;
}

/* The failure whose message is there becomes the run's. */
static sp_status fail_run(together *t, const sp_run_spec *run) {
    char *message = sp_strdup(sp_error());
    sp_status st = SP_OK;
    t->out->failed++;
    if (!t->first_failure)
        t->first_failure = sp_format("%s %s: %s", t->title, t->replicate, message);
    if (sp_ranks_leads(t->ranks)) {
        const sp_study_watch *watch = &t->job->watch;
        st = sp_run_record_failure(run, t->job->folder, message);
        if (watch->failed) watch->failed(watch->user, run, message);
    }
    free(message);
    return sp_ranks_settle(t->ranks, st);
}

/* On rank 0. */
static void begin_run(together *t, const sp_run_spec *run) {
    const sp_study_watch *watch = &t->job->watch;
    t->progress = sp_run_progress_start(getpid());
    t->write_due = 0;
    write_progress(t);
    if (watch->started) watch->started(watch->user, run, run->threads);
}

/* All ranks end the trial alike. */
static sp_status do_run(together *t, const sp_run_spec *run) {
    const sp_study_watch *watch = &t->job->watch;
    bool leads = sp_ranks_leads(t->ranks);
    sp_progress progress = {report_progress, t};
    double started = sp_now();
    if (leads) begin_run(t, run);
    sp_status st =
        sp_trial_share(run, t->job->folder, t->job->assets, t->ranks, leads ? &progress : NULL);
    if (leads) sp_run_progress_remove(run, t->job->folder);
    sp_assets_forget_model(t->job->assets, run->model, sp_run_precision(run));
    if (sp_study_must_stop(st)) return st;
    if (st) return fail_run(t, run);
    t->out->done++;
    if (leads && watch->finished) watch->finished(watch->user, run, sp_now() - started);
    return SP_OK;
}

static sp_status look_at_run(together *t) {
    const sp_run_spec *run = &t->job->runs->items[t->index];
    bool taken = false, stop = sp_interrupted();
    int lock = -1;
    sp_status st = sp_ranks_leads(t->ranks) ? take_run(t, run, &taken, &lock) : SP_OK;
    st = sp_ranks_settle_flags(t->ranks, st, &stop, &taken);
    if (!st && stop) st = sp_fail(SP_ERR_INTERRUPTED, "interrupted; run it again to go on");
    if (!st && taken) {
        size_t done = t->out->done;
        t->title = sp_run_title(run);
        t->replicate = sp_run_replicate(run);
        st = do_run(t, run);
        if (lock >= 0) sp_run_unlock(run, t->job->folder, lock, t->out->done > done);
        free(t->title), free(t->replicate);
    } else if (lock >= 0) {
        sp_run_unlock(run, t->job->folder, lock, false);
    }
    return st;
}

/* ---- the study ---- */

static sp_status prepare_folder(const char *folder) {
    char *runs = sp_path_join(folder, "runs");
    sp_status st = sp_make_folders(runs);
    if (!st) sp_remove_leftovers(folder);
    free(runs);
    return st;
}

sp_status sp_together_runs(const sp_study_job *job, sp_ranks *ranks, sp_schedule *out) {
    together t = {.job = job, .ranks = ranks, .out = out};
    bool leads = sp_ranks_leads(ranks);
    *out = (sp_schedule){0};
    sp_status st = sp_ranks_settle(ranks, leads ? prepare_folder(job->folder) : SP_OK);
    for (; !st && t.index < job->runs->count; t.index++) st = look_at_run(&t);
    if (!st) st = sp_ranks_settle(ranks, leads ? sp_study_index_write(job->folder) : SP_OK);
    if (!st && out->failed)
        st = sp_fail(SP_ERR_FAILED, "%zu of %zu runs failed; the first: %s", out->failed,
                     job->runs->count, t.first_failure);
    free(t.first_failure);
    return st;
}
