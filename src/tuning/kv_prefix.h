/* The key/value prefix that prefix-tuning and P-tuning v2 share: a matrix P
 * [length, 2 * layers * kv width], row i holding key and value of virtual token i for the lowest
 * layer that has a prefix, then the next, ... (PEFT's layout where all layers have one), read in
 * place.
 *
 * P trains directly, or comes from an MLP (Prefix-Tuning, section 4.3):
 *   P[i] = W2 tanh(W0 P'[i] + b0) + b2,   P' [length, kv width]
 * with PEFT's names: embedding.weight is P or P', transform.0 and transform.2 the MLP. Where the
 * MLP is to start from real words (init activations, vocab or class-label), P = P_0 + MLP(P') with
 * P_0 their keys and values, and the last layer starts at zero.
 *
 * Option `position`: a prefix is seen by all tokens; an infix stands before the last input token
 * (the separator) and is seen from it on (Prefix-Tuning, section 7.3). */
#ifndef SP_TUNING_KV_PREFIX_H
#define SP_TUNING_KV_PREFIX_H

#include "tuning/method.h"

/* The create and inject functions of both methods (tuning/method.h). Nothing is made for length 0.
 * SP_ERR_SPEC for more layers than the model has, and for an infix in an encoder. */
sp_status sp_kv_prefix_create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng);
void sp_kv_prefix_inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out);

#endif
