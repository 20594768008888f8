#include "report/page.h"

#include "core/file.h"
#include "core/progress.h"
#include "report/html.h"
#include "report/settings.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- small pieces ---- */

static void put_text_element(const char *tag, const char *text, sp_buf *out) {
    sp_buf_printf(out, "<%s>", tag);
    sp_html_text(out, text);
    sp_buf_printf(out, "</%s>\n", tag);
}

static void put_heading(const char *id, const char *title, sp_buf *out) {
    sp_buf_printf(out, "<h2 id=\"%s\">", id);
    sp_html_text(out, title);
    sp_buf_puts(out, "</h2>\n");
}

static void put_fact(const char *name, const char *value, sp_buf *out) {
    put_text_element("dt", name, out);
    put_text_element("dd", value, out);
}

static void take_fact(const char *name, char *value, sp_buf *out) {
    put_fact(name, value, out);
    free(value);
}

/* ---- what was run ---- */

/* The different texts at a path of the runs' settings, in the order they come up. */
static char *setting_names(const sp_results *r, const char *path) {
    sp_strings names = {0};
    for (size_t i = 0; i < r->runs->count; i++) {
        const char *name = sp_results_setting(r, i, path);
        size_t j = 0;
        while (name && j < names.len && strcmp(names.data[j], name) != 0) j++;
        if (name && j == names.len) sp_strings_push(&names, name);
    }
    char *text = sp_list_text((const char *const *)names.data, names.len);
    sp_strings_free(&names);
    return text;
}

static size_t count_state(const sp_results *r, sp_run_state state) {
    size_t n = 0;
    for (size_t i = 0; i < r->runs->count; i++) n += r->states[i] == state;
    return n;
}

static char *runs_text(const sp_results *r) {
    size_t finished = count_state(r, SP_RUN_FINISHED), failed = count_state(r, SP_RUN_FAILED);
    sp_buf text = {0};
    sp_buf_printf(&text, "%zu, of which %zu finished", r->runs->count, finished);
    if (failed) sp_buf_printf(&text, ", %zu failed", failed);
    if (finished + failed < r->runs->count)
        sp_buf_printf(&text, ", %zu not done", r->runs->count - finished - failed);
    return sp_buf_take(&text);
}

static double total_of(const sp_results *r, const char *attribute) {
    double sum = 0;
    for (size_t i = 0; i < r->runs->count; i++) {
        double x = sp_runlog_get_number(&r->logs[i], attribute);
        if (isfinite(x)) sum += x;
    }
    return sum;
}

static void put_facts(const sp_results *r, sp_buf *out) {
    const sp_spec *spec = r->spec;
    sp_buf_puts(out, "<dl>\n");
    put_fact("Study", spec->name, out);
    put_fact("Spec", spec->path, out);
    put_fact("Preset", spec->preset ? spec->preset : "none", out);
    take_fact("Overrides", sp_list_text((const char *const *)spec->sets.data, spec->sets.len), out);
    take_fact("Models", setting_names(r, "model"), out);
    take_fact("Data sets", setting_names(r, "dataset"), out);
    take_fact("Seeds", setting_names(r, "seed"), out);
    take_fact("Runs", runs_text(r), out);
    take_fact("Time of all runs", sp_duration_text(total_of(r, "wall_seconds")), out);
    sp_buf_puts(out, "</dl>\n");
}

/* ---- tables that only the page has ---- */

static void put_run_row(const sp_results *r, size_t i, sp_sheet *sheet) {
    static const char *const states[] = {
        [SP_RUN_PENDING] = "not done", [SP_RUN_FINISHED] = "finished", [SP_RUN_FAILED] = "failed"};
    const sp_run_spec *run = &r->runs->items[i];
    const sp_runlog *log = &r->logs[i];
    const char *error = sp_runlog_get_text(log, "error");
    char *title = sp_run_title(run), *replicate = sp_run_replicate(run);
    char *file = sp_format("runs/%s.h5", run->id);
    sp_sheet_cell(sheet, title);
    sp_sheet_cell(sheet, replicate);
    sp_sheet_cell(sheet, states[r->states[i]]);
    if (r->states[i] == SP_RUN_FAILED) sp_sheet_mark(sheet);
    sp_sheet_number(sheet, sp_runlog_get_number(log, "best_step"), 0);
    sp_sheet_number(sheet, sp_runlog_get_number(log, "train_seconds"), 1);
    sp_sheet_number(sheet, sp_runlog_get_number(log, "wall_seconds"), 1);
    sp_sheet_number(sheet, sp_runlog_get_number(log, "peak_rss_bytes") / 1e6, 0);
    sp_sheet_cell(sheet, run->id);
    if (r->states[i] != SP_RUN_PENDING) sp_sheet_link(sheet, file);
    sp_sheet_cell(sheet, error ? error : "");
    free(title), free(replicate), free(file);
}

