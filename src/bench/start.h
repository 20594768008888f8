/* How long the program takes from its start until a model is open. */
#ifndef SP_BENCH_START_H
#define SP_BENCH_START_H

#include "bench/result.h"
#include "bench/settings.h"

/* Starts this program as `softprompt bench --open FOLDER --precision P`, as often as job->settings
 * repeats: rows for time (from before the exec until the model is open) and peak memory. */
sp_status sp_bench_start(const sp_bench_job *job, sp_bench_rows *rows);

/* The other side: opens the model and prints the clock and the peak of memory, in bytes. */
sp_status sp_bench_open(const sp_bench_job *job);

#endif
