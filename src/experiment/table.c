#include "experiment/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SCORE = 5 }; /* after method, LM, trained parameters, their share, kept parameters */

/* ---- numbers as text; each result is owned by the caller ---- */

static char *grouped(long n) {
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%ld", n);
    sp_buf b = {0};
    for (int i = 0; i < len; i++) {
        sp_buf_putc(&b, digits[i]);
        if (i + 1 < len && (len - 1 - i) % 3 == 0) sp_buf_putc(&b, ',');
    }
    return sp_buf_take(&b);
}

/* Share of all parameters in percent, with three digits. */
static double share(const sp_results *r, const sp_row *row) {
    return 100 * sp_row_attribute(r, row, "trainable_parameters").mean /
           sp_row_attribute(r, row, "total_parameters").mean;
}

static char *count_text(const sp_results *r, const sp_row *row, const char *attribute) {
    double n = sp_row_attribute(r, row, attribute).mean;
    return isnan(n) ? sp_strdup("-") : grouped(lround(n));
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

static char *score_text(sp_summary s, int decimals, const char *plus_minus) {
    if (!s.n) return sp_strdup("-");
    if (s.n == 1) return sp_format("%.*f", decimals, s.mean);
    return sp_format("%.*f%s%.*f", decimals, s.mean, plus_minus, decimals, s.deviation);
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

/* A mean as it is printed, so that equal looking numbers are equally bold; NaN if there is none. */
static double printed(const sp_results *r, const sp_row *row, size_t score) {
    return round(pow(10, metric_of(r, score)->decimals) * score_of(r, row, score).mean);
}

static double best_of(const sp_results *r, size_t score) {
    double best = NAN;
    for (size_t i = 0; i < r->row_count; i++) {
        double x = printed(r, &r->rows[i], score);
        bool better = metric_of(r, score)->higher_is_better ? x > best : x < best;
        if (!isnan(x) && (isnan(best) || better)) best = x;
    }
    return best;
}

/* ---- the shape shared by Markdown and TeX ---- */

typedef struct style {
    const char *line_start, *separator, *line_end;
    const char *bold_start, *bold_end, *plus_minus;
    bool tex;
} style;

static const style markdown = {"| ", " | ", " |\n", "**", "**", " \xc2\xb1 ", false};
static const style tex = {"", " & ", " \\\\\n", "\\textbf{", "}", " $\\pm$ ", true};

static void put_tex_character(char c, sp_buf *out) {
    if (c == '\\')
        sp_buf_puts(out, "\\textbackslash{}");
    else if (c == '~' || c == '^')
        sp_buf_printf(out, "\\%c{}", c);
    else
        sp_buf_printf(out, "%s%c", strchr("_%&#${}", c) ? "\\" : "", c);
}

/* Text in which TeX' special characters are escaped, and Markdown's column mark. */
static void put_text(const style *s, const char *text, sp_buf *out) {
    for (; *text; text++)
        if (s->tex)
            put_tex_character(*text, out);
        else
            sp_buf_printf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void put_cell(const style *s, char *text, sp_buf *out) {
    sp_buf_puts(out, s->separator);
    put_text(s, text, out);
    free(text);
}

/* Scores hold no text of the user, so the marks of the style go in as they are. */
static void put_score(const style *s, const sp_results *r, const sp_row *row, size_t score,
                      sp_buf *out) {
    sp_summary value = score_of(r, row, score);
    bool best = value.n && printed(r, row, score) == best_of(r, score);
    char *text = score_text(value, metric_of(r, score)->decimals, s->plus_minus);
    sp_buf_puts(out, s->separator);
    sp_buf_printf(out, "%s%s%s", best ? s->bold_start : "", text, best ? s->bold_end : "");
    free(text);
}

/* The published numbers beside our own: the columns of the papers that ask for it. */
static size_t beside_count(const sp_results *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->spec->paper_count; i++)
        if (r->spec->papers[i].beside) n += r->spec->papers[i].columns->count;
    return n;
}

static void put_beside_header(const style *s, const sp_results *r, sp_buf *out) {
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        for (size_t j = 0; p->beside && j < p->columns->count; j++)
            put_cell(s, sp_format("Published %s", p->columns->items[j]->text), out);
    }
}

static void put_beside(const style *s, const sp_results *r, const sp_row *row, sp_buf *out) {
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        const sp_yaml *numbers = sp_yaml_get(p->rows, row->run->entry);
        for (size_t j = 0; p->beside && j < p->columns->count; j++) {
            const char *number = numbers ? numbers->items[j]->text : "";
            put_cell(s, sp_strdup(*number ? number : "-"), out);
        }
    }
}

