/* The rotary positions that a configuration describes. */
#ifndef SP_MODEL_ROTATIONS_H
#define SP_MODEL_ROTATIONS_H

#include "model/config.h"

/* ---- rotations.c ---- */

/* Rotations of heads of config->head_size numbers by rope_theta and rope_scaling; the first
 * positions as a table, which lies in `memory` with the rest. */
void sp_rotations_make(const sp_config *config, sp_arena *memory, sp_rotations *out);

/* ---- rope_config.c ---- */

/* Reads rope_theta and rope_scaling from "rope_parameters" (transformers 5), or from "rope_theta"
 * and "rope_scaling" (before); n_positions must be there. SP_ERR_FORMAT with the key. */
sp_status sp_rope_read_config(sp_config_source source, sp_config *out);
/* Adds "rope_theta" and, unless it is the default, "rope_scaling", which all versions read. */
void sp_rope_write_config(const sp_config *config, json_t *root);

#endif
