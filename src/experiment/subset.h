/* A part of a split: what data.limit, dev.limit, test.limit and data.subsample ask for. */
#ifndef SP_EXPERIMENT_SUBSET_H
#define SP_EXPERIMENT_SUBSET_H

#include "data/dataset.h"

/* Keeps `limit` examples (0, or more than there are: all), in their order. `draw` 0: evenly spaced
 * within each label, so that categories stay in and labels keep their shares; k >= 1: a random
 * subset that depends on k alone, and of which that of a smaller limit is a part (as Prefix-Tuning,
 * section 6.3, draws its low-data sets). Of a mixture this holds for each of its sets, so that
 * `limit` examples of each are kept, those that the set would keep by itself. */
void sp_split_keep(sp_split *split, size_t limit, int draw);

#endif
