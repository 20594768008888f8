#include "report/report.h"

#include "core/file.h"
#include "report/best.h"
#include "report/claim_board.h"
#include "report/cost.h"
#include "report/ensemble.h"
#include "report/examples.h"
#include "report/page.h"
#include "report/persistence.h"
#include "report/plot.h"
#include "report/sheet_file.h"
#include "report/table.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* More learning curves than a legend has room for are not drawn unless the spec asks for them. */
enum { MOST_CURVES = 24 };

static sp_status write_sheet(const sp_sheet *sheet, const char *folder) {
    sp_status st = sp_sheets_write(sheet, 1, folder, "md", sp_sheet_markdown);
    if (!st) st = sp_sheets_write(sheet, 1, folder, "csv", sp_sheet_csv);
    return st ? st : sp_sheets_write(sheet, 1, folder, "tex", sp_sheet_tex);
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
static section *const sections[] = {sp_cost_sheet, sp_ensemble_sheet, sp_neighbours_sheet,
                                    NULL}; /* ends with NULL */

static sp_status write_table(const sp_results *r, const char *folder, tables *t) {
    size_t first = t->count;
    sp_table_sheet(r, add_sheet(t));
    for (size_t i = 0; i < r->spec->paper_count; i++)
        sp_paper_sheet(r->spec, &r->spec->papers[i], add_sheet(t));
    sp_sheet data;
    sp_table_data(r, &data);
    sp_status st =
        sp_sheets_write(&t->items[first], t->count - first, folder, "md", sp_sheet_markdown);
    if (!st) st = sp_sheets_write(&data, 1, folder, "csv", sp_sheet_csv);
    if (!st) st = sp_sheets_write(&t->items[first], t->count - first, folder, "tex", sp_sheet_tex);
    sp_sheet_free(&data);
    return st;
}

static sp_status write_best(const sp_results *r, const char *folder, tables *t) {
    sp_sheet *sheet = add_sheet(t);
    sp_best_sheet(r, sheet);
    return write_sheet(sheet, folder);
}

/* What cannot be judged without the data set is on the board as such. */
static sp_status write_claims(const sp_results *r, const char *folder, tables *t) {
    if (!r->spec->claim_count) return SP_OK;
    sp_assets *assets = sp_assets_new();
    sp_judgement *judgements = NULL;
    size_t count = 0;
    sp_status st = sp_claims_judge(r, folder, assets, &judgements, &count);
    st = sp_claims_settle(st, r->spec, &judgements, &count);
    if (!st) st = sp_claims_write(judgements, count, folder, "claims");
    if (!st) sp_claims_sheet(judgements, count, "claims", add_sheet(t));
    if (judgements) sp_judgements_free(judgements, count);
    sp_assets_free(assets);
    return st;
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
static sp_status write_examples(const sp_results *r, const char *folder, sp_buf *text) {
    char *path = sp_path_join(folder, "examples.txt");
    sp_status st = sp_examples_text(r, folder, text);
    if (!st && text->len) st = sp_write_file(path, text->data, text->len);
    if (!st && !text->len) unlink(path);
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

/* ---- figures ---- */

typedef struct figures {
    sp_page_figure *items; /* [count]: those that have data */
    size_t count;
} figures;

static bool has_curves(const sp_spec *spec) {
    for (size_t i = 0; i < spec->figure_count; i++)
        if (spec->figures[i].kind == SP_LEARNING_CURVE) return true;
    return false;
}

static sp_status write_figure(const sp_results *r, const sp_figure *figure, const char *folder,
                              figures *f) {
    bool drawn = false;
    sp_status st = sp_plot(r, figure, folder, &drawn);
    if (!st && !drawn) remove_figure(folder, figure->name);
    if (!st && drawn) f->items[f->count++] = (sp_page_figure){figure->name, figure->title};
    return st;
}

/* Those of the spec, and, beside a table, learning curves if it has none: no report should lack
 * them. */
static sp_status write_figures(const sp_results *r, const char *folder, figures *f,
                               size_t *drawn_count) {
    static const sp_figure curves = {.kind = SP_LEARNING_CURVE,
                                     .name = "learning-curves",
                                     .title = "Learning curves",
                                     .x = "",
                                     .y = "train.loss",
                                     .series = "entry",
                                     .y_low = NAN,
                                     .y_high = NAN};
    const sp_spec *spec = r->spec;
    bool add_curves = spec->has_table && !has_curves(spec) && r->row_count <= MOST_CURVES;
    if (!spec->figure_count && !add_curves) return SP_OK;
    char *path = sp_path_join(folder, "figures");
    f->items = sp_alloc(spec->figure_count + 1, sizeof *f->items);
    sp_status st = sp_make_folders(path);
    for (size_t i = 0; !st && i < spec->figure_count; i++)
        st = write_figure(r, &spec->figures[i], path, f);
    if (!st && drawn_count) *drawn_count += f->count;
    if (!st && add_curves) st = write_figure(r, &curves, path, f);
    free(path);
    return st;
}

/* ---- all of it ---- */

static sp_status write_page(const sp_results *r, const char *folder, const sp_page *page) {
    char *path = sp_path_join(folder, "report.html");
    sp_buf text = {0};
    sp_status st = sp_page_write(r, folder, page, &text);
    if (!st) st = sp_write_file(path, text.data, text.len);
    sp_buf_free(&text);
    free(path);
    return st;
}

/* The page comes out also without figures, and then says why; so does the function. */
static sp_status write_figures_and_page(const sp_results *r, const char *folder, const tables *t,
                                        const char *examples, size_t *drawn) {
    figures f = {0};
    sp_status st = write_figures(r, folder, &f, drawn);
    char *error = st ? sp_strdup(sp_error()) : NULL;
    sp_page page = {t->items, t->count, f.items, f.count, error, examples};
    sp_status page_st = write_page(r, folder, &page);
    if (st) sp_fail(st, "%s", error);
    free(error), free(f.items);
    return st ? st : page_st;
}

sp_status sp_report_write(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_buf *markdown, size_t *drawn) {
    sp_results r;
    sp_status st = sp_results_load(spec, runs, folder, &r);
    if (st) return st;
    tables t = {0};
    sp_buf examples = {0};
    st = sp_make_folders(folder);
    if (!st && spec->has_table) st = write_table(&r, folder, &t);
    if (!st && spec->has_table) st = write_examples(&r, folder, &examples);
    if (!st && spec->best) st = write_best(&r, folder, &t);
    if (!st) st = write_claims(&r, folder, &t);
    if (!st) st = write_sections(&r, folder, &t);
    put_markdown(&t, markdown);
    if (!st) st = write_figures_and_page(&r, folder, &t, examples.data ? examples.data : "", drawn);
    sp_buf_free(&examples);
    free_tables(&t);
    sp_results_free(&r);
    return st;
}
