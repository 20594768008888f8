#include "report/plot.h"

#include "core/file.h"
#include "report/gnuplot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Letters that fit beside each other in a legend of the style's width and font. */
enum { LEGEND_WIDTH = 60, SAMPLE_WIDTH = 6, TICKS_WIDTH = 48 };

static const char *const figure_formats[] = {"svg", "png", "pdf", NULL};

/* ---- what goes to gnuplot ---- */

/* A label and its closing quote; gnuplot has no escapes in data files. */
static void put_label(const char *label, sp_buf *out) {
    for (; *label; label++) sp_buf_putc(out, *label == '"' ? '\'' : *label);
    sp_buf_putc(out, '"');
}

/* Data blocks: the label, then x, mean, mean - sd, mean + sd. */
static void put_data(const sp_drawing *d, sp_buf *out) {
    for (size_t i = 0; i < d->line_count; i++) {
        sp_buf_puts(out, i ? "\n\n\"" : "\"");
        put_label(d->lines[i].label, out);
        sp_buf_putc(out, '\n');
        for (size_t j = 0; j < d->lines[i].count; j++) {
            const sp_point *p = &d->lines[i].points[j];
            sp_buf_printf(out, "%.10g %.10g %.10g %.10g\n", p->x, p->mean, p->mean - p->deviation,
                          p->mean + p->deviation);
        }
    }
}

/* Assigns a buffer and frees it. */
static void assign_buf(sp_buf *b, const char *name, sp_buf *text) {
    sp_gnuplot_assign(b, name, text->data ? text->data : "");
    sp_buf_free(text);
}

/* Words that style.gp takes apart again: the looks of the lines. */
static void describe_looks(const sp_drawing *d, sp_buf *out) {
    sp_buf colors = {0}, dashes = {0}, points = {0}, variants = {0};
    for (size_t i = 0; i < d->line_count; i++) {
        sp_buf_printf(&colors, "%s ", d->lines[i].look.color);
        sp_buf_printf(&dashes, "%d ", d->lines[i].look.dash);
        sp_buf_printf(&points, "%d ", d->lines[i].look.point);
        sp_buf_printf(&variants, "%d ", d->lines[i].look.variant);
    }
    assign_buf(out, "colors", &colors);
    assign_buf(out, "dashes", &dashes);
    assign_buf(out, "points", &points);
    assign_buf(out, "variants", &variants);
}

static void describe_baselines(const sp_drawing *d, sp_buf *out) {
    sp_buf values = {0}, labels = {0}, colors = {0};
    for (size_t i = 0; i < d->baseline_count; i++) {
        sp_buf_printf(&values, "%.10g ", d->baselines[i].points[0].mean);
        sp_buf_puts(&labels, i ? " \"" : "\"");
        put_label(d->baselines[i].label, &labels);
        sp_buf_printf(&colors, "%s ", d->baselines[i].look.color);
    }
    assign_buf(out, "baseline_values", &values);
    assign_buf(out, "baseline_labels", &labels);
    assign_buf(out, "baseline_colors", &colors);
}

static void describe_ticks(const sp_drawing *d, sp_buf *out) {
    sp_buf places = {0}, labels = {0};
    size_t letters = 0;
    for (size_t i = 0; i < d->tick_count; i++) {
        sp_buf_printf(&places, "%.10g ", d->ticks[i].x);
        sp_buf_puts(&labels, i ? " \"" : "\"");
        put_label(d->ticks[i].text, &labels);
        letters += strlen(d->ticks[i].text) + 2;
    }
    assign_buf(out, "tick_places", &places);
    assign_buf(out, "tick_labels", &labels);
    bool from_zero = d->tick_count && d->ticks[0].x <= 0; /* a logarithm needs help */
    sp_buf_printf(out, "tick_count=%zu;rotate=%d;from_zero=%d;\n", d->tick_count,
                  letters > TICKS_WIDTH, from_zero);
}

/* How many columns a legend has room for. */
static size_t legend_columns(const sp_drawing *d) {
    size_t longest = 1;
    for (size_t i = 0; i < d->line_count; i++)
        if (strlen(d->lines[i].label) > longest) longest = strlen(d->lines[i].label);
    for (size_t i = 0; i < d->baseline_count; i++)
        if (strlen(d->baselines[i].label) > longest) longest = strlen(d->baselines[i].label);
    size_t columns = LEGEND_WIDTH / (longest + SAMPLE_WIDTH),
           entries = d->line_count + d->baseline_count;
    if (columns > entries) columns = entries;
    return columns ? columns : 1;
}

/* ---- words on the axes ---- */

/* "training loss", "learning rate in training". */
static char *training_label(const char *name) {
    if (strcmp(name, "loss") == 0) return sp_strdup("training loss");
    char *label = sp_format("%s in training", name);
    for (char *c = label; *c; c++)
        if (*c == '_') *c = ' ';
    return label;
}

static bool is_of_steps(const char *y) {
    return strncmp(y, "train.", strlen("train.")) == 0;
}

static char *y_label(const sp_figure *f) {
    if (is_of_steps(f->y)) return training_label(f->y + strlen("train."));
    if (f->kind != SP_LEARNING_CURVE) return sp_score_title(f->y);
    char *best = sp_format("dev.best.%s", f->y + strlen("dev.")), *label = sp_score_title(best);
    free(best);
    return label;
}

