/* softprompt run SPEC: does every run of a study that is not finished yet. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/mpirun.h"
#include "cli/number.h"
#include "cli/only.h"
#include "cli/progress.h"
#include "cli/study.h"
#include "experiment/trial.h"
#include "scheduling/at_work.h"
#include "scheduling/scheduler.h"
#include "scheduling/together.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_JOBS = 1024,
    MOST_RETRIES = 100,
    OPTION_JSON = 256,
    OPTION_ONLY,
    OPTION_NO_WAIT,
    OPTION_RETRY,
    OPTION_TIME_LIMIT,
    OPTION_MEMORY_LIMIT,
    OPTION_DATA_PARALLEL
};

static const char doc[] =
    "Does every run of the study SPEC that is not finished yet and keeps each as one HDF5 file in "
    "FOLDER/<name>/runs. A finished run is never done twice; an interrupted one goes on where it "
    "was. Several runs at a time give the same as one after the other. Several `run` of one study, "
    "also on several machines, share its runs; so do the ranks of `mpirun -n N softprompt run "
    "SPEC`.";

/* ---- command line ---- */

typedef struct run_options {
    int jobs; /* 0: as many as the CPUs hold */
    bool json, no_wait, data_parallel;
    int retries;
    sp_only only;
    sp_limits limits; /* 0: as the spec says */
} run_options;