static size_t column_count(const sp_results *r) {
    return FIRST_SCORE + r->score_count + beside_count(r) + 1;
}

static void put_header(const style *s, const sp_results *r, sp_buf *out) {
    sp_buf_puts(out, s->line_start);
    sp_buf_puts(out, "Method");
    put_cell(s, sp_strdup("LM"), out);
    put_cell(s, sp_strdup("Trained parameters"), out);
    put_cell(s, sp_strdup("Share"), out);
    put_cell(s, sp_strdup("Kept parameters"), out);
    for (size_t i = 0; i < r->score_count; i++) put_cell(s, heading(r, i), out);
    put_beside_header(s, r, out);
    put_cell(s, sp_strdup("Runs"), out);
    sp_buf_puts(out, s->line_end);
}

static void put_row(const style *s, const sp_results *r, const sp_row *row, sp_buf *out) {
    sp_buf_puts(out, s->line_start);
    put_text(s, row->title, out);
    put_cell(s, language_model_text(r, row), out);
    put_cell(s, count_text(r, row, "trainable_parameters"), out);
    put_cell(s, share_text(r, row), out);
    put_cell(s, count_text(r, row, "kept_parameters"), out);
    for (size_t i = 0; i < r->score_count; i++) put_score(s, r, row, i, out);
    put_beside(s, r, row, out);
    put_cell(s, runs_text(row), out);
    sp_buf_puts(out, s->line_end);
}

static void put_paper_rows(const style *s, const sp_results *r, const sp_paper *p, sp_buf *out) {
    for (size_t i = 0; i < p->rows->count; i++) {
        sp_buf_puts(out, s->line_start);
        put_text(s, sp_entry_label(r->spec, p->rows->keys[i]), out);
        for (size_t j = 0; j < p->columns->count; j++) {
            const char *number = p->rows->items[i]->items[j]->text;
            put_cell(s, sp_strdup(*number ? number : "-"), out);
        }
        sp_buf_puts(out, s->line_end);
    }
}

static void put_paper_header(const style *s, const sp_paper *p, sp_buf *out) {
    sp_buf_puts(out, s->line_start);
    sp_buf_puts(out, "Published");
    for (size_t j = 0; j < p->columns->count; j++)
        put_cell(s, sp_strdup(p->columns->items[j]->text), out);
    sp_buf_puts(out, s->line_end);
}

/* ---- Markdown ---- */

/* Left for names, right for numbers. */
static void put_rule(size_t columns, sp_buf *out) {
    sp_buf_puts(out, "|:---|");
    for (size_t i = 1; i < columns; i++) sp_buf_puts(out, "---:|");
    sp_buf_putc(out, '\n');
}

static void put_notes(const sp_results *r, sp_buf *out) {
    bool any = false;
    for (size_t i = 0; i < r->runs->count; i++) {
        if (r->states[i] == SP_RUN_FINISHED) continue;
        const sp_run_spec *run = &r->runs->items[i];
        const char *error = sp_runlog_get_text(&r->logs[i], "error");
        char *title = sp_run_title(run);
        sp_buf_printf(out, "%s- %s ", any ? "" : "\n", title);
        char *replicate = sp_run_replicate(run);
        sp_buf_printf(out, "%s %s%s\n", replicate,
                      r->states[i] == SP_RUN_FAILED ? "failed: " : "has not run yet",
                      r->states[i] == SP_RUN_FAILED && error ? error : "");
        free(title), free(replicate);
        any = true;
    }
}

/* A list of its own, behind that of the runs that are missing. */
static void put_left_out(const sp_results *r, sp_buf *out) {
    sp_strings lines = {0};
    sp_left_out(r->spec, r->runs, &lines);
    for (size_t i = 0; i < lines.len; i++)
        sp_buf_printf(out, "%s- %s\n", i ? "" : "\n", lines.data[i]);
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
        if (j == i) sp_buf_printf(&names, "%s%s", count++ ? ", " : "", name);
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

static void put_caption(const sp_results *r, sp_buf *out) {
    sp_buf_printf(out, "# %s\n\n", r->spec->title);
    put_names(r, "Model", "Models", "model", out);
    sp_buf_puts(out, "; ");
    put_names(r, "data set", "data sets", "dataset", out);
    int limit = common_test_limit(r);
    if (limit) sp_buf_printf(out, "; %d test examples", limit);
    bool several = r->spec->seed_count > 1 || r->spec->subsample_count > 1;
    sp_buf_printf(out, ". %s; best in bold.\n\n",
                  !several ? "One seed"
                  : r->spec->subsample_count > 1
                      ? "Mean \xc2\xb1 sample standard deviation over subsamples and seeds"
                      : "Mean \xc2\xb1 sample standard deviation over seeds");
}

void sp_table_markdown(const sp_results *r, sp_buf *out) {
    put_caption(r, out);
    put_header(&markdown, r, out);
    put_rule(column_count(r), out);
    for (size_t i = 0; i < r->row_count; i++) put_row(&markdown, r, &r->rows[i], out);
    put_notes(r, out);
    put_left_out(r, out);
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        sp_buf_printf(out, "\n## Published: %s\n\n", p->title);
        if (*p->note) sp_buf_printf(out, "%s\n\n", p->note);
        put_paper_header(&markdown, p, out);
        put_rule(1 + p->columns->count, out);
        put_paper_rows(&markdown, r, p, out);
    }
}

