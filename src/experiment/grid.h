/* From a spec to the list of its runs: methods x grid x subsamples x seeds. */
#ifndef SP_EXPERIMENT_GRID_H
#define SP_EXPERIMENT_GRID_H

#include "experiment/spec.h"

typedef struct sp_run_list {
    sp_run_spec *items;
    size_t count, capacity;
} sp_run_list;

/* All runs, entry by entry, grid point by grid point (the last axis fastest; an entry's own axes
 * after the spec's, replacing those of the same path), subsample by subsample, seed by seed. An
 * axis of the spec that a method has no option for collapses: that method runs once. Within an
 * entry no run is listed twice; two entries with equal settings share an id, and so the work.
 * SP_ERR_SPEC for a wrong setting; what `identify`, called with `user`, returns. Release with
 * sp_run_list_free. */
sp_status sp_expand(const sp_spec *spec, sp_identify *identify, void *user, sp_run_list *out);
void sp_run_list_free(sp_run_list *list);
/* Takes the runs off the list that are not kept [list->count]. */
void sp_run_list_keep(sp_run_list *list, const bool *kept);

/* Appends a sentence for each entry that `models` leaves out with a model that runs of the list
 * have: which, with what, and why. */
void sp_left_out(const sp_spec *spec, const sp_run_list *runs, sp_strings *out);

#endif
