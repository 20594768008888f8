/* The measurements of a benchmark one behind the other. */
#ifndef SP_BENCH_SUITE_H
#define SP_BENCH_SUITE_H

#include "bench/result.h"
#include "bench/settings.h"

/* What can be measured; in bits of `what`. */
enum {
    SP_BENCH_GEMM = 1,
    SP_BENCH_TRAIN = 2,
    SP_BENCH_GREEDY = 4,
    SP_BENCH_BEAM = 8,
    SP_BENCH_START = 16,
    SP_BENCH_THREADS = 32, /* training and greedy generation with one thread, and the speed-up */
    SP_BENCH_COST = 64     /* per token, over the number of sequences and over prefix length */
};
/* Their names in the order of the bits, NULL-terminated. */
extern const char *const sp_bench_whats[];

/* What is told before each measurement; `what` says what it is in a few words. */
typedef void sp_bench_watch(const sp_bench_job *job, const char *what);

/* Measures one model: `model` is a built-in shape, which is written to a temporary folder first, a
 * name below models/ or a folder. precisions [precision_count]. Each measurement is a process of
 * its own. SP_ERR_MISSING, SP_ERR_SPEC; SP_ERR_INTERRUPTED after Ctrl-C. */
sp_status sp_bench_model(const char *model, const sp_precision *precisions, size_t precision_count,
                         const sp_bench_settings *settings, unsigned what, sp_bench_watch *watch,
                         sp_bench_rows *rows);

#endif
