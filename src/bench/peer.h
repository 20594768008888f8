/* This program's side of `make bench-peft`: the work of a file that PEFT does too. */
#ifndef SP_BENCH_PEER_H
#define SP_BENCH_PEER_H

#include "bench/settings.h"

/* Trains on the batches of `workload` from the parameters in `parameters` (safetensors), then puts
 * these back and continues the inputs greedily and with beams, each twice, the first time to warm
 * up. Appends one JSON object to `out`: losses of all steps, seconds of each, generated ids, peak
 * memory (bytes) at load, after training, after generation. In the calling process. Errors of
 * sp_workload_read, sp_subject_load and of training. */
sp_status sp_bench_peer(const sp_bench_job *job, const char *workload, const char *parameters,
                        sp_buf *out);

#endif