static const struct argp_option option_list[] = {
    {"jobs", 'j', "N", 0,
     "at most N runs at a time (default: as many as the CPUs hold; never more than that)", 0},
    {"only", OPTION_ONLY, "N|N-M", 0,
     "only these runs, by their places in the study's list, from 1; may be repeated", 0},
    {"no-wait", OPTION_NO_WAIT, NULL, 0, "do not wait at the end for the runs of other processes",
     0},
    {"retry", OPTION_RETRY, "N", 0,
     "try a run that died, or met a failure of memory or files, up to N more times at the end", 0},
    {"time-limit", OPTION_TIME_LIMIT, "TIME", 0,
     "stop a run after TIME (90s, 30m, 2h), with a checkpoint; it counts as failed", 0},
    {"memory-limit", OPTION_MEMORY_LIMIT, "SIZE", 0,
     "end a run whose own memory is more than SIZE (800M, 4G); it counts as failed", 0},
    {"data-parallel", OPTION_DATA_PARALLEL, NULL, 0,
     "under mpirun: all ranks work on the same run, each on its share of every batch", 0},
    {"json", OPTION_JSON, NULL, 0,
     "a JSON object a line for each run that starts or ends, and at the end", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    run_options *options = state->input;
    switch (key) {
    case 'j':
        options->jobs = sp_argument_number(arg, "jobs", 1, MOST_JOBS, state);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_ONLY:
        if (!sp_only_add(&options->only, arg))
            argp_error(state, "--only is '%s'; use a run's place such as 3, or 3-8", arg);
        return 0;
    case OPTION_NO_WAIT:
        options->no_wait = true;
        return 0;
    case OPTION_DATA_PARALLEL:
        options->data_parallel = true;
        return 0;
    case OPTION_RETRY:
        options->retries = sp_argument_number(arg, "retry", 0, MOST_RETRIES, state);
        return 0;
    case OPTION_TIME_LIMIT:
        if (!sp_limits_parse_time(arg, &options->limits.seconds))
            argp_error(state, "--time-limit is '%s'; use a time such as 90s, 30m or 2h", arg);
        return 0;
    case OPTION_MEMORY_LIMIT:
        if (!sp_limits_parse_memory(arg, &options->limits.bytes))
            argp_error(state, "--memory-limit is '%s'; use a size such as 800M or 4G", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp run_parser = {.options = option_list, .parser = parse_option};

/* ---- what is printed ---- */

typedef struct watcher {
    const sp_study *study;
    const run_options *options;
    sp_printer printer;
    bool failed; /* a run, in this process */
} watcher;

/* One line, at once: a script may be waiting for it. */
static void print_json(json_t *object) {
    sp_print_json(object, JSON_COMPACT);
    fflush(stdout);
}

static json_t *run_json(const char *event, const sp_run_spec *run) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "event", event, "study",
                     run->experiment, "run", run->id, "entry", run->entry, "point", run->point,
                     "method", run->method, "model", run->model, "dataset", run->dataset, "seed",
                     run->seed, "subsample", run->subsample);
}

static void on_started(void *user, const sp_run_spec *run, int threads) {
    const watcher *w = user;
    if (!w->options->json) return;
    json_t *object = run_json("started", run);
    json_object_set_new(object, "threads", json_integer(threads));
    print_json(object);
}

static void on_progress(void *user, const sp_progress_state *state) {
    watcher *w = user;
    sp_progress progress = sp_printer_progress(&w->printer);
    sp_progress_report(&progress, state);
}

static void on_finished(void *user, const sp_run_spec *run, double seconds) {
    const watcher *w = user;
    if (!w->options->json) return;
    char *file = sp_run_path(run, w->study->folder);
    json_t *object = run_json("finished", run);
    json_object_set_new(object, "seconds", json_real(seconds));
    json_object_set_new(object, "file", json_string(file));
    print_json(object);
    free(file);
}

static void on_failed(void *user, const sp_run_spec *run, const char *message) {
    watcher *w = user;
    w->failed = true;
    if (!w->options->json) return;
    json_t *object = run_json("failed", run);
    json_object_set_new(object, "message", json_string(message));
    print_json(object);
}

/* A line of its own beside the progress. */
static void print_remark(watcher *w, char *text) {
    if (!w->study->quiet) {
        sp_printer_break(&w->printer);
        fprintf(stderr, "%s: %s\n", w->study->spec.name, text);
    }
    free(text);
}

static void on_retried(void *user, const sp_run_spec *run, const char *message, int left) {
    watcher *w = user;
    if (w->options->json) {
        json_t *object = run_json("retry", run);
        json_object_set_new(object, "message", json_string(message));
        json_object_set_new(object, "left", json_integer(left));
        print_json(object);
    }
    char *title = sp_run_title(run), *replicate = sp_run_replicate(run);
    print_remark(
        w, sp_format("%s %s failed and is tried again at the end: %s", title, replicate, message));
    free(title), free(replicate);
}

static void on_joined(void *user, const char *process) {
    watcher *w = user;
    if (w->options->json)
        print_json(json_pack("{s:s, s:s, s:s}", "event", "joined", "study", w->study->spec.name,
                             "process", process));
    char *who = sp_at_work_describe(process);
    print_remark(w, sp_format("%s is at work on this study too; the runs are shared", who));
    free(who);
}

static void on_waiting(void *user, size_t runs) {
    print_remark(user, sp_format("waiting for %zu runs of other processes", runs));
}

static void on_stopping(void *user, int running) {
    if (!running) return;
    print_remark(user,
                 sp_format("stopping %d run%s, with a checkpoint; Ctrl-C (again) ends at once",
                           running, running == 1 ? "" : "s"));
}

/* Said also if quiet: work was lost. */
static void on_begun_anew(void *user, const sp_run_spec *run, const char *message) {
    watcher *w = user;
    if (w->options->json) {
        json_t *object = run_json("begun anew", run);
        json_object_set_new(object, "message", json_string(message));
        print_json(object);
    }
    sp_printer_break(&w->printer);
    fprintf(stderr, "%s: %s\n", w->study->spec.name, message);
}

/* What other processes did, or are at, is named only if there is any. */
static void print_counts(const sp_study *study, const sp_schedule *done) {
    size_t ended = done->done + done->skipped + done->elsewhere + done->failed + done->cancelled;
    printf("%s: %zu run%s; %zu done now, %zu finished before, ", study->spec.name,
           study->runs.count, study->runs.count == 1 ? "" : "s", done->done, done->skipped);
    if (done->elsewhere) printf("%zu by other processes meanwhile, ", done->elsewhere);
    if (ended < study->runs.count) printf("%zu left to them, ", study->runs.count - ended);
    printf("%zu failed; logs in %s/runs\n", done->failed, study->folder);
}

static void print_end(const watcher *w, const sp_schedule *done, sp_status st) {
    const sp_study *study = w->study;
    if (w->options->json)
        print_json(json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:i}", "event", "end",
                             "study", study->spec.name, "runs", (int)study->runs.count, "done",
                             (int)done->done, "finished_before", (int)done->skipped, "elsewhere",
                             (int)done->elsewhere, "failed", (int)done->failed, "cancelled",
                             (int)done->cancelled, "interrupted", st == SP_ERR_INTERRUPTED,
                             "exit_code", (int)st));
    else if (!study->quiet && (!st || st == SP_ERR_FAILED))
        print_counts(study, done);
}

