/* The share of a rank in a batch, and the sum of what the ranks made of theirs (data-parallel
 * training). */
#ifndef SP_TRAINING_SHARE_H
#define SP_TRAINING_SHARE_H

#include "parallel/ranks.h"
#include "training/optimizer.h"

/* Which rank takes which of the sequences [count] with these sizes: the largest first, each goes to
 * the rank that has least, the lowest of equals; so rank 0 always has one. owner [count]. */
void sp_share_deal(const int *sizes, size_t count, int ranks, int *owner);

/* The gradients of the optimizer's parameters become the sums over the ranks, and so does *loss, in
 * one exchange; a parameter that has no gradient on a rank counts as zeros there. All ranks. */
void sp_share_sum_gradients(sp_ranks *ranks, const sp_optimizer *optimizer, double *loss);

#endif