static char *x_label(const sp_figure *f) {
    static const char *const names[][2] = {{"model", "parameters of the model"},
                                           {"data.limit", "training examples"},
                                           {"train.lr", "learning rate"},
                                           {"entry", ""}};
    if (f->kind == SP_LEARNING_CURVE) return sp_strdup("step");
    if (f->kind == SP_SCATTER) return sp_strdup("trained parameters");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], f->x) == 0) return sp_strdup(names[i][1]);
    const char *dot = strrchr(f->x, '.');
    char *label = sp_strdup(dot ? dot + 1 : f->x);
    for (char *c = label; *c; c++)
        if (*c == '_') *c = ' ';
    return label;
}

/* "[20:*]" */
static char *range_text(const sp_figure *f) {
    bool from_zero = f->kind == SP_BAR && isnan(f->y_low) && !f->logy;
    char *low = from_zero || isnan(f->y_low) ? sp_strdup(from_zero ? "0" : "*")
                                             : sp_format("%.10g", f->y_low);
    char *high = isnan(f->y_high) ? sp_strdup("*") : sp_format("%.10g", f->y_high);
    char *range = sp_format("[%s:%s]", low, high);
    free(low), free(high);
    return range;
}

static char *describe(const sp_figure *f, const sp_drawing *d) {
    sp_buf b = {0};
    char *x = x_label(f), *y = y_label(f), *range = range_text(f);
    size_t columns = legend_columns(d), entries = d->line_count + d->baseline_count;
    sp_gnuplot_assign(&b, "heading", f->title);
    sp_gnuplot_assign(&b, "x_label", x);
    sp_gnuplot_assign(&b, "y_label", y);
    sp_gnuplot_assign(&b, "range", range);
    describe_looks(d, &b);
    describe_baselines(d, &b);
    describe_ticks(d, &b);
    bool marks = !is_of_steps(f->y); /* too many points for marks */
    sp_buf_printf(&b, "series=%zu;baselines=%zu;columns=%zu;rows=%zu;\n", d->line_count,
                  d->baseline_count, columns, entries > 1 ? (entries + columns - 1) / columns : 0);
    sp_buf_printf(&b, "logx=%d;logy=%d;marks=%d;\n", f->logx, f->logy, marks);
    sp_buf_printf(&b, "x_low=%.10g;x_high=%.10g;\n", d->x_low, d->x_high);
    free(x), free(y), free(range);
    return sp_buf_take(&b);
}

/* Draws lines that are there already: sp_gnuplot_figure. */
static sp_status plot_drawing(const sp_drawing *d, const sp_figure *f, const char *stem,
                              const char *const *formats) {
    static const char *const kinds[] = {"learning_curve", "line", "scatter", "bar"};
    char *settings = describe(f, d);
    sp_buf data = {0};
    put_data(d, &data);
    sp_status st = sp_gnuplot_figure(stem, kinds[f->kind], settings, &data, formats);
    sp_buf_free(&data);
    free(settings);
    return st;
}

sp_status sp_plot(const sp_results *r, const sp_figure *f, const char *folder, bool *drawn) {
    sp_drawing d;
    sp_drawing_make(r, f, &d);
    *drawn = d.line_count > 0;
    char *stem = sp_path_join(folder, f->name);
    sp_status st = *drawn ? plot_drawing(&d, f, stem, figure_formats) : SP_OK;
    free(stem);
    sp_drawing_free(&d);
    return st;
}

static const char *format_of(const char *path) {
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && figure_formats[i]; i++)
        if (strcmp(dot + 1, figure_formats[i]) == 0) return figure_formats[i];
    return NULL;
}

sp_status sp_check_figure_path(const char *path) {
    if (format_of(path)) return SP_OK;
    return sp_fail(SP_ERR_USAGE, "%s: a figure's name ends with .svg, .png or .pdf", path);
}

static bool all_have(const sp_curve *curves, size_t count, const char *dev) {
    for (size_t i = 0; i < count; i++)
        if (!sp_runlog_get_dev(curves[i].log, dev)) return false;
    return count > 0;
}

sp_status sp_plot_curves(const sp_curve *curves, size_t count, const char *dev, const char *path,
                         bool *drawn) {
    *drawn = false;
    sp_status st = sp_check_figure_path(path);
    if (st) return st;
    const char *const formats[] = {format_of(path), NULL};
    char *y =
        dev && all_have(curves, count, dev) ? sp_format("dev.%s", dev) : sp_strdup("train.loss");
    sp_figure figure = {.kind = SP_LEARNING_CURVE,
                        .title = "",
                        .x = "",
                        .y = y,
                        .series = "entry",
                        .y_low = NAN,
                        .y_high = NAN};
    char *stem = sp_strndup(path, strlen(path) - strlen(formats[0]) - 1);
    sp_drawing d;
    sp_drawing_of_curves(curves, count, y, &d);
    *drawn = d.line_count > 0;
    if (*drawn) st = plot_drawing(&d, &figure, stem, formats);
    sp_drawing_free(&d);
    free(stem), free(y);
    return st;
}
