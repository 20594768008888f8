/* What LoRA and AdaLoRA share: which linear maps they update, and their tensors by PEFT's names
 * ("transformer.h.0.attn.c_attn.lora_A.weight"). */
#ifndef SP_TUNING_LOW_RANK_H
#define SP_TUNING_LOW_RANK_H

#include "tuning/method.h"

/* Appends the indices of the projections that options.targets names: patterns separated by commas,
 * as fnmatch(3) reads them, of whole names or of their last parts; "auto" stands for those of the
 * model's family. SP_ERR_SPEC for a pattern that
 * matches nothing, with the names there are. */
sp_status sp_low_rank_targets(const sp_tuner *tuner, sp_ints *out);

/* Adds the parameter "<projection>.<suffix>" [rows, cols]; finds it again (NULL if absent). */
sp_var *sp_low_rank_add(sp_tuner *tuner, const sp_projection *p, const char *suffix, long rows,
                        long cols);
sp_var *sp_low_rank_tensor(const sp_tuner *tuner, const sp_projection *p, const char *suffix);

#endif
