#include "report/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 100, MOST_TICKS = 9 };

/* ---- values of runs, gathered by line ---- */

typedef struct sample {
    double x, y;
} sample;

typedef struct samples {
    sample *data;
    size_t len, cap;
} samples;

static void add_sample(samples *s, double x, double y) {
    if (!isfinite(x) || !isfinite(y)) return;
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

/* All runs of one line of the figure. */
typedef struct gathered {
    const sp_run_spec *run; /* the first one */
    const char *value;      /* of the figure's `series` setting, or NULL */
    const char *title;      /* NULL: made from the entry and the value */
    samples points, flat;   /* flat: values without an x */
} gathered;

typedef struct gathering {
    gathered *items;
    size_t count;
    samples ticks;
    sp_strings groups; /* of bars, in the order of their x */
} gathering;

static gathered *add_gathered(gathering *g, const sp_run_spec *run, const char *value) {
    g->items = sp_realloc(g->items, g->count + 1, sizeof *g->items);
    gathered *new = &g->items[g->count++];
    *new = (gathered){.run = run, .value = value};
    return new;
}

static bool same_value(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The line a run belongs to: its entry and, if the figure asks for it, the value of a setting. */
static gathered *line_of(gathering *g, const sp_results *r, size_t run, const sp_figure *f) {
    const sp_run_spec *spec = &r->runs->items[run];
    const char *value =
        strcmp(f->series, "entry") == 0 ? NULL : sp_results_setting(r, run, f->series);
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->items[i].run->entry, spec->entry) == 0 &&
            same_value(g->items[i].value, value))
            return &g->items[i];
    return add_gathered(g, spec, value);
}

static void free_gathering(gathering *g) {
    for (size_t i = 0; i < g->count; i++)
        free(g->items[i].points.data), free(g->items[i].flat.data);
    free(g->items);
    free(g->ticks.data);
    sp_strings_free(&g->groups);
}

/* ---- the filter ---- */

/* Equal as texts, or as numbers: 1e-3 is 0.001. */
static bool is_value(const char *have, const char *want) {
    if (!have || strcmp(have, want) == 0) return have != NULL;
    char *end_have, *end_want;
    double a = strtod(have, &end_have), b = strtod(want, &end_want);
    return end_have != have && !*end_have && end_want != want && !*end_want && a == b;
}

static bool passes(const sp_results *r, size_t run, const sp_yaml *where) {
    for (size_t i = 0; where && i < where->count; i++) {
        const sp_yaml *want = where->items[i];
        const char *have = sp_results_setting(r, run, where->keys[i]);
        bool found = want->kind == SP_YAML_SCALAR && is_value(have, want->text);
        for (size_t j = 0; want->kind == SP_YAML_LIST && !found && j < want->count; j++)
            found = is_value(have, want->items[j]->text);
        if (!found) return false;
    }
    return true;
}

static bool is_drawn(const sp_results *r, size_t run, const sp_figure *f) {
    return r->states[run] == SP_RUN_FINISHED && passes(r, run, f->where);
}

/* ---- one way to gather for each kind ---- */

/* The middle of the bin a step falls in: a raw training loss is too noisy to read. */
static double binned(double step, double last) {
    double width = ceil(last / BINS);
    return width <= 1 ? step : floor(step / width) * width + width / 2;
}

