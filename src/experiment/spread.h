/* The answers to the examples of a split, worked out by several ranks. */
#ifndef SP_EXPERIMENT_SPREAD_H
#define SP_EXPERIMENT_SPREAD_H

#include "experiment/evaluate.h"
#include "parallel/ranks.h"

/* As sp_evaluate, and with ranks (NULL: alone) each works on its share of the examples, every
 * size-th one; all get all hypotheses, or fail alike. Sampled texts, whose random numbers go by the
 * place of an example in its list, are rank 0's work alone. */
sp_status sp_evaluate_spread(const sp_evaluation *evaluation, sp_ranks *ranks,
                             sp_strings *hypotheses);

#endif