static void put_runs(const sp_results *r, sp_buf *out) {
    sp_sheet sheet;
    sp_sheet_start(&sheet, "runs", "");
    sp_sheet_column(&sheet, "Run", false);
    sp_sheet_column(&sheet, "Of", false);
    sp_sheet_column(&sheet, "State", false);
    sp_sheet_column(&sheet, "Best step", true);
    sp_sheet_column(&sheet, "Training, s", true);
    sp_sheet_column(&sheet, "In all, s", true);
    sp_sheet_column(&sheet, "Memory, MB", true);
    sp_sheet_column(&sheet, "File", false);
    sp_sheet_column(&sheet, "Failure", false);
    for (size_t i = 0; i < r->runs->count; i++) put_run_row(r, i, &sheet);
    sp_sheet_html(&sheet, out);
    sp_sheet_free(&sheet);
}

/* An attribute of a run file as text; NULL if it has none. The caller's. */
static char *attribute_text(const sp_runlog *log, const char *name) {
    const char *text = sp_runlog_get_text(log, name);
    double number = sp_runlog_get_number(log, name);
    return text ? sp_strdup(text) : isnan(number) ? NULL : sp_format("%.10g", number);
}

/* "SkylakeX (12 runs), Zen (3 runs)": without counts if all are the same. */
static char *attribute_values(const sp_results *r, const char *name) {
    sp_strings values = {0};
    sp_ints counts = {0};
    for (size_t i = 0; i < r->runs->count; i++) {
        char *value = attribute_text(&r->logs[i], name);
        size_t j = 0;
        while (value && j < values.len && strcmp(values.data[j], value) != 0) j++;
        if (value && j == values.len) sp_strings_push(&values, value), sp_ints_push(&counts, 0);
        if (value) counts.data[j]++;
        free(value);
    }
    sp_buf text = {0};
    for (size_t i = 0; i < values.len; i++) {
        sp_buf_printf(&text, "%s%s", i ? "; " : "", values.data[i]);
        if (values.len > 1) sp_buf_printf(&text, " (%d runs)", counts.data[i]);
    }
    sp_strings_free(&values);
    sp_ints_free(&counts);
    return text.data ? sp_buf_take(&text) : sp_strdup("\xe2\x80\x93");
}

static void put_environment(const sp_results *r, sp_buf *out) {
    static const char *const attributes[][2] = {
        {"softprompt", "version"},       {"CPU", "cpu"},
        {"Matrix products", "gemm"},     {"Threads of a run", "threads"},
        {"Precision", "precision"},      {"Model, SHA-256", "model_sha256"},
        {"Data, SHA-256", "data_sha256"}};
    sp_sheet sheet;
    sp_sheet_start(&sheet, "environment", "");
    sp_sheet_column(&sheet, "Of the runs", false);
    sp_sheet_column(&sheet, "Value", false);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        char *values = attribute_values(r, attributes[i][1]);
        sp_sheet_cell(&sheet, attributes[i][0]);
        sp_sheet_cell(&sheet, values);
        free(values);
    }
    sp_sheet_html(&sheet, out);
    sp_sheet_free(&sheet);
}

/* ---- settings ---- */

static bool is_of_replicate(const char *path) {
    return strcmp(path, "seed") == 0 || strcmp(path, "data.subsample") == 0;
}

/* The settings of the first run of each row. */
static const sp_yaml **row_settings(const sp_results *r) {
    const sp_yaml **trees = sp_alloc(r->row_count, sizeof *trees);
    for (size_t i = 0; i < r->row_count; i++) trees[i] = r->settings[r->rows[i].first];
    return trees;
}

static void put_shared(const sp_yaml *const *trees, size_t count, const sp_strings *paths,
                       sp_buf *out) {
    sp_buf_puts(out, "<h3>Settings that all runs share</h3>\n<pre>");
    for (size_t i = 0; i < paths->len; i++) {
        if (is_of_replicate(paths->data[i]) || sp_settings_differ(trees, count, paths->data[i]))
            continue;
        char *value = sp_settings_value(trees[0], paths->data[i]);
        char *line = sp_format("%s: %s\n", paths->data[i], value ? value : "");
        sp_html_text(out, line);
        free(value), free(line);
    }
    sp_buf_puts(out, "</pre>\n");
}

