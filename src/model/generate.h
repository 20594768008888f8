/* Generation with a key/value cache: greedy, sampling, beam search; many sequences at a time. */
#ifndef SP_MODEL_GENERATE_H
#define SP_MODEL_GENERATE_H

#include "core/option.h"
#include "core/random.h"
#include "model/model.h"

typedef struct sp_decode_options {
    int beam, max_tokens, batch;
    double length_penalty, temperature, top_p;
    int top_k;
} sp_decode_options;
extern const sp_option sp_decode_option_table[];

/* Continues each of the inputs [count] (at least one id each; negative ids are virtual rows) until
 * the end token or options->max_tokens, without running past the model's context. out [count]
 * receives the new tokens without the end token. beam > 1 is beam search as in Hugging Face's
 * generate with early_stopping=False: hypotheses are ranked by log-probability divided by
 * (number of new tokens, end included) ^ length_penalty. temperature > 0 samples; the stream of
 * sequence i depends only on `seed` and i.
 * options->batch inputs are at work at a time; a waiting one takes the place of one that ends. What
 * else is in the batch changes logits by rounding only. `on_done` (may be NULL) is told how many
 * inputs are done whenever there are more of them.
 * SP_ERR_SPEC for an encoder; SP_ERR_DATA if an input leaves no room in the context; SP_ERR_NUMERIC
 * for logits that are not finite; SP_ERR_INTERRUPTED after Ctrl-C. */
sp_status sp_generate(const sp_model *model, const sp_decode_options *options,
                      const sp_steering *steering, const sp_ints *inputs, size_t count,
                      uint64_t seed, void (*on_done)(void *user, size_t done), void *user,
                      sp_ints *out);

#endif
