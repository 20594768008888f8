#include "report/best.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sp_summary value_of(const sp_results *r, const sp_row *row) {
    char *score = sp_format("dev.best.%s", r->spec->best);
    sp_summary s = sp_row_score(r, row, score);
    free(score);
    return s;
}

/* Two decimals, as for a metric of 0 to 100; four significant digits for a loss. */
static void put_value(const sp_results *r, sp_summary s, sp_buf *out) {
    const sp_metric *metric = sp_metric_find(r->spec->best);
    int decimals = metric ? metric->decimals : 3;
    sp_buf_printf(out, "%.*f", decimals, s.mean);
    if (s.n > 1) sp_buf_printf(out, " \xc2\xb1 %.*f", decimals, s.deviation);
}

static bool is_of(const sp_row *row, const sp_entry *entry) {
    return strcmp(row->run->entry, entry->name) == 0;
}

/* NULL if no point of the entry has a value. */
static const sp_row *best_row(const sp_results *r, const sp_entry *entry) {
    const sp_row *best = NULL;
    double best_value = NAN;
    bool lower = sp_lower_is_better(r->spec->best);
    for (size_t i = 0; i < r->row_count; i++) {
        if (!is_of(&r->rows[i], entry)) continue;
        double x = value_of(r, &r->rows[i]).mean;
        if (isnan(x) || (best && (lower ? x >= best_value : x <= best_value))) continue;
        best = &r->rows[i];
        best_value = x;
    }
    return best;
}

static const char *point_name(const sp_row *row) {
    return *row->run->point ? row->run->point : "as given";
}

static void put_tried(const sp_results *r, const sp_entry *entry, sp_buf *out) {
    bool any = false;
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        if (!is_of(row, entry)) continue;
        sp_summary s = value_of(r, row);
        sp_buf_printf(out, "%s%s: ", any ? "; " : "", point_name(row));
        if (s.n)
            put_value(r, s, out);
        else
            sp_buf_puts(out, row->failed ? "failed" : row->finished ? "-" : "not run");
        if (s.n && s.n < row->count) sp_buf_printf(out, " (%zu of %zu)", s.n, row->count);
        any = true;
    }
}

void sp_best_sheet(const sp_results *r, sp_sheet *out) {
    char *score = sp_format("dev.best.%s", r->spec->best), *value_title = sp_score_title(score);
    char *title = sp_format("%s: the best on dev", r->spec->title);
    sp_sheet_start(out, "best", title);
    sp_sheet_column(out, "Method", false);
    sp_sheet_column(out, "Best", false);
    sp_sheet_column(out, value_title, true);
    sp_sheet_column(out, "Tried", false);
    for (size_t i = 0; i < r->spec->entry_count; i++) {
        const sp_entry *entry = &r->spec->entries[i];
        const sp_row *best = best_row(r, entry);
        sp_buf value = {0}, tried = {0};
        if (best) put_value(r, value_of(r, best), &value);
        put_tried(r, entry, &tried);
        sp_sheet_cell(out, entry->label);
        sp_sheet_cell(out, best ? point_name(best) : "-");
        sp_sheet_cell(out, best ? value.data : "-");
        sp_sheet_cell(out, tried.len ? tried.data : "");
        sp_buf_free(&value), sp_buf_free(&tried);
    }
    free(score), free(title), free(value_title);
}
