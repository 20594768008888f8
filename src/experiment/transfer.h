/* `transfer: [DATASET, ...]`: what a run has learnt is tested on other sets too, as it is (Prompt
 * Tuning, Lester et al. 2021, section 5: zero-shot domain transfer). */
#ifndef SP_EXPERIMENT_TRANSFER_H
#define SP_EXPERIMENT_TRANSFER_H

#include "experiment/setup.h"

/* Reads the list into the run's `transfer`. SP_ERR_SPEC with file and line for what is no list of
 * at most SP_TRANSFERS names, and for two sets, or a set and something else, whose scores would
 * have the same name. */
sp_status sp_transfer_read(const sp_yaml *node, sp_run_spec *run);

/* Opens the test splits of the run's `transfer`, limited by test.limit, as parts whose inputs end
 * with the separator of the run's own set, which its prompt has learnt. A set that is the run's own
 * is its own test part. Refuses sets for another kind of task, mixtures, and labels that the run
 * does not know: SP_ERR_DATA. */
sp_status sp_transfer_open(sp_setup *setup, sp_assets *assets);

#endif
