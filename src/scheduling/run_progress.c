#include "scheduling/run_progress.h"

#include "core/file.h"
#include "core/host.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *progress_path(const sp_run_spec *run, const char *folder) {
    return sp_format("%s/runs/%s.progress.json", folder, run->id);
}

static sp_run_progress unknown(void) {
    return (sp_run_progress){.loss = NAN, .tokens_per_second = NAN, .seconds_left = -1};
}

sp_run_progress sp_run_progress_start(long run_pid) {
    sp_run_progress p = unknown();
    p.pid = getpid();
    p.run_pid = run_pid;
    snprintf(p.host, sizeof p.host, "%s", sp_host());
    snprintf(p.phase, sizeof p.phase, "start");
    time_t now = time(NULL);
    struct tm utc;
    strftime(p.started, sizeof p.started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return p;
}

void sp_run_progress_take(sp_run_progress *p, const sp_progress_state *state) {
    snprintf(p->phase, sizeof p->phase, "%s", state->phase ? state->phase : "training");
    p->step = state->step;
    p->steps = state->steps;
    p->loss = state->loss;
    p->tokens_per_second = state->tokens_per_second;
    p->seconds_left = state->seconds_left;
}

/* ---- as JSON, where an unknown number is left out ---- */

static void put_number(json_t *object, const char *name, double value) {
    if (isfinite(value)) json_object_set_new(object, name, json_real(value));
}

static char *to_text(const sp_run_progress *p) {
    json_t *object =
        json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:I}", "pid", (json_int_t)p->pid, "run_pid",
                  (json_int_t)p->run_pid, "host", p->host, "started", p->started, "phase", p->phase,
                  "step", (json_int_t)p->step, "steps", (json_int_t)p->steps);
    put_number(object, "loss", p->loss);
    put_number(object, "tokens_per_second", p->tokens_per_second);
    if (p->seconds_left >= 0) put_number(object, "seconds_left", p->seconds_left);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

static long whole_number(const json_t *object, const char *name) {
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (long)value : 0;
}

static double number(const json_t *object, const char *name, double fallback) {
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static void text(const json_t *object, const char *name, char word[SP_PROGRESS_WORD]) {
    const char *value = json_string_value(json_object_get(object, name));
    snprintf(word, SP_PROGRESS_WORD, "%s", value ? value : "");
    for (char *c = word; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?'; /* it may be printed on a terminal */
}

sp_run_progress sp_run_progress_parse(const char *bytes, size_t len) {
    sp_run_progress p = unknown();
    json_t *object = json_loadb(bytes, len, 0, NULL);
    p.pid = whole_number(object, "pid");
    p.run_pid = whole_number(object, "run_pid");
    text(object, "host", p.host);
    text(object, "started", p.started);
    text(object, "phase", p.phase);
    p.step = whole_number(object, "step");
    p.steps = whole_number(object, "steps");
    p.loss = number(object, "loss", NAN);
    p.tokens_per_second = number(object, "tokens_per_second", NAN);
    p.seconds_left = number(object, "seconds_left", -1);
    json_decref(object);
    return p;
}

/* ---- the file ---- */

/* Not synced to the disk, unlike sp_write_file: after a crash it is of no use. */
static void replace_file(const char *path, const char *content) {
    char *temporary = sp_temporary_path(path);
    FILE *f = fopen(temporary, "we");
    bool written = f && fputs(content, f) >= 0;
    if (f && fclose(f)) written = false;
    if (!written || rename(temporary, path)) unlink(temporary);
    free(temporary);
}

void sp_run_progress_write(const sp_run_progress *p, const sp_run_spec *run, const char *folder) {
    char *path = progress_path(run, folder), *content = to_text(p);
    if (content) replace_file(path, content);
    free(path), free(content);
}

void sp_run_progress_remove(const sp_run_spec *run, const char *folder) {
    char *path = progress_path(run, folder);
    unlink(path);
    free(path);
}

sp_run_progress sp_run_progress_read(const sp_run_spec *run, const char *folder) {
    char *path = progress_path(run, folder);
    sp_buf content = {0};
    sp_run_progress p = unknown();
    if (sp_file_exists(path) && !sp_read_file(path, &content))
        p = sp_run_progress_parse(content.data, content.len);
    sp_buf_free(&content);
    free(path);
    return p;
}
