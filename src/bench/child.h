/* Measurements in a process of their own: each has its own peak of memory, its own threads, and
 * caches that no other one has warmed. */
#ifndef SP_BENCH_CHILD_H
#define SP_BENCH_CHILD_H

#include "bench/result.h"

typedef sp_status sp_bench_work(const void *user, sp_bench_rows *rows);

/* Runs `work` in a forked process and adds the rows it made. Its failure is passed up as if it had
 * happened here. The caller has started no threads (sp_gemm_start), which would not be there after
 * the fork. SP_ERR_INTERNAL if the process dies. */
sp_status sp_bench_in_child(sp_bench_work *work, const void *user, sp_bench_rows *rows);

#endif
