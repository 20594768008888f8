#include "report/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sp_status load_run(sp_results *r, size_t i, const char *folder) {
    const sp_run_spec *run = &r->runs->items[i];
    sp_status st = sp_yaml_parse(run->spec_yaml, strlen(run->spec_yaml), "run", &r->settings[i]);
    if (st) return st;
    st = sp_run_find_state(run, folder, &r->states[i]);
    if (st || r->states[i] == SP_RUN_PENDING) return st;
    char *path = sp_run_path(run, folder);
    st = sp_runlog_read(path, &r->logs[i]);
    free(path);
    return st;
}

static bool same_row(const sp_run_spec *a, const sp_run_spec *b) {
    return strcmp(a->entry, b->entry) == 0 && strcmp(a->point, b->point) == 0;
}

static void add_to_row(sp_results *r, size_t i) {
    const sp_run_spec *run = &r->runs->items[i];
    sp_row *row = r->row_count ? &r->rows[r->row_count - 1] : NULL;
    if (!row || !same_row(row->run, run)) {
        row = &r->rows[r->row_count++];
        *row = (sp_row){.run = run, .title = sp_run_title(run), .first = i};
    }
    row->count++;
    row->finished += r->states[i] == SP_RUN_FINISHED;
    row->failed += r->states[i] == SP_RUN_FAILED;
}

static bool has_score(const sp_results *r, const sp_score *score) {
    const char *group = strcmp(score->group, "all") == 0 ? NULL : score->group;
    for (size_t i = 0; i < r->runs->count; i++)
        if (!isnan(sp_runlog_get_test(&r->logs[i], group, score->metric->name))) return true;
    return false;
}

static void choose_scores(sp_results *r) {
    const sp_spec *spec = r->spec;
    r->scores = sp_alloc(spec->score_count, sizeof *r->scores);
    for (size_t i = 0; i < spec->score_count; i++)
        if (spec->scores_given || has_score(r, &spec->scores[i]))
            r->scores[r->score_count++] = spec->scores[i];
}

sp_status sp_results_load(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_results *out) {
    *out = (sp_results){.spec = spec, .runs = runs};
    out->states = sp_alloc(runs->count, sizeof *out->states);
    out->logs = sp_alloc(runs->count, sizeof *out->logs);
    out->settings = sp_alloc(runs->count, sizeof *out->settings);
    out->rows = sp_alloc(runs->count, sizeof *out->rows);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < runs->count; i++) {
        st = load_run(out, i, folder);
        if (!st) add_to_row(out, i);
    }
    if (st)
        sp_results_free(out);
    else
        choose_scores(out);
    return st;
}

void sp_results_free(sp_results *r) {
    for (size_t i = 0; r->logs && i < r->runs->count; i++) {
        sp_runlog_free(&r->logs[i]);
        sp_yaml_free(r->settings[i]);
    }
    for (size_t i = 0; i < r->row_count; i++) free(r->rows[i].title);
    free(r->states), free(r->logs), free(r->settings), free(r->rows), free(r->scores);
    *r = (sp_results){0};
}

sp_summary sp_summarise(const double *values, size_t n) {
    sp_summary s = {.mean = NAN, .n = n};
    if (!n) return s;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    s.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (values[i] - s.mean) * (values[i] - s.mean);
    s.deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
    return s;
}

/* ---- scores ---- */

const char *sp_results_setting(const sp_results *r, size_t run, const char *path) {
    if (strcmp(path, "entry") == 0) return r->runs->items[run].entry;
    const sp_yaml *node = sp_yaml_at(r->settings[run], path);
    return node && node->kind == SP_YAML_SCALAR ? node->text : NULL;
}

static double dev_at_best(const sp_runlog *log, const char *series) {
    const sp_column *values = sp_runlog_get_dev(log, series);
    double best = sp_runlog_get_number(log, "best_step");
    for (size_t i = 0; values && i < values->len; i++)
        if (log->dev_step.data[i] == best) return values->data[i];
    return NAN;
}

static const char dev_prefix[] = "dev.best.", test_prefix[] = "test.";

static bool is_of_dev(const char *score) {
    return strncmp(score, dev_prefix, strlen(dev_prefix)) == 0;
}

/* The last word of a score, and for test its group (owned by the caller). */
static const char *split_score(const char *score, char **group) {
    const char *dot = strrchr(score, '.'), *start = score + strlen(test_prefix);
    *group = is_of_dev(score) ? NULL : sp_strndup(start, (size_t)(dot - start));
    return dot + 1;
}

double sp_results_score(const sp_results *r, size_t run, const char *score) {
    if (r->states[run] != SP_RUN_FINISHED) return NAN;
    char *group;
    const char *name = split_score(score, &group);
    double value =
        group ? sp_runlog_get_test(&r->logs[run], strcmp(group, "all") == 0 ? NULL : group, name)
              : dev_at_best(&r->logs[run], name);
    free(group);
    return value;
}

char *sp_score_title(const char *score) {
    char *group;
    const char *name = split_score(score, &group);
    const sp_metric *metric = sp_metric_find(name);
    const char *title = metric ? metric->title : name;
    char *text;
    if (!group)
        text = sp_format("%s on dev", title);
    else if (strcmp(group, "all") == 0)
        text = sp_strdup(title);
    else
        text = sp_format("%s (%s)", title, group);
    free(group);
    return text;
}

/* Summary of one number per run; runs without it do not count. */
static sp_summary summarise_row(const sp_results *r, const sp_row *row, const char *name,
                                bool attribute) {
    double *values = sp_alloc(row->count, sizeof *values);
    size_t n = 0;
    for (size_t i = row->first; i < row->first + row->count; i++) {
        if (r->states[i] != SP_RUN_FINISHED) continue;
        double x =
            attribute ? sp_runlog_get_number(&r->logs[i], name) : sp_results_score(r, i, name);
        if (isfinite(x)) values[n++] = x;
    }
    sp_summary s = sp_summarise(values, n);
    free(values);
    return s;
}

sp_summary sp_row_score(const sp_results *r, const sp_row *row, const char *score) {
    return summarise_row(r, row, score, false);
}

sp_summary sp_row_attribute(const sp_results *r, const sp_row *row, const char *name) {
    return summarise_row(r, row, name, true);
}
