#include "experiment/plot.h"

#include "core/file.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BINS = 100 };

/* ---- looks ---- */

typedef struct look {
    const char *method, *color; /* Okabe and Ito's palette */
    int point;                  /* gnuplot's filled point types; one less is the open one */
} look;

static const look looks[] = {
    {"fine-tune", "#D55E00", 11}, {"prefix", "#0072B2", 7}, {"p-tuning-v2", "#CC79A7", 13},
    {"p-tuning", "#009E73", 9},   {"prompt", "#E69F00", 5}, {"none", "#7F7F7F", 15},
};
static const look other_look = {"", "#56B4E9", 7};

static const look *find_look(const char *method) {
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].method, method) == 0) return &looks[i];
    return &other_look;
}

/* ---- data ---- */

/* One value of one run. */
typedef struct sample {
    double x, y;
} sample;

typedef struct samples {
    sample *data;
    size_t len, cap;
} samples;

static void add_sample(samples *s, double x, double y) {
    if (isnan(x) || isnan(y)) return;
    if (s->len == s->cap) {
        s->cap = 2 * s->cap + 64;
        s->data = sp_realloc(s->data, s->cap, sizeof *s->data);
    }
    s->data[s->len++] = (sample){x, y};
}

static int by_x(const void *a, const void *b) {
    double x = ((const sample *)a)->x, y = ((const sample *)b)->x;
    return (x > y) - (x < y);
}

/* What goes to gnuplot: data blocks with their looks, and what the script must know. */
typedef struct drawing {
    sp_buf data, colors, dashes, points;
    int series;
    const char *methods[64];           /* of the series so far */
    sp_buf baselines, baseline_labels; /* untuned models: no place on an x axis */
    int baseline_count;
    samples ticks; /* x values of a grid */
} drawing;

static void free_drawing(drawing *d) {
    sp_buf_free(&d->data), sp_buf_free(&d->colors), sp_buf_free(&d->dashes);
    sp_buf_free(&d->points), sp_buf_free(&d->baselines), sp_buf_free(&d->baseline_labels);
    free(d->ticks.data);
}

/* A second series of the same method keeps its colour and takes another dash and an open point. */
static void add_look(drawing *d, const char *method) {
    int earlier = 0;
    for (int i = 0; i < d->series && i < 64; i++) earlier += strcmp(d->methods[i], method) == 0;
    if (d->series < 64) d->methods[d->series] = method;
    const look *l = find_look(method);
    const char *space = d->series ? " " : "";
    sp_buf_printf(&d->colors, "%s%s", space, l->color);
    sp_buf_printf(&d->dashes, "%s%d", space, earlier % 5 + 1);
    sp_buf_printf(&d->points, "%s%d", space, l->point - earlier % 2);
    d->series++;
}

/* A label and its closing quote; gnuplot has no escapes in data files. */
static void put_label(const char *label, sp_buf *out) {
    for (; *label; label++) sp_buf_putc(out, *label == '"' ? '\'' : *label);
    sp_buf_putc(out, '"');
}

/* Appends a block: the label, then x, mean, mean - sd, mean + sd over samples of equal x. Sorts. */
static void add_series(drawing *d, const char *label, const char *method, samples *s) {
    if (!s->len) return;
    qsort(s->data, s->len, sizeof *s->data, by_x);
    sp_buf_puts(&d->data, d->series ? "\n\n\"" : "\"");
    put_label(label, &d->data);
    sp_buf_putc(&d->data, '\n');
    double *values = sp_alloc(s->len, sizeof *values);
    for (size_t i = 0, n; i < s->len; i += n) {
        for (n = 0; i + n < s->len && s->data[i + n].x == s->data[i].x; n++)
            values[n] = s->data[i + n].y;
        sp_summary sum = sp_summarise(values, n);
        sp_buf_printf(&d->data, "%.10g %.10g %.10g %.10g\n", s->data[i].x, sum.mean,
                      sum.mean - sum.deviation, sum.mean + sum.deviation);
    }
    free(values);
    add_look(d, method);
}

/* "train.NAME": a value of every step. */
static bool is_of_steps(const char *y) {
    return strncmp(y, "train.", strlen("train.")) == 0;
}

/* The middle of the bin a step falls in: a raw training loss is too noisy to read. */
static double binned(double step, double last) {
    double width = ceil(last / BINS);
    return width <= 1 ? step : floor(step / width) * width + width / 2;
}

