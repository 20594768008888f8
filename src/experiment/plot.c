#include "experiment/plot.h"

#include "core/file.h"
#include "experiment/drawing.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Letters that fit beside each other in a legend of the style's width and font. */
enum { LEGEND_WIDTH = 60, SAMPLE_WIDTH = 6, TICKS_WIDTH = 48 };

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

/* name='text'; with quotes doubled, as gnuplot reads them; but not one at the very start. */
static void assign(sp_buf *b, const char *name, const char *text) {
    bool quoted = *text == '\'';
    sp_buf_printf(b, "%s='%s", name, quoted ? "\xe2\x80\x99" : "");
    text += quoted;
    for (; *text; text++) {
        if (*text == '\'') sp_buf_putc(b, '\'');
        sp_buf_putc(b, *text == '\n' ? ' ' : *text);
    }
    sp_buf_puts(b, "';");
}

/* Assigns a buffer and frees it. */
static void assign_buf(sp_buf *b, const char *name, sp_buf *text) {
    assign(b, name, text->data ? text->data : "");
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
    sp_buf_printf(out, "tick_count=%zu;rotate=%d;from_zero=%d;", d->tick_count,
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

static char *describe(const sp_figure *f, const sp_drawing *d, const char *plots,
                      const char *data) {
    sp_buf b = {0};
    char *x = x_label(f), *y = y_label(f), *range = range_text(f);
    size_t columns = legend_columns(d), entries = d->line_count + d->baseline_count;
    assign(&b, "plots", plots);
    assign(&b, "data", data);
    assign(&b, "heading", f->title);
    assign(&b, "x_label", x);
    assign(&b, "y_label", y);
    assign(&b, "range", range);
    describe_looks(d, &b);
    describe_baselines(d, &b);
    describe_ticks(d, &b);
    bool marks = !is_of_steps(f->y); /* too many points for marks */
    sp_buf_printf(&b, "series=%zu;baselines=%zu;columns=%zu;rows=%zu;", d->line_count,
                  d->baseline_count, columns, entries > 1 ? (entries + columns - 1) / columns : 0);
    sp_buf_printf(&b, "logx=%d;logy=%d;marks=%d;", f->logx, f->logy, marks);
    sp_buf_printf(&b, "x_low=%.10g;x_high=%.10g;", d->x_low, d->x_high);
    free(x), free(y), free(range);
    return sp_buf_take(&b);
}

/* ---- gnuplot ---- */

/* Runs gnuplot without a shell; `complaint` takes what it prints. Returns its exit code, or -1 if
 * there is no gnuplot. */
static int run_gnuplot(char *settings, char *script, sp_buf *complaint) {
    extern char **environ;
    char name[] = "gnuplot", option[] = "-e";
    char *argv[] = {name, option, settings, script, NULL};
    int ends[2];
    if (pipe(ends)) return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t child;
    int failed = posix_spawnp(&child, name, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char chunk[512];
    ssize_t n;
    while ((n = read(ends[0], chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) sp_buf_append(complaint, chunk, (size_t)n);
    close(ends[0]);
    if (failed) return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* gnuplot prints all its input before it says what is wrong. */
static const char *last_part(const char *complaint) {
    size_t len = strlen(complaint);
    return len > 300 ? complaint + len - 300 : complaint;
}

/* Draws to a temporary name and renames. */
static sp_status draw(const char *settings, const char *script, const char *format,
                      const char *path) {
    char *temporary = sp_format("%s.tmp-%ld", path, (long)getpid());
    sp_buf all = {0}, complaint = {0};
    sp_buf_puts(&all, settings);
    assign(&all, "format", format);
    assign(&all, "out", temporary);
    char *script_copy = sp_strdup(script);
    int code = run_gnuplot(all.data, script_copy, &complaint);
    sp_status st = SP_OK;
    if (code < 0 || code == 127)
        st = sp_fail(SP_ERR_MISSING, "%s: gnuplot is not installed; apt-get install gnuplot-nox",
                     path);
    else if (code || rename(temporary, path))
        st = sp_fail(SP_ERR_IO, "%s: gnuplot could not draw this: %s", path,
                     complaint.len ? last_part(complaint.data) : strerror(errno));
    if (st) unlink(temporary);
    free(temporary), free(script_copy);
    sp_buf_free(&all), sp_buf_free(&complaint);
    return st;
}

static sp_status draw_formats(const sp_figure *f, const sp_drawing *d, const char *folder) {
    static const char *const scripts[] = {"plots/learning_curve.gp", "plots/line.gp",
                                          "plots/scatter.gp", "plots/bar.gp"};
    static const char *const formats[] = {"svg", "png", "pdf"};
    char *data = sp_format("%s/%s.dat", folder, f->name);
    char *script = sp_find_file(scripts[f->kind]), *plots = sp_path_folder(script);
    char *settings = describe(f, d, plots, data);
    sp_buf text = {0};
    put_data(d, &text);
    sp_status st = sp_write_file(data, text.data, text.len);
    for (int i = 0; i < 3 && !st; i++) {
        char *path = sp_format("%s/%s.%s", folder, f->name, formats[i]);
        st = draw(settings, script, formats[i], path);
        free(path);
    }
    sp_buf_free(&text);
    free(data), free(script), free(plots), free(settings);
    return st;
}

sp_status sp_plot(const sp_results *r, const sp_figure *f, const char *folder, bool *drawn) {
    sp_drawing d;
    sp_drawing_make(r, f, &d);
    *drawn = d.line_count > 0;
    sp_status st = *drawn ? draw_formats(f, &d, folder) : SP_OK;
    sp_drawing_free(&d);
    return st;
}
