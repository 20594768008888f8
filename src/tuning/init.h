/* Initialisations, one function each. `source` may be partly empty where a strategy does not use
 * it; every function says what it needs. */
#ifndef SP_TUNING_INIT_H
#define SP_TUNING_INIT_H

#include "tuning/method.h"

/* What an initialisation fills and from what. */
typedef struct sp_init_args {
    const sp_model *model;
    const sp_init_source *source;
    const sp_method_options *options;
    sp_rng *rng;
} sp_init_args;

/* Fills `rows` [length, n_embd], which stand among token embeddings, by options->init:
 *   random      uniform in [-0.5, 0.5] (Lester et al. 2021, section 3.2)
 *   normal      normal with the model's own standard deviation of initialisation
 *   zero        zeros
 *   vocab       embeddings sampled from the init_top most frequent tokens (ibid.)
 *   text        embeddings of the tokens of init_text, repeated as needed
 *   class-label row i is the mean embedding of the tokens of label i; rows beyond the labels are
 *               as for vocab, labels beyond the rows are left out (ibid.)
 * SP_ERR_SPEC for a strategy that does not fit rows, or a text or labels that are missing. */
sp_status sp_init_rows(const sp_init_args *args, sp_var *rows);

/* Fills `prefix` [length, 2 * layers * kv width] (key and value of first_layer, of the next, ...):
 *   random, normal, zero   as above
 *   activations            keys and values that the frozen model computes for the tokens of
 *                          init_text, repeated as needed (Prefix-Tuning, section 7.4)
 *   vocab                  the same for tokens sampled from the init_top most frequent
 *   class-label            the same for the labels' tokens, label by label, then as for vocab */
sp_status sp_init_prefix(const sp_init_args *args, int first_layer, sp_var *prefix);

/* torch.nn.Linear's default: weight and bias uniform in +-1/sqrt(in) (weight [out, in]). */
void sp_init_linear(sp_var *weight, sp_var *bias, sp_rng *rng);
/* Uniform in [-bound, bound]; normal(0, std). */
void sp_init_uniform(sp_var *v, float bound, sp_rng *rng);
void sp_init_normal(sp_var *v, float std, sp_rng *rng);

#endif
