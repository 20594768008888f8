/* softprompt cancel SPEC: asks the processes at work on a study to stop after a checkpoint. */
#include "cli/command.h"
#include "cli/study.h"
#include "core/clock.h"
#include "scheduling/at_work.h"
#include "scheduling/run_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_RUN = 256, PAUSE_MICROSECONDS = 100000 };

static const char doc[] =
    "Asks every process at work on the study SPEC, on this machine and others that see FOLDER, to "
    "stop after a checkpoint of each run, and waits until they have. The next `run` goes on. With "
    "--run, only that run stops, and the processes go on with the others.";

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    char **run = state->input;
    if (key != OPTION_RUN) return ARGP_ERR_UNKNOWN;
    free(*run);
    *run = sp_strdup(arg);
    return 0;
}

static const struct argp_option option_list[] = {
    {"run", OPTION_RUN, "ID", 0, "only the run with this id, or the one id that begins so", 0},
    {0}};
static const struct argp cancel_parser = {.options = option_list, .parser = parse_option};

static void say(const sp_study *study, const char *text) {
    if (study->quiet) return;
    printf("%s: %s\n", study->spec.name, text);
    fflush(stdout);
}

/* NULL for all processes; else the run is stopped. */
static bool is_over(const sp_study *study, const sp_strings *asked, const sp_run_spec *run) {
    if (run) return !sp_run_is_locked(run, study->folder);
    for (size_t i = 0; i < asked->len; i++)
        if (sp_at_work_is(study->folder, asked->data[i])) return false;
    return true;
}

static sp_status ask(const sp_study *study, const sp_strings *asked, const sp_run_spec *run) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < asked->len; i++) {
        char *who = sp_at_work_describe(asked->data[i]), *line = NULL;
        st = sp_at_work_ask(study->folder, asked->data[i], run ? run->id : NULL);
        if (!st && !run) say(study, line = sp_format("asked %s to stop", who));
        free(who), free(line);
    }
    return st;
}

static sp_status wait_for_end(const sp_study *study, const sp_strings *asked,
                              const sp_run_spec *run) {
    while (!is_over(study, asked, run)) {
        if (sp_interrupted())
            return sp_fail(SP_ERR_INTERRUPTED,
                           "not waiting any more; the request stands until it is met");
        usleep(PAUSE_MICROSECONDS);
    }
    return SP_OK;
}

/* `run` NULL: all. */
static sp_status cancel(const sp_study *study, const sp_run_spec *run) {
    sp_strings at_work = {0};
    sp_at_work_others(study->folder, NULL, &at_work);
    char *line = run ? sp_format("no process is at work on run %s", run->id)
                     : sp_strdup("no process is at work on it");
    bool idle = !at_work.len || (run && !sp_run_is_locked(run, study->folder));
    sp_status st = SP_OK;
    if (!idle) {
        free(line);
        line = run ? sp_format("run %s is stopped", run->id) : sp_strdup("stopped");
        st = ask(study, &at_work, run);
        if (!st) st = wait_for_end(study, &at_work, run);
    }
    if (!st) say(study, line);
    free(line);
    sp_strings_free(&at_work);
    return st;
}

/* The one run whose id begins with `id`. */
static sp_status find_run(const sp_study *study, const char *id, const sp_run_spec **out) {
    *out = NULL;
    for (size_t i = 0; i < study->runs.count; i++) {
        const sp_run_spec *run = &study->runs.items[i];
        if (strncmp(run->id, id, strlen(id)) != 0) continue;
        if (*out && strcmp((*out)->id, run->id) != 0)
            return sp_fail(SP_ERR_USAGE, "--run %s: several runs begin so; give more of the id",
                           id);
        *out = run;
    }
    if (*out) return SP_OK;
    return sp_fail(SP_ERR_USAGE,
                   "--run %s: %s has no such run; `softprompt status --json` lists them", id,
                   study->spec.name);
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    char *id = NULL;
    const sp_run_spec *one = NULL;
    const sp_own_options own = {&cancel_parser, &id};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    if (!st && id) st = find_run(&study, id, &one);
    if (!st) st = cancel(&study, one);
    sp_study_close(&study);
    free(id);
    return st;
}

const sp_command sp_command_cancel = {
    .name = "cancel", .help = "stop the processes at work on a study", .run = run};
