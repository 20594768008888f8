/* The settings of a benchmark, stated once in an option table. */
#ifndef SP_BENCH_SETTINGS_H
#define SP_BENCH_SETTINGS_H

#include "core/option.h"
#include "tensor/weight.h"

typedef struct sp_bench_settings {
    char method[SP_OPTION_TEXT]; /* prefix | p-tuning-v2 */
    int threads;                 /* 0: all CPUs */
    int batch, steps, prefix, hidden, tokens, beam, seed;
} sp_bench_settings;

extern const sp_option sp_bench_option_table[];

/* One model to measure in one precision. */
typedef struct sp_bench_job {
    const char *folder; /* of the model */
    const char *label;  /* its name in the rows */
    sp_precision precision;
    sp_bench_settings settings;
} sp_bench_job;

#endif
