/* --only N or N-M: some runs of a study, by their places in its list. */
#ifndef SP_CLI_ONLY_H
#define SP_CLI_ONLY_H

#include "experiment/grid.h"

/* The places that were named; all if none was. Start from {0}. */
typedef struct sp_only {
    sp_ints first, last; /* pairs, from 1 */
} sp_only;

/* Takes the option's argument. False if it is neither N nor N-M. */
bool sp_only_add(sp_only *only, const char *text);
/* Takes the other runs off the list. SP_ERR_USAGE for places beyond it. */
sp_status sp_only_apply(const sp_only *only, sp_run_list *runs);
void sp_only_free(sp_only *only);

#endif
