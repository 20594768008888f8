/* Parameters that belong to a linear map of the model and are named after it:
 * "transformer.h.0.attn.c_attn.lora_A.weight". */
#ifndef SP_TUNING_PART_H
#define SP_TUNING_PART_H

#include "model/model.h"

/* Adds the parameter "<projection>.<suffix>" [rows, cols], of rank 1: [cols]. */
sp_var *sp_part_add(sp_params *params, const sp_projection *p, const char *suffix, int rank,
                    long rows, long cols);
/* NULL if there is none. */
sp_var *sp_part_find(const sp_params *params, const sp_projection *p, const char *suffix);

#endif
