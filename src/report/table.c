#include "report/table.h"

#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers as text; each result is owned by the caller ---- */

/* Share of all parameters in percent, with three digits. */
static double share(const sp_results *r, const sp_row *row) {
    return 100 * sp_row_attribute(r, row, "trainable_parameters").mean /
           sp_row_attribute(r, row, "total_parameters").mean;
}

static char *count_text(const sp_results *r, const sp_row *row, const char *attribute) {
    double n = sp_row_attribute(r, row, attribute).mean;
    return isnan(n) ? sp_strdup("-") : sp_grouped_text(lround(n));
}

static char *share_text(const sp_results *r, const sp_row *row) {
    double percent = share(r, row);
    if (isnan(percent)) return sp_strdup("-");
    return sp_format(percent >= 99.5 || percent == 0 ? "%.0f%%" : "%.3g%%", percent);
}

/* Whether the model's own weights trained: "frozen", "in part", "tuned". */
static char *language_model_text(const sp_results *r, const sp_row *row) {
    for (size_t i = row->first; i < row->first + row->count; i++) {
        const char *text = sp_runlog_get_text(&r->logs[i], "language_model");
        if (r->states[i] == SP_RUN_FINISHED && text) return sp_strdup(text);
    }
    return sp_strdup("-");
}

/* "3", or "2 of 3" when some are missing. */
static char *runs_text(const sp_row *row) {
    if (row->finished == row->count) return sp_format("%zu", row->count);
    return sp_format("%zu of %zu", row->finished, row->count);
}

/* ---- columns ---- */

static const sp_metric *metric_of(const sp_results *r, size_t score) {
    return r->scores[score].metric;
}

static const char *group_of(const sp_results *r, size_t score) {
    return r->scores[score].group;
}

static sp_summary score_of(const sp_results *r, const sp_row *row, size_t score) {
    char *name = sp_format("test.%s.%s", group_of(r, score), metric_of(r, score)->name);
    sp_summary s = sp_row_score(r, row, name);
    free(name);
    return s;
}

static char *heading(const sp_results *r, size_t score) {
    const sp_metric *m = metric_of(r, score);
    return sp_format("%s %s%s", m->title, group_of(r, score),
                     m->higher_is_better ? "" : " (lower is better)");
}

/* ---- the sheet ---- */

/* Takes the text. */
static void take_cell(sp_sheet *sheet, char *text) {
    sp_sheet_cell(sheet, text);
    free(text);
}

static void take_column(sp_sheet *sheet, char *title) {
    sp_sheet_column(sheet, title, true);
    free(title);
}

static void put_score(const sp_results *r, const sp_row *row, size_t score, sp_sheet *sheet) {
    sp_summary value = score_of(r, row, score);
    if (value.n)
        sp_sheet_mean(sheet, value.mean, value.n > 1 ? value.deviation : NAN,
                      metric_of(r, score)->decimals);
    else
        sp_sheet_cell(sheet, "-");
}

/* The published numbers beside our own: the columns of the papers that ask for it. */
static void put_beside_columns(const sp_results *r, sp_sheet *sheet) {
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        for (size_t j = 0; p->beside && j < p->columns->count; j++)
            take_column(sheet, sp_format("Published %s", p->columns->items[j]->text));
    }
}

static void put_published(const char *number, sp_sheet *sheet) {
    sp_sheet_cell(sheet, *number ? number : "-");
}

static void put_beside(const sp_results *r, const sp_row *row, sp_sheet *sheet) {
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        const sp_yaml *numbers = sp_yaml_get(p->rows, row->run->entry);
        for (size_t j = 0; p->beside && j < p->columns->count; j++)
            put_published(numbers ? numbers->items[j]->text : "", sheet);
    }
}

/* ---- below and above the table ---- */

static size_t count_pending(const sp_results *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->runs->count; i++) n += r->states[i] == SP_RUN_PENDING;
    return n;
}

/* Names each run that failed; those not done yet too if they are few. */
static void put_missing(const sp_results *r, sp_sheet *sheet) {
    enum { FEW = 5 };
    size_t pending = count_pending(r);
    if (pending > FEW) {
        char *note = sp_format("%zu of %zu runs are not finished yet", pending, r->runs->count);
        sp_sheet_note(sheet, note);
        free(note);
    }
    for (size_t i = 0; i < r->runs->count; i++) {
        bool failed = r->states[i] == SP_RUN_FAILED;
        if (!failed && (r->states[i] == SP_RUN_FINISHED || pending > FEW)) continue;
        const sp_run_spec *run = &r->runs->items[i];
        const char *error = sp_runlog_get_text(&r->logs[i], "error");
        char *title = sp_run_title(run), *replicate = sp_run_replicate(run);
        char *note =
            sp_format("%s %s %s%s", title, replicate, failed ? "failed: " : "is not finished yet",
                      failed && error ? error : "");
        sp_sheet_note(sheet, note);
        free(title), free(replicate), free(note);
    }
}

/* A list of its own, behind that of the runs that are missing. */
static void put_left_out(const sp_results *r, sp_sheet *sheet) {
    sp_strings lines = {0};
    sp_left_out(r->spec, r->runs, &lines);
    if (lines.len) sp_sheet_note(sheet, "");
    for (size_t i = 0; i < lines.len; i++) sp_sheet_note(sheet, lines.data[i]);
    sp_strings_free(&lines);
}

