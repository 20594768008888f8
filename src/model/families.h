/* The families family.c lists; a new family adds its line here and there. */
#ifndef SP_MODEL_FAMILIES_H
#define SP_MODEL_FAMILIES_H

#include "model/model.h"

extern const sp_family sp_family_gpt2;

#endif
