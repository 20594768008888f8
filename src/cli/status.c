/* softprompt status SPEC: where the runs of a study stand, whichever process does them. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/other_presets.h"
#include "scheduling/at_work.h"
#include "scheduling/run_status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_JSON = 256 };

static const char doc[] =
    "Says how many runs of each row of the study SPEC are finished, running, failed, interrupted "
    "with a checkpoint, or pending; how far those at work are, in which process; and why runs "
    "failed. It may be called at any time, also on another machine that sees FOLDER.";

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    (void)arg;
    bool *json = state->input;
    if (key != OPTION_JSON) return ARGP_ERR_UNKNOWN;
    *json = true;
    return 0;
}

static const struct argp_option option_list[] = {
    {"json", OPTION_JSON, NULL, 0, "one JSON object with all runs", 0}, {0}};
static const struct argp status_parser = {.options = option_list, .parser = parse_option};

/* ---- as a table ---- */

static void append(sp_buf *line, char *text) {
    sp_buf_printf(line, ", %s", text);
    free(text);
}

static void describe_progress(const sp_run_progress *p, sp_buf *line) {
    bool training = strcmp(p->phase, "training") == 0;
    sp_buf_puts(line, "running");
    if (*p->phase && !training) append(line, sp_strdup(p->phase));
    if (p->steps) append(line, sp_format("step %ld/%ld", p->step, p->steps));
    if (!isnan(p->loss)) append(line, sp_format("loss %.2f", p->loss));
    if (p->seconds_left >= 0) {
        char *left = sp_duration_text(p->seconds_left);
        append(line, sp_format("%s left", left));
        free(left);
    }
    if (*p->host) append(line, sp_format("%ld@%s", p->pid, p->host));
}

/* What there is to say of a run besides its state; nothing of one that is pending or finished. */
static char *describe(const sp_run_status *status) {
    sp_buf line = {0};
    sp_buf_puts(&line, "");
    if (status->state == SP_RUN_RUNNING) describe_progress(&status->progress, &line);
    if (status->state == SP_RUN_INTERRUPTED) sp_buf_puts(&line, "interrupted");
    if (status->state == SP_RUN_FAILED) sp_buf_printf(&line, "failed: %s", status->message);
    if (status->checkpoint_step >= 0)
        append(&line, sp_format("checkpoint at step %ld", status->checkpoint_step));
    return sp_buf_take(&line);
}

static bool same_row(const sp_run_spec *a, const sp_run_spec *b) {
    return strcmp(a->entry, b->entry) == 0 && strcmp(a->point, b->point) == 0;
}

/* The runs from `first` that are one row; returns the place behind them. */
static size_t print_row(const sp_run_list *runs, const sp_run_status *all, size_t first) {
    const sp_run_spec *run = &runs->items[first];
    int counts[SP_RUN_STATES] = {0};
    size_t end = first;
    for (; end < runs->count && same_row(&runs->items[end], run); end++) counts[all[end].state]++;
    char *title = sp_run_title(run);
    printf("%-40s %4zu %8d %7d %6d %11d %7d\n", title, end - first, counts[SP_RUN_FINISHED],
           counts[SP_RUN_RUNNING], counts[SP_RUN_FAILED], counts[SP_RUN_INTERRUPTED],
           counts[SP_RUN_PENDING]);
    free(title);
    for (size_t i = first; i < end; i++) {
        char *text = describe(&all[i]), *replicate = sp_run_replicate(&runs->items[i]);
        if (*text) printf("  %s, %s: %s\n", runs->items[i].id, replicate, text);
        free(text), free(replicate);
    }
    return end;
}

static void count_states(const sp_run_list *runs, const sp_run_status *all,
                         int counts[SP_RUN_STATES]) {
    for (size_t i = 0; i < runs->count; i++) counts[all[i].state]++;
}

