/* Which linear maps LoRA and AdaLoRA update. */
#ifndef SP_TUNING_LOW_RANK_H
#define SP_TUNING_LOW_RANK_H

#include "tuning/method.h"

/* Appends the indices of the projections that options.targets names: patterns separated by commas,
 * as fnmatch(3) reads them, of whole names or of their last parts; "auto" stands for those of the
 * model's family. SP_ERR_SPEC for a pattern that matches nothing, with the names there are. */
sp_status sp_low_rank_targets(const sp_tuner *tuner, sp_ints *out);

#endif
