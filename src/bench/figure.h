/* Figures of a benchmark's series, drawn by gnuplot from plots/bench.gp. */
#ifndef SP_BENCH_FIGURE_H
#define SP_BENCH_FIGURE_H

#include "bench/result.h"

/* Writes <folder>/<phase>-by-<series>.{dat,png} for training and greedy generation over the number
 * of sequences and over prefix length, each a line a model and precision; those without rows are
 * left out. SP_ERR_MISSING without gnuplot, SP_ERR_IO. */
sp_status sp_bench_draw_figures(const sp_bench_rows *rows, const char *folder);

#endif