static void print_table(const sp_study *study, const sp_run_status *all,
                        const sp_strings *at_work) {
    int counts[SP_RUN_STATES] = {0};
    printf("%-40s %4s %8s %7s %6s %11s %7s\n", "method", "runs", "finished", "running", "failed",
           "interrupted", "pending");
    for (size_t i = 0; i < study->runs.count;) i = print_row(&study->runs, all, i);
    count_states(&study->runs, all, counts);
    printf("\n%s: %d of %zu runs finished, %d running, %d failed, %d interrupted, %d pending; at "
           "work: ",
           study->spec.name, counts[SP_RUN_FINISHED], study->runs.count, counts[SP_RUN_RUNNING],
           counts[SP_RUN_FAILED], counts[SP_RUN_INTERRUPTED], counts[SP_RUN_PENDING]);
    char *list = sp_list_text((const char *const *)at_work->data, at_work->len);
    puts(list);
    free(list);
}

/* ---- as JSON ---- */

static void put_number(json_t *object, const char *name, double value) {
    if (isfinite(value)) json_object_set_new(object, name, json_real(value));
}

static void put_progress(json_t *object, const sp_run_progress *p) {
    if (*p->host) {
        json_object_set_new(object, "pid", json_integer(p->pid));
        json_object_set_new(object, "host", json_string(p->host));
        json_object_set_new(object, "started", json_string(p->started));
        json_object_set_new(object, "phase", json_string(p->phase));
    }
    json_object_set_new(object, "step", json_integer(p->step));
    json_object_set_new(object, "steps", json_integer(p->steps));
    put_number(object, "loss", p->loss);
    put_number(object, "tokens_per_second", p->tokens_per_second);
    if (p->seconds_left >= 0) put_number(object, "seconds_left", p->seconds_left);
}

static json_t *run_json(const sp_run_spec *run, const sp_run_status *status) {
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "run", run->id, "state",
                               sp_run_state_names[status->state], "entry", run->entry, "point",
                               run->point, "seed", run->seed, "subsample", run->subsample);
    if (status->state == SP_RUN_RUNNING) put_progress(object, &status->progress);
    if (status->message) json_object_set_new(object, "message", json_string(status->message));
    if (status->checkpoint_step >= 0)
        json_object_set_new(object, "checkpoint_step", json_integer(status->checkpoint_step));
    return object;
}

static void print_json(const sp_study *study, const sp_run_status *all, const sp_strings *at_work) {
    int counts[SP_RUN_STATES] = {0};
    json_t *object = json_object(), *list = json_array(), *processes = json_array();
    count_states(&study->runs, all, counts);
    json_object_set_new(object, "study", json_string(study->spec.name));
    for (int state = 0; state < SP_RUN_STATES; state++)
        json_object_set_new(object, sp_run_state_names[state], json_integer(counts[state]));
    for (size_t i = 0; i < at_work->len; i++)
        json_array_append_new(processes, json_string(at_work->data[i]));
    for (size_t i = 0; i < study->runs.count; i++)
        json_array_append_new(list, run_json(&study->runs.items[i], &all[i]));
    json_object_set_new(object, "at_work", processes);
    json_object_set_new(object, "runs", list);
    sp_print_json(object, JSON_COMPACT);
}

/* ---- the command ---- */

static sp_status show(const sp_study *study, bool json) {
    sp_run_status *all = sp_alloc(study->runs.count, sizeof *all);
    sp_strings at_work = {0};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < study->runs.count; i++)
        st = sp_run_status_read(&study->runs.items[i], study->folder, &all[i]);
    if (!st) {
        sp_at_work_others(study->folder, NULL, &at_work);
        (json ? print_json : print_table)(study, all, &at_work);
    }
    for (size_t i = 0; i < study->runs.count; i++) sp_run_status_free(&all[i]);
    sp_strings_free(&at_work);
    free(all);
    return st;
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    bool json = false;
    const sp_own_options own = {&status_parser, &json};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    if (!st) st = show(&study, json);
    if (!st) sp_hint_other_presets(&study);
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_status = {
    .name = "status", .help = "where the runs of a study stand", .run = run};
