/* Groups of test examples that have scores of their own: "seen" and "unseen" of a set, the sets of
 * a mixture, and the sets that a run is tested on besides its own (`transfer`). */
#ifndef SP_EXPERIMENT_GROUPS_H
#define SP_EXPERIMENT_GROUPS_H

#include "data/dataset.h"
#include "format/yaml.h"

/* Appends all groups that the runs of a spec may have scores of: all, seen, unseen; the sets under
 * `transfer` wherever it is set in the spec or in `overrides` (--set), and the sets of every
 * mixture that is its data set somewhere. Cards that cannot be opened count for nothing here: the
 * run says so. */
void sp_groups_collect(const sp_yaml *root, const sp_yaml *overrides, sp_strings *out);

/* Why no set may be called so in the scores, as "is a metric"; NULL if it may. */
const char *sp_group_taken(const char *name);

/* Appends the groups that the examples of a split have, each once, in the order of the examples. */
void sp_groups_of_split(const sp_split *split, sp_strings *out);

#endif
