#include "bench/result.h"

#include "tensor/cpu.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sp_bench_rows_add(sp_bench_rows *rows, const sp_bench_row *row) {
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? 2 * rows->cap : 32;
        rows->items = sp_realloc(rows->items, rows->cap, sizeof *rows->items);
    }
    rows->items[rows->count++] = *row;
}

static int compare_reals(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sp_bench_rows_summarise(sp_bench_rows *rows, sp_bench_row row, double *samples, int count) {
    qsort(samples, (size_t)count, sizeof *samples, compare_reals);
    row.median = 0.5 * (samples[(count - 1) / 2] + samples[count / 2]);
    row.low = samples[0];
    row.high = samples[count - 1];
    row.repetitions = count;
    sp_bench_rows_add(rows, &row);
}

void sp_bench_rows_free(sp_bench_rows *rows) {
    free(rows->items);
    *rows = (sp_bench_rows){0};
}

static bool same_subject(const sp_bench_row *a, const sp_bench_row *b) {
    return strcmp(a->model, b->model) == 0 && strcmp(a->precision, b->precision) == 0;
}

const sp_bench_row *sp_bench_rows_find(const sp_bench_rows *rows, const sp_bench_row *like,
                                       const char *phase, const char *measure) {
    for (size_t i = 0; i < rows->count; i++) {
        const sp_bench_row *row = &rows->items[i];
        if (same_subject(row, like) && row->threads == like->threads && !*row->series &&
            strcmp(row->phase, phase) == 0 && strcmp(row->measure, measure) == 0)
            return row;
    }
    return NULL;
}

/* ---- the forms ---- */

static void put_row(const sp_bench_row *row, sp_buf *out) {
    char *x = *row->series ? sp_format("%s %g", row->series, row->x) : sp_strdup("");
    char *threads = sp_format("%d thread%s", row->threads, row->threads == 1 ? "" : "s");
    sp_buf_printf(out, "  %-6s  %-8s  %-13s  %-9s  %10.4g %-9s", row->phase, row->measure, x,
                  threads, row->median, row->unit);
    if (row->repetitions > 1)
        sp_buf_printf(out, "  %.4g .. %.4g of %d", row->low, row->high, row->repetitions);
    while (out->len && out->data[out->len - 1] == ' ') out->data[--out->len] = '\0';
    sp_buf_putc(out, '\n');
    free(x), free(threads);
}

void sp_bench_table(const sp_bench_rows *rows, sp_buf *out) {
    for (size_t i = 0; i < rows->count; i++) {
        const sp_bench_row *row = &rows->items[i];
        if (i == 0 || !same_subject(row, row - 1))
            sp_buf_printf(out, "%s%s, %s\n", i ? "\n" : "", row->model, row->precision);
        put_row(row, out);
    }
}

static void put_field(const char *text, sp_buf *out) {
    bool quoted = strpbrk(text, ",\"\n\r") != NULL;
    if (quoted) sp_buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"') sp_buf_putc(out, '"');
        sp_buf_putc(out, *text);
    }
    if (quoted) sp_buf_putc(out, '"');
    sp_buf_putc(out, ',');
}

void sp_bench_csv(const sp_bench_rows *rows, sp_buf *out) {
    sp_buf_puts(out, "model,precision,phase,measure,series,unit,threads,x,median,low,high,"
                     "repetitions\n");
    for (size_t i = 0; i < rows->count; i++) {
        const sp_bench_row *r = &rows->items[i];
        const char *const texts[] = {r->model,   r->precision, r->phase,
                                     r->measure, r->series,    r->unit};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) put_field(texts[k], out);
        sp_buf_printf(out, "%d,", r->threads);
        if (*r->series) sp_buf_printf(out, "%g", r->x);
        sp_buf_printf(out, ",%.6g,%.6g,%.6g,%d\n", r->median, r->low, r->high, r->repetitions);
    }
}

static json_t *row_json(const sp_bench_row *r) {
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:f, s:s, s:f, s:f, s:f, s:i}", "model",
                     r->model, "precision", r->precision, "threads", r->threads, "phase", r->phase,
                     "measure", r->measure, "series", r->series, "x", r->x, "unit", r->unit,
                     "median", r->median, "low", r->low, "high", r->high, "repetitions",
                     r->repetitions);
}

void sp_bench_json(const sp_bench_rows *rows, sp_buf *out) {
    json_t *list = json_array();
    for (size_t i = 0; i < rows->count; i++) json_array_append_new(list, row_json(&rows->items[i]));
    json_t *root = json_pack("{s:s, s:s, s:s, s:i, s:s, s:o}", "version", SP_VERSION, "cpu",
                             sp_cpu_name(), "instructions", sp_cpu_isa(), "cpus", sp_cpu_count(),
                             "gemm", rows->gemm, "rows", list);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    sp_buf_puts(out, text);
    sp_buf_putc(out, '\n');
    free(text);
    json_decref(root);
}

void sp_bench_machine(const sp_bench_rows *rows, sp_buf *out) {
    sp_buf_printf(out, "%s, %s, %d CPUs; softprompt %s%s%s", sp_cpu_name(), sp_cpu_isa(),
                  sp_cpu_count(), SP_VERSION, *rows->gemm ? ", " : "", rows->gemm);
}