/* ---- the command ---- */

/* The command line's, else the spec's. */
static sp_limits limits_of(const sp_study *study, const run_options *options) {
    sp_limits limits = study->spec.limits;
    if (options->limits.seconds > 0) limits.seconds = options->limits.seconds;
    if (options->limits.bytes > 0) limits.bytes = options->limits.bytes;
    return limits;
}

static sp_status do_runs(const sp_study *study, const run_options *options, sp_mpirun *mpi) {
    watcher w = {study, options, sp_printer_start(study->quiet), false};
    sp_run_list order;
    sp_mpirun_order(mpi, &study->runs, &order);
    sp_study_job job = {
        .runs = mpi->ranks ? &study->runs : &order,
        .folder = study->folder,
        .assets = study->assets,
        .prepare = sp_trial_prepare,
        .trial = sp_trial_run,
        .jobs = options->jobs,
        .retries = options->retries,
        .no_wait = options->no_wait,
        .limits = limits_of(study, options),
        .watch = {&w, on_started, on_progress, on_finished, on_failed, on_retried,
                  mpi->active ? NULL : on_joined, mpi->active ? NULL : on_waiting, on_stopping,
                  on_begun_anew},
    };
    sp_schedule done;
    sp_status st;
    if (mpi->ranks) {
        st = sp_together_runs(&job, mpi->ranks, &done);
    } else {
        st = sp_schedule_runs(&job, &done);
        st = sp_mpirun_collect(mpi, st, w.failed, &done);
    }
    sp_printer_end(&w.printer);
    if (sp_mpirun_leads(mpi)) print_end(&w, &done, st);
    free(order.items);
    return st;
}

/* With --data-parallel the ranks are joined before anything runs, else when all is done. */
static sp_status join_ranks(const run_options *options, sp_mpirun *mpi) {
    if (!options->data_parallel) return SP_OK;
    if (!mpi->active)
        return sp_fail(SP_ERR_USAGE, "--data-parallel shares a run among ranks, but mpirun did not "
                                     "start this; use mpirun -n 2 softprompt run ...");
    return sp_mpirun_join(mpi);
}

static sp_status run_study(int argc, char **argv, sp_mpirun *mpi) {
    sp_study study;
    run_options options = {0};
    sp_schedule nothing = {0};
    const sp_own_options own = {&run_parser, &options};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    study.quiet |= !sp_mpirun_leads(mpi);
    options.json &= sp_mpirun_leads(mpi);
    if (!st) st = sp_only_apply(&options.only, &study.runs);
    sp_status joined = join_ranks(&options, mpi);
    if (joined)
        st = joined;
    else if (mpi->ranks)
        st = sp_ranks_settle(mpi->ranks, st);
    if (!st)
        st = do_runs(&study, &options, mpi);
    else if (!mpi->ranks && !joined)
        st = sp_mpirun_collect(mpi, st, false, &nothing);
    sp_only_free(&options.only);
    sp_study_close(&study);
    return st;
}

static sp_status run(int argc, char **argv) {
    sp_mpirun mpi;
    sp_status st = sp_mpirun_start(&mpi);
    if (!st) st = run_study(argc, argv, &mpi);
    return sp_mpirun_end(&mpi, st);
}

const sp_command sp_command_run = {
    .name = "run", .help = "do the runs of a study that are not finished", .run = run};
