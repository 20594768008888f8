/* What a benchmark found, one row a quantity, and the forms it is told in. */
#ifndef SP_BENCH_RESULT_H
#define SP_BENCH_RESULT_H

#include "core/memory.h"
#include "core/status.h"

/* Texts are fixed arrays, so that a row can go through a pipe as it is. */
typedef struct sp_bench_row {
    char model[64], precision[8];
    int threads;
    char phase[16];   /* gemm, train, prompt, greedy, beam, start */
    char measure[16]; /* speed, time, rate, share, memory, peak, cost, speed-up */
    char series[16];  /* what x counts: "sequences", "prefix"; "": no series */
    double x;         /* 0 without a series */
    char unit[16];
    double median, low, high; /* over the repetitions */
    int repetitions;
} sp_bench_row;

/* Start from {0}; release with sp_bench_rows_free. */
typedef struct sp_bench_rows {
    sp_bench_row *items;
    size_t count, cap;
    char gemm[96]; /* the library that was used; "" before anything was measured */
} sp_bench_rows;

void sp_bench_rows_add(sp_bench_rows *rows, const sp_bench_row *row);
/* Adds `row` with the median and the range of samples [count], count >= 1, which are sorted. */
void sp_bench_rows_summarise(sp_bench_rows *rows, sp_bench_row row, double *samples, int count);
void sp_bench_rows_free(sp_bench_rows *rows);

/* The row of a phase without a series, of the model, precision and threads of `like`; NULL if there
 * is none. */
const sp_bench_row *sp_bench_rows_find(const sp_bench_rows *rows, const sp_bench_row *like,
                                       const char *phase, const char *measure);

/* The rows as text, appended to `out`: for a person, as CSV (RFC 4180) with a heading, as one JSON
 * object with the machine and the versions. */
void sp_bench_table(const sp_bench_rows *rows, sp_buf *out);
void sp_bench_csv(const sp_bench_rows *rows, sp_buf *out);
void sp_bench_json(const sp_bench_rows *rows, sp_buf *out);
/* CPU, instruction set, CPUs, GEMM library, version: one line without an end. */
void sp_bench_machine(const sp_bench_rows *rows, sp_buf *out);

#endif
