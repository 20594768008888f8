/* For generate.c and beam.c: running the model on a group of cached sequences. */
#ifndef SP_MODEL_DECODING_H
#define SP_MODEL_DECODING_H

#include "model/cache.h"
#include "model/generate.h"

typedef struct sp_decoder {
    const sp_model *model;
    const sp_steering *steering;
    sp_cache cache;
    sp_tape tape;
    sp_ints offsets, positions, prefix_from, last_rows; /* of the pass at work */
} sp_decoder;

void sp_decoder_init(sp_decoder *d, const sp_model *model, const sp_steering *steering, int slots,
                     int capacity);
void sp_decoder_free(sp_decoder *d);

/* Feeds sequence i of [sequences] with ids [counts[i]] (one behind the other in `ids`); *logits are
 * those after its last id, [sequences, vocab_size], valid until the next call. The first feed of a
 * slot is its whole input: an infix stands before the last id of it. SP_ERR_INTERRUPTED after
 * Ctrl-C; SP_ERR_NUMERIC for logits that are not numbers. */
sp_status sp_decoder_feed(sp_decoder *d, int sequences, const int *slots, const int *counts,
                          const int *ids, float **logits);

/* Most new tokens for an input of `length` ids. */
int sp_decoder_room(const sp_model *model, const sp_steering *steering,
                    const sp_decode_options *options, size_t length);

/* Beam search for one chunk of inputs. */
sp_status sp_beam_search(const sp_model *model, const sp_decode_options *options,
                         const sp_steering *steering, const sp_ints *inputs, size_t count,
                         sp_ints *out);

/* The next token from logits [vocabulary], which are overwritten: the likeliest one, or a sample if
 * temperature > 0 (top_k, then top_p, as Hugging Face orders them). */
int sp_choose_token(const sp_decode_options *options, float *logits, int vocabulary, sp_rng *rng);

#endif
