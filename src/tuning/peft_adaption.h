/* Adaption prompts for PEFT: which models it computes the same for, and the rows behind keys and
 * values. */
#ifndef SP_TUNING_PEFT_ADAPTION_H
#define SP_TUNING_PEFT_ADAPTION_H

#include "model/model.h"

/* SP_ERR_SPEC, with `place`, for a model on which PEFT's adaption prompt is another function: GPT-2
 * (the prompt's term is added behind the output projection), heads of another width than
 * hidden size / heads, an output projection with a bias (added twice). */
sp_status sp_peft_check_adaption(const sp_model *model, const char *place);

/* Fills rows [kv.key->rows, n_embd] with the prompt A of which the projections of `layer` make
 * these keys and values (sp_model_keys_values), by least squares in double precision. Returns the
 * largest deviation of the keys and values of A, as a share of the largest of the given ones:
 * about 1e-6, or more if no rows give them. */
double sp_adaption_rows(const sp_model *model, int layer, const sp_kv *kv, float *rows);

#endif