static void add_curve(const sp_runlog *log, const char *y, samples *out) {
    if (is_of_steps(y)) {
        const sp_column *step = &log->train[SP_COLUMN_STEP];
        const sp_column *value = sp_runlog_get_train(log, y + strlen("train."));
        for (size_t i = 0; i < step->len; i++)
            add_sample(out, binned(step->data[i], step->data[step->len - 1]), value->data[i]);
        return;
    }
    const sp_column *dev = sp_runlog_get_dev(log, y + strlen("dev."));
    for (size_t i = 0; dev && i < dev->len; i++)
        add_sample(out, log->dev_step.data[i], dev->data[i]);
}

static void collect_curves(const sp_results *r, const sp_figure *f, drawing *d) {
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        samples s = {0};
        for (size_t j = row->first; j < row->first + row->count; j++)
            if (r->states[j] == SP_RUN_FINISHED) add_curve(&r->logs[j], f->y, &s);
        add_series(d, row->title, row->run->method, &s);
        free(s.data);
    }
}

/* Group and metric of "test.GROUP.METRIC"; *group is owned by the caller. */
static const char *split_y(const char *y, char **group) {
    const char *start = y + strlen("test."), *dot = strrchr(y, '.');
    *group = sp_strndup(start, (size_t)(dot - start));
    return dot + 1;
}

static double test_score(const sp_results *r, size_t run, const char *y) {
    if (r->states[run] != SP_RUN_FINISHED) return NAN;
    char *group;
    const char *metric = split_y(y, &group);
    double value =
        sp_runlog_get_test(&r->logs[run], strcmp(group, "all") == 0 ? NULL : group, metric);
    free(group);
    return value;
}

/* The number at a path of the resolved spec; NaN for a text, or a setting the method lacks. */
static double setting(const sp_run_spec *run, const char *path) {
    sp_yaml *root;
    if (sp_yaml_parse(run->spec_yaml, strlen(run->spec_yaml), "run", &root)) return NAN;
    const sp_yaml *node = sp_yaml_at(root, path);
    char *end = NULL;
    double x = node && node->text ? strtod(node->text, &end) : NAN;
    if (!end || end == node->text || *end) x = NAN;
    sp_yaml_free(root);
    return x;
}

/* A horizontal line at the mean: what has no x has no place on the axis. */
static void add_baseline(drawing *d, const char *label, const samples *s) {
    if (!s->len) return;
    double sum = 0;
    for (size_t i = 0; i < s->len; i++) sum += s->data[i].y;
    const char *space = d->baseline_count ? " " : "";
    sp_buf_printf(&d->baselines, "%s%.10g", space, sum / (double)s->len);
    sp_buf_printf(&d->baseline_labels, "%s\"", space);
    put_label(label, &d->baseline_labels);
    d->baseline_count++;
}

static void collect_line(const sp_results *r, const sp_figure *f, drawing *d) {
    for (size_t e = 0; e < r->spec->entry_count; e++) {
        const sp_entry *entry = &r->spec->entries[e];
        samples s = {0}, flat = {0};
        for (size_t i = 0; i < r->runs->count; i++) {
            const sp_run_spec *run = &r->runs->items[i];
            if (strcmp(run->entry, entry->name) != 0) continue;
            double x = setting(run, f->x), y = test_score(r, i, f->y);
            add_sample(isnan(x) ? &flat : &s, isnan(x) ? 0 : x, y);
            add_sample(&d->ticks, x, y);
        }
        add_series(d, entry->label, entry->method->name, &s);
        add_baseline(d, entry->label, &flat);
        free(s.data), free(flat.data);
    }
}

/* A series per entry, a point per grid point; what trains nothing is the untuned model. */
static void collect_scatter(const sp_results *r, const sp_figure *f, drawing *d) {
    samples untuned = {0};
    for (size_t e = 0; e < r->spec->entry_count; e++) {
        const sp_entry *entry = &r->spec->entries[e];
        samples s = {0};
        for (size_t i = 0; i < r->runs->count; i++) {
            if (strcmp(r->runs->items[i].entry, entry->name) != 0) continue;
            double x = sp_runlog_get_number(&r->logs[i], "trainable_parameters");
            add_sample(x > 0 ? &s : &untuned, x, test_score(r, i, f->y));
        }
        add_series(d, entry->label, entry->method->name, &s);
        free(s.data);
    }
    add_baseline(d, "Untuned", &untuned);
    free(untuned.data);
}

/* ---- gnuplot ---- */

/* name='text'; with quotes doubled, as gnuplot reads them. */
static void assign(sp_buf *b, const char *name, const char *text) {
    sp_buf_printf(b, "%s='", name);
    for (; *text; text++) {
        if (*text == '\'') sp_buf_putc(b, '\'');
        sp_buf_putc(b, *text == '\n' ? ' ' : *text);
    }
    sp_buf_puts(b, "';");
}

