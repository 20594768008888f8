#include "bench/figure.h"

#include "core/file.h"
#include "report/gnuplot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct figure {
    const char *phase, *series, *x_label, *heading;
    bool log_x;
} figure;

static const figure figures[] = {
    {"train", "sequences", "sequences in a step", "Training: cost of a token", true},
    {"train", "prefix", "prefix length", "Training: cost of a token", false},
    {"greedy", "sequences", "sequences at a time", "Greedy generation: cost of a token", true},
    {"greedy", "prefix", "prefix length", "Greedy generation: cost of a token", false}};

static bool belongs(const figure *f, const sp_bench_row *row) {
    return strcmp(row->phase, f->phase) == 0 && strcmp(row->series, f->series) == 0;
}

static bool same_line(const sp_bench_row *a, const sp_bench_row *b) {
    return strcmp(a->model, b->model) == 0 && strcmp(a->precision, b->precision) == 0;
}

/* The point with the smallest x of the line of `row`: what the others are shown relative to. */
static const sp_bench_row *base_of(const figure *f, const sp_bench_rows *rows,
                                   const sp_bench_row *row) {
    const sp_bench_row *base = row;
    for (size_t i = 0; i < rows->count; i++) {
        const sp_bench_row *other = &rows->items[i];
        if (belongs(f, other) && same_line(row, other) && other->x < base->x) base = other;
    }
    return base;
}

static int compare_x(const void *a, const void *b) {
    const sp_bench_row *p = *(const sp_bench_row *const *)a, *q = *(const sp_bench_row *const *)b;
    return (p->x > q->x) - (p->x < q->x);
}

/* A block of data: the label, then x, median, low, high, all but x relative to the base. */
static void put_line(const figure *f, const sp_bench_rows *rows, const sp_bench_row *first,
                     sp_buf *out) {
    const sp_bench_row **points = sp_alloc(rows->count, sizeof *points);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (belongs(f, &rows->items[i]) && same_line(first, &rows->items[i]))
            points[count++] = &rows->items[i];
    qsort(points, count, sizeof *points, compare_x);
    double base = base_of(f, rows, first)->median;
    sp_buf_printf(out, "%s\"%s %s\"\n", out->len ? "\n\n" : "", first->model, first->precision);
    for (size_t i = 0; i < count; i++)
        sp_buf_printf(out, "%g %.6g %.6g %.6g\n", points[i]->x, points[i]->median / base,
                      points[i]->low / base, points[i]->high / base);
    free(points);
}

static int put_data(const figure *f, const sp_bench_rows *rows, sp_buf *out) {
    int lines = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const sp_bench_row *row = &rows->items[i];
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= belongs(f, &rows->items[k]) && same_line(row, &rows->items[k]);
        if (!belongs(f, row) || seen) continue;
        put_line(f, rows, row, out);
        lines++;
    }
    return lines;
}

static sp_status draw(const figure *f, const sp_buf *data, int lines, const char *stem) {
    static const char *const formats[] = {"png", NULL};
    sp_buf settings = {0};
    sp_gnuplot_assign(&settings, "heading", f->heading);
    sp_gnuplot_assign(&settings, "x_label", f->x_label);
    sp_buf_printf(&settings, "series=%d;logx=%d;", lines, f->log_x);
    sp_status st = sp_gnuplot_figure(stem, "bench", settings.data, data, formats);
    sp_buf_free(&settings);
    return st;
}

sp_status sp_bench_draw_figures(const sp_bench_rows *rows, const char *folder) {
    sp_status st = sp_make_folders(folder);
    for (size_t i = 0; i < sizeof figures / sizeof *figures && !st; i++) {
        const figure *f = &figures[i];
        char *stem = sp_format("%s/%s-by-%s", folder, f->phase, f->series);
        sp_buf data = {0};
        int lines = put_data(f, rows, &data);
        if (lines) st = draw(f, &data, lines, stem);
        sp_buf_free(&data);
        free(stem);
    }
    return st;
}