static void put_own(const sp_results *r, const sp_yaml *const *trees, const sp_strings *paths,
                    sp_buf *out) {
    sp_sheet sheet;
    sp_sheet_start(&sheet, "settings", "Settings in which the lines of the table differ");
    sheet.level = 2;
    sp_sheet_column(&sheet, "Line", false);
    sp_sheet_column(&sheet, "Settings", false);
    for (size_t i = 0; i < r->row_count; i++) {
        sp_buf text = {0};
        for (size_t j = 0; j < paths->len; j++) {
            char *value = sp_settings_value(trees[i], paths->data[j]);
            if (value && !is_of_replicate(paths->data[j]) &&
                sp_settings_differ(trees, r->row_count, paths->data[j]))
                sp_buf_printf(&text, "%s%s: %s", text.len ? "; " : "", paths->data[j], value);
            free(value);
        }
        sp_sheet_cell(&sheet, r->rows[i].title);
        sp_sheet_cell(&sheet, text.data ? text.data : "");
        sp_buf_free(&text);
    }
    sp_sheet_html(&sheet, out);
    sp_sheet_free(&sheet);
}

static sp_status put_spec(const sp_results *r, sp_buf *out) {
    const sp_yaml **trees = row_settings(r);
    sp_strings paths = {0};
    sp_settings_paths(trees, r->row_count, &paths);
    if (r->row_count) put_shared(trees, r->row_count, &paths, out);
    if (r->row_count > 1) put_own(r, trees, &paths, out);
    sp_strings_free(&paths);
    free(trees);
    sp_buf text = {0};
    sp_status st = sp_read_file(r->spec->path, &text);
    if (st) return st;
    sp_buf_puts(out, "<h3>The spec as written</h3>\n<pre>");
    sp_html_text(out, text.data ? text.data : "");
    sp_buf_puts(out, "</pre>\n");
    sp_buf_free(&text);
    return SP_OK;
}

/* ---- figures ---- */

static void put_links(const char *name, sp_buf *out) {
    static const char *const files[][2] = {
        {"dat", "data"}, {"gp", "command"}, {"pdf", "PDF"}, {"png", "PNG"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        sp_buf_puts(out, " <a href=\"figures/");
        sp_html_text(out, name);
        sp_buf_printf(out, ".%s\">%s</a>", files[i][0], files[i][1]);
    }
}

static sp_status put_figure(const sp_page_figure *figure, size_t index, const char *folder,
                            sp_buf *out) {
    const char *label = *figure->title ? figure->title : figure->name;
    char *path = sp_format("%s/figures/%s.svg", folder, figure->name);
    char *prefix = sp_format("f%zu-", index + 1);
    sp_buf svg = {0};
    sp_status st = sp_read_file(path, &svg);
    if (!st) sp_buf_puts(out, "<figure>\n");
    if (!st && !sp_svg_inline(svg.data ? svg.data : "", prefix, label, out))
        st = sp_fail(SP_ERR_FORMAT, "%s: has no <svg> element; run the report again", path);
    if (!st) {
        sp_buf_puts(out, "\n<figcaption>");
        sp_html_text(out, label);
        sp_buf_putc(out, ':');
        put_links(figure->name, out);
        sp_buf_puts(out, "</figcaption>\n</figure>\n");
    }
    sp_buf_free(&svg);
    free(path), free(prefix);
    return st;
}

static sp_status put_figures(const sp_page *page, const char *folder, sp_buf *out) {
    if (!page->figure_count && !page->no_figures) return SP_OK;
    put_heading("figures", "Figures", out);
    if (page->no_figures) {
        sp_buf_puts(out, "<p class=\"warning\">");
        sp_html_text(out, page->no_figures);
        sp_buf_puts(out, "</p>\n");
    }
    sp_buf_puts(out, "<div class=\"figures\">\n");
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < page->figure_count; i++)
        st = put_figure(&page->figures[i], i, folder, out);
    sp_buf_puts(out, "</div>\n");
    return st;
}

/* ---- the page ---- */

