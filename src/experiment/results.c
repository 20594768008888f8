#include "experiment/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sp_status load_run(sp_results *r, size_t i, const char *folder) {
    const sp_run_spec *run = &r->runs->items[i];
    sp_status st = sp_run_find_state(run, folder, &r->states[i]);
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

sp_status sp_results_load(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_results *out) {
    *out = (sp_results){.spec = spec, .runs = runs};
    out->states = sp_alloc(runs->count, sizeof *out->states);
    out->logs = sp_alloc(runs->count, sizeof *out->logs);
    out->rows = sp_alloc(runs->count, sizeof *out->rows);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < runs->count; i++) {
        st = load_run(out, i, folder);
        if (!st) add_to_row(out, i);
    }
    if (st) sp_results_free(out);
    return st;
}

void sp_results_free(sp_results *r) {
    for (size_t i = 0; r->logs && i < r->runs->count; i++) sp_runlog_free(&r->logs[i]);
    for (size_t i = 0; i < r->row_count; i++) free(r->rows[i].title);
    free(r->states), free(r->logs), free(r->rows);
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

/* Summary of one number per finished run; runs without it (NaN) do not count. */
static sp_summary summarise_row(const sp_results *r, const sp_row *row, const char *group,
                                const char *name, bool attribute) {
    double *values = sp_alloc(row->count, sizeof *values);
    size_t n = 0;
    for (size_t i = row->first; i < row->first + row->count; i++) {
        if (r->states[i] != SP_RUN_FINISHED) continue;
        double x = attribute ? sp_runlog_get_number(&r->logs[i], name)
                             : sp_runlog_get_test(&r->logs[i], group, name);
        if (!isnan(x)) values[n++] = x;
    }
    sp_summary s = sp_summarise(values, n);
    free(values);
    return s;
}

sp_summary sp_row_test(const sp_results *r, const sp_row *row, const char *group,
                       const char *metric) {
    return summarise_row(r, row, strcmp(group, "all") == 0 ? NULL : group, metric, false);
}

sp_summary sp_row_attribute(const sp_results *r, const sp_row *row, const char *name) {
    return summarise_row(r, row, NULL, name, true);
}