static void add_curve(const sp_runlog *log, const char *y, samples *out) {
    if (strncmp(y, "train.", strlen("train.")) == 0) {
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

/* A line for each row of the table, or for each value of a setting. */
static void gather_curves(const sp_results *r, const sp_figure *f, gathering *g) {
    bool by_row = strcmp(f->series, "entry") == 0;
    for (size_t i = 0; i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        if (by_row) add_gathered(g, row->run, NULL)->title = row->title;
        for (size_t j = row->first; j < row->first + row->count; j++)
            if (is_drawn(r, j, f))
                add_curve(&r->logs[j], f->y,
                          &(by_row ? &g->items[i] : line_of(g, r, j, f))->points);
    }
}

/* A setting as a number; NaN for a text, or a setting the method lacks. */
static double number_at(const sp_results *r, size_t run, const char *path) {
    const char *text = sp_results_setting(r, run, path);
    char *end = NULL;
    double x = text ? strtod(text, &end) : NAN;
    return end && end != text && !*end ? x : NAN;
}

static void gather_lines(const sp_results *r, const sp_figure *f, gathering *g) {
    bool by_model = strcmp(f->x, "model") == 0;
    for (size_t i = 0; i < r->runs->count; i++) {
        if (!is_drawn(r, i, f)) continue;
        double x = by_model ? sp_runlog_get_number(&r->logs[i], "total_parameters")
                            : number_at(r, i, f->x);
        double y = sp_results_score(r, i, f->y);
        gathered *line = line_of(g, r, i, f);
        add_sample(isnan(x) ? &line->flat : &line->points, isnan(x) ? 0 : x, y);
        add_sample(&g->ticks, x, y);
    }
}

/* What trains nothing has no place on a logarithmic axis. */
static void gather_scatter(const sp_results *r, const sp_figure *f, gathering *g) {
    for (size_t i = 0; i < r->runs->count; i++) {
        if (!is_drawn(r, i, f)) continue;
        double x = sp_runlog_get_number(&r->logs[i], "trainable_parameters");
        gathered *line = line_of(g, r, i, f);
        add_sample(x > 0 ? &line->points : &line->flat, x > 0 ? x : 0,
                   sp_results_score(r, i, f->y));
    }
}

/* The place of a group of bars: 0, 1, ... in the order they come up. */
static size_t group_index(sp_strings *groups, const char *name) {
    size_t i = 0;
    while (i < groups->len && strcmp(groups->data[i], name) != 0) i++;
    if (i == groups->len) sp_strings_push(groups, name);
    return i;
}

static void gather_bars(const sp_results *r, const sp_figure *f, gathering *g) {
    bool by_entry = strcmp(f->x, "entry") == 0;
    for (size_t i = 0; i < r->runs->count; i++) {
        double y = sp_results_score(r, i, f->y);
        const char *name = by_entry ? r->runs->items[i].label : sp_results_setting(r, i, f->x);
        if (!name || !isfinite(y) || !is_drawn(r, i, f)) continue;
        double x = (double)group_index(&g->groups, name);
        bool pooled = by_entry && strcmp(f->series, "entry") == 0;
        gathered *line = pooled && g->count ? &g->items[0] : line_of(g, r, i, f);
        add_sample(&line->points, x, y);
    }
}

/* ---- labels, looks, means ---- */

static bool starts_as_number(const char *text) {
    return strspn(text, "0123456789.-") > 0;
}

/* "Prefix-tuning", "Prefix-tuning, length 10"; the entry is left out where all have the same. */
static char *label_of(const gathered *line, const sp_figure *f, bool one_entry) {
    if (line->title) return sp_strdup(line->title);
    if (!line->value) return sp_strdup(line->run->label);
    const char *dot = strrchr(f->series, '.'), *name = dot ? dot + 1 : f->series;
    char *value = starts_as_number(line->value) ? sp_format("%s %s", name, line->value)
                                                : sp_strdup(line->value);
    if (one_entry) return value;
    char *both = sp_format("%s, %s", line->run->label, value);
    free(value);
    return both;
}

/* Means over samples of equal x. Sorts. */
static void summarise(samples *s, sp_line *out) {
    qsort(s->data, s->len, sizeof *s->data, by_x);
    out->points = sp_alloc(s->len, sizeof *out->points);
    double *values = sp_alloc(s->len, sizeof *values);
    for (size_t i = 0, n; i < s->len; i += n) {
        for (n = 0; i + n < s->len && s->data[i + n].x == s->data[i].x; n++)
            values[n] = s->data[i + n].y;
        sp_summary sum = sp_summarise(values, n);
        out->points[out->count++] = (sp_point){s->data[i].x, sum.mean, sum.deviation};
    }
    free(values);
}

static int order_of(const gathered *line) {
    return sp_look_order(line->run->method);
}

/* By the order of the methods; lines of one method stay as they were gathered. */
static void sort_lines(gathering *g) {
    for (size_t i = 1; i < g->count; i++) {
        gathered moved = g->items[i];
        size_t j = i;
        for (; j > 0 && order_of(&g->items[j - 1]) > order_of(&moved); j--)
            g->items[j] = g->items[j - 1];
        g->items[j] = moved;
    }
}

static bool all_same(const gathering *g, bool of_entry) {
    for (size_t i = 1; i < g->count; i++) {
        const sp_run_spec *a = g->items[0].run, *b = g->items[i].run;
        if (strcmp(of_entry ? a->entry : a->method, of_entry ? b->entry : b->method) != 0)
            return false;
    }
    return true;
}

/* A figure of one method tells its lines apart by colour; else the colour is the method's. */
static sp_look look_of(const gathering *g, size_t line, bool one_method) {
    const char *method = g->items[line].run->method;
    int earlier = 0;
    for (size_t i = 0; i < line; i++) earlier += strcmp(g->items[i].run->method, method) == 0;
    return one_method && g->count > 1 ? sp_look_of_value((int)line)
                                      : sp_look_of_method(method, earlier);
}

static void make_lines(gathering *g, const sp_figure *f, sp_drawing *d) {
    sort_lines(g);
    bool one_entry = all_same(g, true), one_method = all_same(g, false);
    d->lines = sp_alloc(g->count, sizeof *d->lines);
    d->baselines = sp_alloc(g->count, sizeof *d->baselines);
    for (size_t i = 0; i < g->count; i++) {
        gathered *from = &g->items[i];
        sp_look look = look_of(g, i, one_method);
        if (from->points.len) {
            sp_line *line = &d->lines[d->line_count++];
            *line = (sp_line){.label = label_of(from, f, one_entry), .look = look};
            summarise(&from->points, line);
        }
        if (from->flat.len) {
            sp_line *line = &d->baselines[d->baseline_count++];
            *line = (sp_line){.label = label_of(from, f, one_entry), .look = look};
            summarise(&from->flat, line);
        }
    }
}

/* ---- ticks ---- */

/* "1.2M" for 1,234,567. */
static char *size_text(double n) {
    static const char *const units[] = {"", "K", "M", "B"};
    int unit = 0;
    for (; n >= 1000 && unit < 3; n /= 1000) unit++;
    return sp_format(n < 10 ? "%.1f%s" : "%.0f%s", n, units[unit]);
}

/* Different x values of sorted samples. */
static size_t count_places(const samples *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->len; i++) n += !i || s->data[i].x != s->data[i - 1].x;
    return n;
}

static void make_ticks(gathering *g, const sp_figure *f, sp_drawing *d) {
    samples *s = &g->ticks;
    d->ticks = sp_alloc(s->len + g->groups.len + 1, sizeof *d->ticks);
    for (size_t i = 0; i < g->groups.len; i++)
        d->ticks[d->tick_count++] = (sp_tick){(double)i, sp_strdup(g->groups.data[i])};
    if (s->len) qsort(s->data, s->len, sizeof *s->data, by_x);
    if (s->len) d->x_low = s->data[0].x, d->x_high = s->data[s->len - 1].x;
    if (count_places(s) > MOST_TICKS) return;
    for (size_t i = 0; i < s->len; i++) {
        if (i && s->data[i].x == s->data[i - 1].x) continue;
        char *text =
            strcmp(f->x, "model") == 0 ? size_text(s->data[i].x) : sp_format("%.10g", s->data[i].x);
        d->ticks[d->tick_count++] = (sp_tick){s->data[i].x, text};
    }
}

void sp_drawing_make(const sp_results *r, const sp_figure *f, sp_drawing *out) {
    void (*const gather[])(const sp_results *, const sp_figure *, gathering *) = {
        gather_curves, gather_lines, gather_scatter, gather_bars};
    gathering g = {0};
    *out = (sp_drawing){0};
    gather[f->kind](r, f, &g);
    make_lines(&g, f, out);
    make_ticks(&g, f, out);
    free_gathering(&g);
}

void sp_drawing_of_curves(const sp_curve *curves, size_t count, const char *y, sp_drawing *out) {
    *out = (sp_drawing){.lines = sp_alloc(count, sizeof *out->lines)};
    for (size_t i = 0; i < count; i++) {
        samples s = {0};
        add_curve(curves[i].log, y, &s);
        if (s.len) {
            sp_line *line = &out->lines[out->line_count++];
            *line =
                (sp_line){.label = sp_strdup(curves[i].label), .look = sp_look_of_value((int)i)};
            summarise(&s, line);
        }
        free(s.data);
    }
}

static void free_lines(sp_line *lines, size_t count) {
    for (size_t i = 0; i < count; i++) free(lines[i].label), free(lines[i].points);
    free(lines);
}

void sp_drawing_free(sp_drawing *d) {
    free_lines(d->lines, d->line_count);
    free_lines(d->baselines, d->baseline_count);
    for (size_t i = 0; i < d->tick_count; i++) free(d->ticks[i].text);
    free(d->ticks);
    *d = (sp_drawing){0};
}