/* ---- TeX ---- */

static void begin_tabular(size_t columns, sp_buf *out) {
    sp_buf_puts(out, "\\begin{tabular}{l");
    for (size_t i = 1; i < columns; i++) sp_buf_putc(out, 'r');
    sp_buf_puts(out, "}\n\\hline\n");
}

/* Each line of the text needs a mark of its own. */
static void put_tex_comment(const char *text, sp_buf *out) {
    sp_buf_puts(out, "% ");
    for (; *text; text++) {
        sp_buf_putc(out, *text);
        if (*text == '\n' && text[1]) sp_buf_puts(out, "% ");
    }
    sp_buf_putc(out, '\n');
}

void sp_table_tex(const sp_results *r, sp_buf *out) {
    sp_buf_printf(out, "%% %s\n", r->spec->title);
    begin_tabular(column_count(r), out);
    put_header(&tex, r, out);
    sp_buf_puts(out, "\\hline\n");
    for (size_t i = 0; i < r->row_count; i++) put_row(&tex, r, &r->rows[i], out);
    sp_buf_puts(out, "\\hline\n\\end{tabular}\n");
    for (size_t i = 0; i < r->spec->paper_count; i++) {
        const sp_paper *p = &r->spec->papers[i];
        sp_buf_printf(out, "\n%% Published: %s\n", p->title);
        if (*p->note) put_tex_comment(p->note, out);
        begin_tabular(1 + p->columns->count, out);
        put_paper_header(&tex, p, out);
        sp_buf_puts(out, "\\hline\n");
        put_paper_rows(&tex, r, p, out);
        sp_buf_puts(out, "\\hline\n\\end{tabular}\n");
    }
}

/* ---- CSV (RFC 4180) ---- */

static void put_field(const char *text, sp_buf *out) {
    if (!strpbrk(text, ",\"\n")) {
        sp_buf_puts(out, text);
        return;
    }
    sp_buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"') sp_buf_putc(out, '"');
        sp_buf_putc(out, *text);
    }
    sp_buf_putc(out, '"');
}

static void put_number(double x, sp_buf *out) {
    sp_buf_putc(out, ',');
    if (!isnan(x)) sp_buf_printf(out, "%.10g", x);
}

void sp_table_csv(const sp_results *r, sp_buf *out) {
    sp_buf_puts(
        out,
        "entry,method,point,runs,finished,failed,language_model,trainable_parameters,share_percent,"
        "kept_parameters");
    for (size_t i = 0; i < r->score_count; i++) {
        const char *metric = metric_of(r, i)->name, *group = group_of(r, i);
        sp_buf_printf(out, ",%s_%s_mean,%s_%s_sd", metric, group, metric, group);
    }
    sp_buf_putc(out, '\n');
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        put_field(row->run->entry, out);
        sp_buf_printf(out, ",%s,", row->run->method);
        put_field(row->run->point, out);
        sp_buf_printf(out, ",%zu,%zu,%zu", row->count, row->finished, row->failed);
        char *language_model = language_model_text(r, row);
        sp_buf_printf(out, ",%s", strcmp(language_model, "-") == 0 ? "" : language_model);
        free(language_model);
        put_number(sp_row_attribute(r, row, "trainable_parameters").mean, out);
        put_number(share(r, row), out);
        put_number(sp_row_attribute(r, row, "kept_parameters").mean, out);
        for (size_t j = 0; j < r->score_count; j++) {
            sp_summary s = score_of(r, row, j);
            put_number(s.mean, out);
            put_number(s.n ? s.deviation : NAN, out);
        }
        sp_buf_putc(out, '\n');
    }
}
