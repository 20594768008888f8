/* A model as its configuration makes it, without weights: for counting and planning. */
#ifndef SP_MODEL_OUTLINE_H
#define SP_MODEL_OUTLINE_H

#include "model/model.h"

/* Declares (sp_model_declare) the model that `name` stands for, which is what sp_model_find takes.
 * SP_ERR_MISSING, SP_ERR_FORMAT, SP_ERR_SPEC; *out is NULL then. Release with sp_model_free. */
sp_status sp_model_outline(const char *name, sp_model **out);

#endif
