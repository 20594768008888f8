/* Ranks: processes that work together, started by mpirun. Every function that says "all ranks" has
 * to be called by each of them, in the same order. A NULL in place of the ranks is one process
 * alone, for which all of this does nothing. */
#ifndef SP_PARALLEL_RANKS_H
#define SP_PARALLEL_RANKS_H

#include "core/memory.h"
#include "core/status.h"
#include "parallel/channel.h"

#include <stdbool.h>

typedef struct sp_ranks {
    int rank, size;
    double bytes_sent; /* by this rank to the others, so far */
    sp_channel *channel;
    float *mine, *theirs; /* [size * part] while something is summed */
} sp_ranks;

/* Whether the module that loads MPI is there. SP_ERR_MISSING with the remedy. */
sp_status sp_ranks_available(void);
/* Joins the processes that mpirun started: loads MPI, all ranks. The process must not fork
 * afterwards. SP_ERR_MISSING if the program was built without MPI or the library is not there. */
sp_status sp_ranks_join(sp_ranks **out);
/* Over a channel of the caller's. */
sp_ranks *sp_ranks_over(sp_channel *channel);
/* All ranks; waits for them. */
void sp_ranks_leave(sp_ranks *ranks);

/* Whether this process prints and writes files: rank 0, or one alone. */
bool sp_ranks_leads(const sp_ranks *ranks);
int sp_ranks_size(const sp_ranks *ranks); /* 1 alone */
int sp_ranks_rank(const sp_ranks *ranks); /* 0 alone */

/* data [count] becomes the sum over all ranks, element by element in rank order: every rank gets
 * the same bits, and so does a repetition with as many ranks. A rank sends 2 (size - 1) / size of
 * the data: each sums a part of it and passes that on. */
void sp_ranks_sum(sp_ranks *ranks, float *data, size_t count);
/* The same for a few numbers, which are all sent to everyone. */
void sp_ranks_sum_numbers(sp_ranks *ranks, double *values, size_t count);
/* Every rank's bytes, one text after the other in rank order: lengths [size] and the texts are
 * appended to `out`. Alone: the own. */
void sp_ranks_gather(sp_ranks *ranks, const sp_buf *mine, sp_buf *out, size_t *lengths);

/* All ranks end up with the failure of the lowest rank that has one, with its message; alone,
 * `st`. */
sp_status sp_ranks_settle(sp_ranks *ranks, sp_status st);
/* Likewise, and *any becomes whether it was true on one of them, *led what it was on rank 0. */
sp_status sp_ranks_settle_flags(sp_ranks *ranks, sp_status st, bool *any, bool *led);
/* SP_ERR_INTERNAL on all ranks, naming `what`, unless all have the same bytes. */
sp_status sp_ranks_check_same(sp_ranks *ranks, const char *what, const void *data, size_t bytes);

#endif
