/* softprompt run SPEC: does every run of a study that is not finished yet. */
#include "cli/command.h"
#include "cli/number.h"
#include "cli/progress.h"
#include "cli/study.h"
#include "experiment/scheduler.h"
#include "experiment/trial.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_JOBS = 1024, OPTION_JSON = 256 };

static const char doc[] =
    "Does every run of the study SPEC that is not finished yet and keeps each as one HDF5 file in "
    "FOLDER/<name>/runs. A finished run is never done twice; an interrupted one goes on where it "
    "was. Several runs at a time give the same as one after the other.";

/* ---- command line ---- */

typedef struct run_options {
    int jobs; /* 0: as many as the CPUs hold */
    bool json;
} run_options;

static const struct argp_option option_list[] = {
    {"jobs", 'j', "N", 0,
     "at most N runs at a time (default: as many as the CPUs hold; never more than that)", 0},
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
} watcher;

/* One line, at once: a script may be waiting for it. */
static void print_json(json_t *object) {
    char *line = json_dumps(object, JSON_COMPACT);
    puts(line);
    fflush(stdout);
    free(line);
    json_decref(object);
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
    const watcher *w = user;
    if (!w->options->json) return;
    json_t *object = run_json("failed", run);
    json_object_set_new(object, "message", json_string(message));
    print_json(object);
}

static void print_end(const watcher *w, const sp_schedule *done, sp_status st) {
    const sp_study *study = w->study;
    if (w->options->json)
        print_json(json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:i}", "event", "end", "study",
                             study->spec.name, "runs", (int)study->runs.count, "done",
                             (int)done->done, "finished_before", (int)done->skipped, "failed",
                             (int)done->failed, "interrupted", st == SP_ERR_INTERRUPTED,
                             "exit_code", (int)st));
    else if (!study->quiet && (!st || st == SP_ERR_FAILED))
        printf("%s: %zu runs; %zu done now, %zu finished before, %zu failed; logs in %s/runs\n",
               study->spec.name, study->runs.count, done->done, done->skipped, done->failed,
               study->folder);
}

/* ---- the command ---- */

static sp_status do_runs(const sp_study *study, const run_options *options) {
    watcher w = {study, options, sp_printer_start(study->quiet)};
    sp_study_job job = {
        .runs = &study->runs,
        .folder = study->folder,
        .assets = study->assets,
        .prepare = sp_trial_prepare,
        .trial = sp_trial_run,
        .jobs = options->jobs,
        .watch = {&w, on_started, on_progress, on_finished, on_failed},
    };
    sp_schedule done;
    sp_status st = sp_schedule_runs(&job, &done);
    sp_printer_end(&w.printer);
    print_end(&w, &done, st);
    return st;
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    run_options options = {0};
    const sp_own_options own = {&run_parser, &options};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    if (!st) st = do_runs(&study, &options);
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_run = {
    .name = "run", .help = "do the runs of a study that are not finished", .run = run};
