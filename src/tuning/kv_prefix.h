/* The key/value prefix that prefix-tuning and P-tuning v2 share: a matrix P
 * [length, 2 * n_layer * n_embd], row i holding key and value of virtual token i for layer 0, then
 * layer 1, ... (PEFT's layout), read in place. */
#ifndef SP_TUNING_KV_PREFIX_H
#define SP_TUNING_KV_PREFIX_H

#include "tuning/method.h"

/* Columns of P for this model. */
long sp_prefix_columns(const sp_model *model);

/* Per-layer views of P [length, columns] on the tape; layers outside the options' range get none.
 * NULL if P has no rows. */
sp_kv *sp_prefix_views(sp_tape *t, const sp_tuner *tuner, sp_var *p);

/* SP_ERR_SPEC unless 0 <= first_layer <= last_layer < n_layer (last -1: the top one). */
sp_status sp_prefix_check_layers(const sp_tuner *tuner);

/* Adds the two-layer Tanh MLP of the reparametrisation (Prefix-Tuning, section 4.3), with PEFT's
 * names transform.0 and transform.2, from n_embd through options.hidden to `columns`. */
void sp_prefix_add_mlp(sp_tuner *tuner, long columns, sp_rng *rng);
/* MLP(x): x [length, n_embd] -> [length, columns]. */
sp_var *sp_prefix_apply_mlp(const sp_tuner *tuner, sp_tape *t, sp_var *x);

#endif
