#include "experiment/report.h"

#include "core/file.h"
#include "experiment/best.h"
#include "experiment/cost.h"
#include "experiment/examples.h"
#include "experiment/plot.h"
#include "experiment/sheet.h"
#include "experiment/table.h"

#include <stdlib.h>
#include <unistd.h>

static sp_status write_table(const sp_results *r, const char *folder, const char *name,
                             void (*render)(const sp_results *, sp_buf *), sp_buf *also) {
    sp_buf text = {0};
    render(r, &text);
    char *path = sp_path_join(folder, name);
    sp_status st = sp_write_file(path, text.data, text.len);
    if (also) sp_buf_append(also, text.data, text.len);
    free(path);
    sp_buf_free(&text);
    return st;
}

static sp_status write_tables(const sp_results *r, const char *folder, sp_buf *markdown) {
    sp_status st = write_table(r, folder, "table.md", sp_table_markdown, markdown);
    if (!st) st = write_table(r, folder, "table.csv", sp_table_csv, NULL);
    return st ? st : write_table(r, folder, "table.tex", sp_table_tex, NULL);
}

/* Without a generated text there is no file. */
static sp_status write_examples(const sp_results *r, const char *folder) {
    char *path = sp_path_join(folder, "examples.txt");
    sp_buf text = {0};
    sp_status st = sp_examples_text(r, folder, &text);
    if (!st && text.len) st = sp_write_file(path, text.data, text.len);
    if (!st && !text.len) unlink(path);
    sp_buf_free(&text);
    free(path);
    return st;
}

/* A figure for which there is no data yet must not show that of earlier runs. */
static void remove_figure(const char *folder, const char *name) {
    static const char *const endings[] = {"dat", "svg", "png", "pdf"};
    for (int i = 0; i < 4; i++) {
        char *path = sp_format("%s/%s.%s", folder, name, endings[i]);
        unlink(path);
        free(path);
    }
}

static sp_status write_figures(const sp_results *r, const char *folder, size_t *drawn_count) {
    if (!r->spec->figure_count) return SP_OK;
    char *figures = sp_path_join(folder, "figures");
    sp_status st = sp_make_folders(figures);
    for (size_t i = 0; !st && i < r->spec->figure_count; i++) {
        const sp_figure *figure = &r->spec->figures[i];
        bool drawn = false;
        st = sp_plot(r, figure, figures, &drawn);
        if (!st && !drawn) remove_figure(figures, figure->name);
        if (!st && drawn && drawn_count) ++*drawn_count;
    }
    free(figures);
    return st;
}

/* ---- further tables ---- */

/* Makes one; without rows its files are removed. Not started: the study does not ask for it. */
typedef sp_status section(const sp_results *results, const char *folder, sp_sheet *out);
static section *const sections[] = {sp_cost_sheet, NULL}; /* ends with NULL */

static sp_status write_sheet(const sp_sheet *sheet, const char *folder, sp_buf *markdown) {
    static const char *const endings[] = {"md", "csv", "tex"};
    void (*const render[])(const sp_sheet *, sp_buf *) = {sp_sheet_markdown, sp_sheet_csv,
                                                          sp_sheet_tex};
    sp_status st = SP_OK;
    for (int i = 0; i < 3 && !st; i++) {
        char *path = sp_format("%s/%s.%s", folder, sheet->name, endings[i]);
        sp_buf text = {0};
        render[i](sheet, &text);
        if (!sp_sheet_rows(sheet))
            unlink(path);
        else
            st = sp_write_file(path, text.data, text.len);
        sp_buf_free(&text);
        free(path);
    }
    if (!st && markdown && sp_sheet_rows(sheet)) {
        if (markdown->len) sp_buf_putc(markdown, '\n');
        sp_sheet_markdown(sheet, markdown);
    }
    return st;
}

static sp_status write_sections(const sp_results *r, const char *folder, sp_buf *markdown) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && sections[i]; i++) {
        sp_sheet sheet = {0};
        st = sections[i](r, folder, &sheet);
        if (!st && sheet.name) st = write_sheet(&sheet, folder, markdown);
        sp_sheet_free(&sheet);
    }
    return st;
}

sp_status sp_report_write(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_buf *markdown, size_t *drawn) {
    sp_results r;
    sp_status st = sp_results_load(spec, runs, folder, &r);
    if (st) return st;
    st = sp_make_folders(folder);
    if (!st && spec->has_table) st = write_tables(&r, folder, markdown);
    if (!st && spec->has_table) st = write_examples(&r, folder);
    if (!st && spec->best) st = write_table(&r, folder, "best.md", sp_best_markdown, markdown);
    if (!st) st = write_sections(&r, folder, markdown);
    if (!st) st = write_figures(&r, folder, drawn);
    sp_results_free(&r);
    return st;
}