/* "training loss", "learning rate in training". */
static char *training_label(const char *name) {
    if (strcmp(name, "loss") == 0) return sp_strdup("training loss");
    char *label = sp_format("%s in training", name);
    for (char *c = label; *c; c++)
        if (*c == '_') *c = ' ';
    return label;
}

static char *y_label(const sp_figure *f) {
    if (strcmp(f->y, "dev.loss") == 0) return sp_strdup("loss on dev");
    if (is_of_steps(f->y)) return training_label(f->y + strlen("train."));
    if (f->kind == SP_LEARNING_CURVE)
        return sp_format("%s on dev", sp_metric_find(f->y + strlen("dev."))->title);
    char *group;
    const char *metric = split_y(f->y, &group);
    char *text = sp_format("%s on test (%s)", sp_metric_find(metric)->title, group);
    free(group);
    return text;
}

static char *x_label(const sp_figure *f) {
    if (f->kind == SP_LEARNING_CURVE) return sp_strdup("step");
    if (f->kind == SP_SCATTER) return sp_strdup("trained parameters");
    const char *dot = strrchr(f->x, '.');
    return sp_strdup(dot ? dot + 1 : f->x);
}

static char *tick_text(samples *ticks) {
    sp_buf b = {0};
    if (ticks->len) qsort(ticks->data, ticks->len, sizeof *ticks->data, by_x);
    for (size_t i = 0; i < ticks->len; i++)
        if (!i || ticks->data[i].x != ticks->data[i - 1].x)
            sp_buf_printf(&b, "%s%.10g", b.len ? "," : "", ticks->data[i].x);
    return sp_buf_take(&b);
}

static char *describe(const sp_results *r, const sp_figure *f, drawing *d, const char *plots,
                      const char *data) {
    sp_buf b = {0};
    char *x = x_label(f), *y = y_label(f), *ticks = tick_text(&d->ticks);
    assign(&b, "plots", plots);
    assign(&b, "data", data);
    assign(&b, "colors", d->colors.data ? d->colors.data : "");
    assign(&b, "dashes", d->dashes.data ? d->dashes.data : "");
    assign(&b, "points", d->points.data ? d->points.data : "");
    assign(&b, "baseline_values", d->baselines.data ? d->baselines.data : "");
    assign(&b, "baseline_labels", d->baseline_labels.data ? d->baseline_labels.data : "");
    assign(&b, "heading", *f->title ? f->title : r->spec->title);
    assign(&b, "x_label", x);
    assign(&b, "y_label", y);
    assign(&b, "ticks", ticks);
    bool marks = !is_of_steps(f->y); /* too many points for marks */
    sp_buf_printf(&b, "series=%d;baselines=%d;logx=%d;marks=%d;", d->series, d->baseline_count,
                  f->logx, marks);
    free(x), free(y), free(ticks);
    return sp_buf_take(&b);
}

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
        st = sp_fail(SP_ERR_IO, "%s: gnuplot could not draw this: %.300s", path,
                     complaint.len ? complaint.data : strerror(errno));
    if (st) unlink(temporary);
    free(temporary), free(script_copy);
    sp_buf_free(&all), sp_buf_free(&complaint);
    return st;
}

static sp_status draw_formats(const sp_results *r, const sp_figure *f, drawing *d,
                              const char *folder) {
    static const char *const scripts[] = {"plots/learning_curve.gp", "plots/line.gp",
                                          "plots/scatter.gp"};
    static const char *const formats[] = {"svg", "png", "pdf"};
    char *data = sp_format("%s/%s.dat", folder, f->name);
    char *script = sp_find_file(scripts[f->kind]), *plots = sp_path_folder(script);
    char *settings = describe(r, f, d, plots, data);
    sp_status st = sp_write_file(data, d->data.data, d->data.len);
    for (int i = 0; i < 3 && !st; i++) {
        char *path = sp_format("%s/%s.%s", folder, f->name, formats[i]);
        st = draw(settings, script, formats[i], path);
        free(path);
    }
    free(data), free(script), free(plots), free(settings);
    return st;
}

sp_status sp_plot(const sp_results *r, const sp_figure *f, const char *folder, bool *drawn) {
    void (*const collect[])(const sp_results *, const sp_figure *,
                            drawing *) = {collect_curves, collect_line, collect_scatter};
    drawing d = {0};
    collect[f->kind](r, f, &d);
    *drawn = d.series > 0;
    sp_status st = *drawn ? draw_formats(r, f, &d, folder) : SP_OK;
    free_drawing(&d);
    return st;
}