static sp_status put_head(const sp_spec *spec, sp_buf *out) {
    char *path = sp_find_file("plots/report.css");
    sp_buf style = {0};
    sp_status st = sp_read_file(path, &style);
    free(path);
    if (st) return st;
    sp_buf_puts(out, "<!DOCTYPE html>\n"
                     "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
                     "<meta charset=\"utf-8\"/>\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    put_text_element("title", spec->title, out);
    sp_buf_puts(out, "<style>\n");
    sp_buf_append(out, style.data, style.len);
    sp_buf_puts(out, "</style>\n</head>\n<body>\n<main>\n");
    sp_buf_free(&style);
    return SP_OK;
}

static bool is_published(const sp_sheet *sheet) {
    return strcmp(sheet->name, "published") == 0;
}

/* The title of a table below that of the study: "Costs" for "<study's title>: costs". The
 * caller's. */
static char *short_title(const sp_spec *spec, const sp_sheet *sheet) {
    size_t len = strlen(spec->title);
    bool begins = strncmp(sheet->title, spec->title, len) == 0;
    if (begins && !sheet->title[len]) return sp_strdup("Results");
    if (!begins || strncmp(sheet->title + len, ": ", 2) != 0) return sp_strdup(sheet->title);
    char *title = sp_strdup(sheet->title + len + 2);
    if (*title >= 'a' && *title <= 'z') *title = (char)(*title - 'a' + 'A');
    return title;
}

/* Our own tables, or those of the papers. */
static void put_tables(const sp_spec *spec, const sp_page *page, bool published, sp_buf *out) {
    for (size_t i = 0; i < page->sheet_count; i++) {
        sp_sheet sheet = page->sheets[i]; /* borrowed but for the title */
        if (is_published(&sheet) != published) continue;
        sheet.title = short_title(spec, &sheet);
        if (!published) sp_buf_printf(out, "<div id=\"%s\">\n", sheet.name);
        sp_sheet_html(&sheet, out);
        if (!published) sp_buf_puts(out, "</div>\n");
        free(sheet.title);
    }
}

static void put_table_links(const sp_spec *spec, const sp_page *page, sp_buf *out) {
    for (size_t i = 0; i < page->sheet_count; i++) {
        const sp_sheet *sheet = &page->sheets[i];
        if (is_published(sheet)) continue;
        char *title = short_title(spec, sheet);
        sp_buf_printf(out, "<a href=\"#%s\">", sheet->name);
        sp_html_text(out, title);
        sp_buf_puts(out, "</a> ");
        free(title);
    }
}

static bool has_published(const sp_page *page) {
    for (size_t i = 0; i < page->sheet_count; i++)
        if (is_published(&page->sheets[i])) return true;
    return false;
}

static void put_contents(const sp_spec *spec, const sp_page *page, sp_buf *out) {
    sp_buf_puts(out, "<nav>");
    put_table_links(spec, page, out);
    if (page->figure_count) sp_buf_puts(out, "<a href=\"#figures\">Figures</a> ");
    if (has_published(page)) sp_buf_puts(out, "<a href=\"#published\">Published numbers</a> ");
    if (*page->examples) sp_buf_puts(out, "<a href=\"#examples\">Generated texts</a> ");
    sp_buf_puts(out, "<a href=\"#runs\">Runs</a> <a href=\"#environment\">Environment</a> "
                     "<a href=\"#spec\">Spec</a></nav>\n");
}

static void put_examples(const char *examples, sp_buf *out) {
    if (!*examples) return;
    put_heading("examples", "Generated texts", out);
    sp_buf_puts(out, "<pre>");
    sp_html_text(out, examples);
    sp_buf_puts(out, "</pre>\n");
}

sp_status sp_page_write(const sp_results *r, const char *folder, const sp_page *page, sp_buf *out) {
    sp_status st = put_head(r->spec, out);
    if (st) return st;
    put_text_element("h1", r->spec->title, out);
    put_facts(r, out);
    put_contents(r->spec, page, out);
    put_tables(r->spec, page, false, out);
    if ((st = put_figures(page, folder, out))) return st;
    if (has_published(page)) put_heading("published", "Published numbers", out);
    put_tables(r->spec, page, true, out);
    put_examples(page->examples, out);
    put_heading("runs", "Runs", out);
    put_runs(r, out);
    put_heading("environment", "Environment", out);
    put_environment(r, out);
    put_heading("spec", "Spec", out);
    if ((st = put_spec(r, out))) return st;
    sp_buf_puts(out, "</main>\n</body>\n</html>\n");
    return SP_OK;
}
