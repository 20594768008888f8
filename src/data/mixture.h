/* Mixtures: a card that joins the examples of several sets, for one prompt shared by their tasks
 * (P-tuning v2, Liu et al. 2021, section 3.3, multi-task learning). */
#ifndef SP_DATA_MIXTURE_H
#define SP_DATA_MIXTURE_H

#include "data/reader.h"

enum { SP_MAX_PARTS = 16 };

/* Checks the keys of a mixture's card, not the sets that it names: `of` lists 1 to SP_MAX_PARTS
 * different ones, a split is the number of examples that each of them gives, or "all". SP_ERR_SPEC
 * with file:line. */
sp_status sp_mixture_check(sp_card *card);

/* Appends the group of each set (sp_dataset_group) in the order of the card. */
void sp_mixture_groups(const sp_card *card, sp_strings *out);

#endif