/* "Model a" or "Models a, b": the different texts at `path`, in the order they come up. */
static void put_names(const sp_results *r, const char *one, const char *many, const char *path,
                      sp_buf *out) {
    sp_buf names = {0};
    size_t count = 0;
    for (size_t i = 0; i < r->runs->count; i++) {
        const char *name = sp_results_setting(r, i, path);
        size_t j = 0;
        while (j < i && strcmp(sp_results_setting(r, j, path), name) != 0) j++;
        if (j < i) continue;
        char *shown = strcmp(path, "dataset") == 0 ? sp_dataset_group(name) : sp_strdup(name);
        sp_buf_printf(&names, "%s%s", count++ ? ", " : "", shown);
        free(shown);
    }
    sp_buf_printf(out, "%s %s", count > 1 ? many : one, names.data ? names.data : "");
    sp_buf_free(&names);
}

/* The limit of the test set, if all runs have the same. */
static int common_test_limit(const sp_results *r) {
    int limit = r->runs->count ? r->runs->items[0].test_limit : 0;
    for (size_t i = 0; i < r->runs->count; i++)
        if (r->runs->items[i].test_limit != limit) return 0;
    return limit;
}

static void put_caption(const sp_results *r, sp_sheet *sheet) {
    sp_buf text = {0};
    put_names(r, "Model", "Models", "model", &text);
    sp_buf_puts(&text, "; ");
    put_names(r, "data set", "data sets", "dataset", &text);
    int limit = common_test_limit(r);
    if (limit) sp_buf_printf(&text, "; %d test examples", limit);
    bool several = r->spec->seed_count > 1 || r->spec->subsample_count > 1;
    sp_buf_printf(&text, ". %s; best in bold.",
                  !several ? "One seed"
                  : r->spec->subsample_count > 1
                      ? "Mean \xc2\xb1 sample standard deviation over subsamples and seeds"
                      : "Mean \xc2\xb1 sample standard deviation over seeds");
    sp_sheet_caption(sheet, text.data);
    sheet->caption_in_tex = false; /* a paper's own caption says it better */
    sp_buf_free(&text);
}

/* ---- public ---- */

void sp_table_sheet(const sp_results *r, sp_sheet *out) {
    static const char *const before[] = {"LM", "Trained parameters", "Share", "Kept parameters"};
    enum { BEFORE = sizeof before / sizeof *before };
    sp_sheet_start(out, "table", r->spec->title);
    put_caption(r, out);
    sp_sheet_column(out, "Method", false);
    for (int i = 0; i < BEFORE; i++) sp_sheet_column(out, before[i], true);
    for (size_t i = 0; i < r->score_count; i++) take_column(out, heading(r, i));
    put_beside_columns(r, out);
    sp_sheet_column(out, "Runs", true);
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        sp_sheet_cell(out, row->title);
        take_cell(out, language_model_text(r, row));
        take_cell(out, count_text(r, row, "trainable_parameters"));
        take_cell(out, share_text(r, row));
        take_cell(out, count_text(r, row, "kept_parameters"));
        for (size_t j = 0; j < r->score_count; j++) put_score(r, row, j, out);
        put_beside(r, row, out);
        take_cell(out, runs_text(row));
    }
    for (size_t j = 0; j < r->score_count; j++)
        sp_sheet_mark_best(out, 1 + BEFORE + j, metric_of(r, j)->higher_is_better);
    put_missing(r, out);
    put_left_out(r, out);
}

void sp_paper_sheet(const sp_spec *spec, const sp_paper *paper, sp_sheet *out) {
    char *title = sp_format("Published: %s", paper->title);
    sp_sheet_start(out, "published", title);
    out->level = 2;
    if (*paper->note) sp_sheet_caption(out, paper->note);
    sp_sheet_column(out, "Published", false);
    for (size_t j = 0; j < paper->columns->count; j++)
        sp_sheet_column(out, paper->columns->items[j]->text, true);
    for (size_t i = 0; i < paper->rows->count; i++) {
        sp_sheet_cell(out, sp_entry_label(spec, paper->rows->keys[i]));
        for (size_t j = 0; j < paper->columns->count; j++)
            put_published(paper->rows->items[i]->items[j]->text, out);
    }
    free(title);
}

static void put_number(double x, sp_sheet *sheet) {
    sp_sheet_number(sheet, x, 0);
}

void sp_table_data(const sp_results *r, sp_sheet *out) {
    static const char *const columns[] = {
        "entry",         "method",         "point",          "runs",
        "finished",      "failed",         "language_model", "trainable_parameters",
        "share_percent", "kept_parameters"};
    sp_sheet_start(out, "table", "");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sp_sheet_column(out, columns[i], i >= 3);
    for (size_t i = 0; i < r->score_count; i++) {
        const char *metric = metric_of(r, i)->name, *group = group_of(r, i);
        take_column(out, sp_format("%s_%s_mean", metric, group));
        take_column(out, sp_format("%s_%s_sd", metric, group));
    }
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        char *language_model = language_model_text(r, row);
        sp_sheet_cell(out, row->run->entry);
        sp_sheet_cell(out, row->run->method);
        sp_sheet_cell(out, row->run->point);
        put_number((double)row->count, out);
        put_number((double)row->finished, out);
        put_number((double)row->failed, out);
        sp_sheet_cell(out, strcmp(language_model, "-") == 0 ? "" : language_model);
        put_number(sp_row_attribute(r, row, "trainable_parameters").mean, out);
        put_number(share(r, row), out);
        put_number(sp_row_attribute(r, row, "kept_parameters").mean, out);
        for (size_t j = 0; j < r->score_count; j++) {
            sp_summary s = score_of(r, row, j);
            put_number(s.mean, out);
            put_number(s.n ? s.deviation : NAN, out);
        }
        free(language_model);
    }
}
