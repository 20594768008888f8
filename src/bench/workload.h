/* The token sequences that are measured: drawn from a seed, or read from a file that another
 * program reads too. */
#ifndef SP_BENCH_WORKLOAD_H
#define SP_BENCH_WORKLOAD_H

#include "core/memory.h"
#include "core/status.h"

#include <stdint.h>

/* Lengths of the sequences, both inclusive. */
enum { SP_BENCH_SHORTEST = 24, SP_BENCH_LONGEST = 96 };

/* A list of sequences of token ids. Start from {0}. */
typedef struct sp_sequences {
    sp_ints *items;
    size_t count;
} sp_sequences;
void sp_sequences_free(sp_sequences *s);

/* Number `index` of the batches of a seed: `count` sequences of uniform length in
 * [SP_BENCH_SHORTEST, SP_BENCH_LONGEST] and uniform ids in [1, vocabulary). */
void sp_bench_draw(uint64_t seed, uint64_t index, size_t count, int vocabulary, sp_sequences *out);
/* The first halves, which generation continues. */
void sp_bench_first_halves(const sp_sequences *whole, sp_sequences *out);
/* How many ids they have in all, the last of each sequence (a target only) included. */
long sp_sequences_tokens(const sp_sequences *s);

/* What `make bench-peft` gives to both programs; see docs/benchmarks.md. Start from {0}. */
typedef struct sp_workload {
    int prefix, hidden, threads, tokens, beam; /* tokens: new ones of each sequence */
    double lr;
    sp_sequences *batches; /* [batch_count] trained on in this order; the first warms up */
    size_t batch_count;
    sp_sequences inputs; /* to continue */
} sp_workload;
/* SP_ERR_MISSING; SP_ERR_FORMAT for a file of another form or ids outside [0, vocabulary). */
sp_status sp_workload_read(const char *path, int vocabulary, sp_workload *out);
void sp_workload_free(sp_workload *w);

#endif
