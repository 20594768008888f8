/* For generate.c: running the model on cached sequences, and what chooses their next tokens. */
#ifndef SP_MODEL_DECODING_H
#define SP_MODEL_DECODING_H

#include "model/cache.h"
#include "model/generate.h"
#include "model/head.h"

/* ---- decoder.c ---- */

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

/* Feeds sequence i of [sequences] with ids [counts[i]] (one behind the other in `ids`); *hidden is
 * the final hidden state of its last id, [sequences, n_embd], valid until the next call. The first
 * feed of a slot is its whole input: an infix stands before the last id of it. Slots fed for the
 * first time come first (it is faster). SP_ERR_INTERRUPTED after Ctrl-C. */
sp_status sp_decoder_feed(sp_decoder *d, int sequences, const int *slots, const int *counts,
                          const int *ids, sp_var **hidden);

/* Most new tokens for an input of `length` ids. */
int sp_decoder_room(const sp_model *model, const sp_steering *steering,
                    const sp_decode_options *options, size_t length);

/* ---- beam.c ---- */

/* The beam search of one input. Running beams and hypotheses are kept as back-pointers: the token
 * of each beam at each step, and the beam of the step before that it continues. */
typedef struct sp_beams {
    const sp_decode_options *options;
    int running;                /* beams that differ: 1 after the input, then `beam` */
    int length, room;           /* new tokens of each beam, and the most there may be */
    double *sum;                /* [beam] their log-probabilities */
    sp_ints tokens, sources;    /* [length, beam] */
    struct sp_scored *best;     /* [2 * beam] */
    struct sp_scored *finished; /* [beam] best first */
    int finished_count;
    bool done; /* no running beam can become better than what is finished */
} sp_beams;

void sp_beams_init(sp_beams *beams, const sp_decode_options *options);
void sp_beams_free(sp_beams *beams);
/* Starts with an input that has room for new tokens. */
void sp_beams_start(sp_beams *beams, int room);
/* One token further: of each running beam the `k` likeliest tokens [running, k], k being 2 * beam
 * or the vocabulary if that is smaller, and log_sum [running] as sp_head_best makes them. Returns
 * whether the search goes on. */
bool sp_beams_advance(sp_beams *beams, int end_token, const sp_candidate *candidates, int k,
                      const double *log_sum);
/* Of each running beam its last token, and the beam of the step before that it continues. */
const int *sp_beams_tokens(const sp_beams *beams);
const int *sp_beams_sources(const sp_beams *beams);
/* Appends the tokens of the best hypothesis of a search that does not go on. */
void sp_beams_result(sp_beams *beams, sp_ints *out);

/* ---- sampling.c ---- */

/* A token among `n` candidates (n >= 1, in any order; overwritten), drawn at a temperature > 0
 * after top_k and top_p, as Hugging Face orders them. */
int sp_sample_token(const sp_decode_options *options, sp_candidate *candidates, int n, sp_rng *rng);

#endif
