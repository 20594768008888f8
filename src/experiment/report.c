#include "experiment/report.h"

#include "core/file.h"
#include "experiment/best.h"
#include "experiment/examples.h"
#include "experiment/plot.h"
#include "experiment/sheet.h"
#include "experiment/table.h"

#include <stdlib.h>
#include <unistd.h>

typedef void render(const sp_sheet *sheet, sp_buf *out);

/* Writes sheets below each other into <folder>/<name of the first>.<ending>; without rows in the
 * first there is no such file. */
static sp_status write_as(const sp_sheet *sheets, size_t count, const char *folder,
                          const char *ending, render *how) {
    char *path = sp_format("%s/%s.%s", folder, sheets->name, ending);
    sp_buf text = {0};
    for (size_t i = 0; i < count; i++) {
        if (i) sp_buf_putc(&text, '\n');
        how(&sheets[i], &text);
    }
    sp_status st = SP_OK;
    if (sp_sheet_rows(sheets))
        st = sp_write_file(path, text.data, text.len);
    else
        unlink(path);
    sp_buf_free(&text);
    free(path);
    return st;
}

static sp_status write_sheet(const sp_sheet *sheet, const char *folder) {
    sp_status st = write_as(sheet, 1, folder, "md", sp_sheet_markdown);
    if (!st) st = write_as(sheet, 1, folder, "csv", sp_sheet_csv);
    return st ? st : write_as(sheet, 1, folder, "tex", sp_sheet_tex);
}

/* ---- the tables of a report, in order ---- */

typedef struct tables {
    sp_sheet *items;
    size_t count;
} tables;

static sp_sheet *add_sheet(tables *t) {
    t->items = sp_realloc(t->items, t->count + 1, sizeof *t->items);
    t->items[t->count] = (sp_sheet){0};
    return &t->items[t->count++];
}

static void free_tables(tables *t) {
    for (size_t i = 0; i < t->count; i++) sp_sheet_free(&t->items[i]);
    free(t->items);
}

/* A further table. Without rows its files are removed; not started: the study does not ask for it.
 */
typedef sp_status section(const sp_results *results, const char *folder, sp_sheet *out);
static section *const sections[] = {NULL}; /* ends with NULL */

static sp_status write_table(const sp_results *r, const char *folder, tables *t) {
    size_t first = t->count;
    sp_table_sheet(r, add_sheet(t));
    for (size_t i = 0; i < r->spec->paper_count; i++)
        sp_paper_sheet(r->spec, &r->spec->papers[i], add_sheet(t));
    sp_sheet data;
    sp_table_data(r, &data);
    sp_status st = write_as(&t->items[first], t->count - first, folder, "md", sp_sheet_markdown);
    if (!st) st = write_as(&data, 1, folder, "csv", sp_sheet_csv);
    if (!st) st = write_as(&t->items[first], t->count - first, folder, "tex", sp_sheet_tex);
    sp_sheet_free(&data);
    return st;
}

static sp_status write_best(const sp_results *r, const char *folder, tables *t) {
    sp_sheet *sheet = add_sheet(t);
    sp_best_sheet(r, sheet);
    return write_sheet(sheet, folder);
}

static sp_status write_sections(const sp_results *r, const char *folder, tables *t) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && sections[i]; i++) {
        sp_sheet sheet = {0};
        st = sections[i](r, folder, &sheet);
        if (!st && sheet.name) st = write_sheet(&sheet, folder);
        if (!st && sp_sheet_rows(&sheet))
            *add_sheet(t) = sheet;
        else
            sp_sheet_free(&sheet);
    }
    return st;
}

static void put_markdown(const tables *t, sp_buf *out) {
    for (size_t i = 0; out && i < t->count; i++) {
        if (i) sp_buf_putc(out, '\n');
        sp_sheet_markdown(&t->items[i], out);
    }
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
    static const char *const endings[] = {"dat", "gp", "svg", "png", "pdf"};
    for (int i = 0; i < 5; i++) {
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

sp_status sp_report_write(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_buf *markdown, size_t *drawn) {
    sp_results r;
    sp_status st = sp_results_load(spec, runs, folder, &r);
    if (st) return st;
    tables t = {0};
    st = sp_make_folders(folder);
    if (!st && spec->has_table) st = write_table(&r, folder, &t);
    if (!st && spec->has_table) st = write_examples(&r, folder);
    if (!st && spec->best) st = write_best(&r, folder, &t);
    if (!st) st = write_sections(&r, folder, &t);
    put_markdown(&t, markdown);
    if (!st) st = write_figures(&r, folder, drawn);
    free_tables(&t);
    sp_results_free(&r);
    return st;
}
