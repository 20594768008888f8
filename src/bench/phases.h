/* The measurements of one model in one precision. Each function is the work of a child process
 * (bench/child.h): `user` is an sp_bench_job. */
#ifndef SP_BENCH_PHASES_H
#define SP_BENCH_PHASES_H

#include "bench/result.h"
#include "bench/settings.h"

/* A row of a phase with the names of the job. */
sp_bench_row sp_bench_row_of(const sp_bench_job *job, const char *phase, const char *measure,
                             const char *unit);

/* Fills rows->gemm, once the libraries are started. */
void sp_bench_describe_gemm(sp_bench_rows *rows);

/* The speed of the bare matrix products of a step, forward and backward, at the model's own shapes:
 * rate = all operations / the sum of the best times; range over the shapes. */
sp_status sp_bench_gemm(const void *user, sp_bench_rows *rows);

/* Speed, time, GFLOP/s of a step, peak memory. */
sp_status sp_bench_train(const void *user, sp_bench_rows *rows);
/* Time until the first token, speed, peak memory. */
sp_status sp_bench_greedy(const void *user, sp_bench_rows *rows);
sp_status sp_bench_beam(const void *user, sp_bench_rows *rows);

/* Time per token of training and greedy generation against the number of sequences, and against
 * the length of the prefix (as many lengths as fit the model's context). */
sp_status sp_bench_by_sequences(const void *user, sp_bench_rows *rows);
sp_status sp_bench_by_prefix(const void *user, sp_bench_rows *rows);

#endif
