#include "model/generate.h"

#include "model/decoding.h"

#include <stdlib.h>

#define FIELD(name) offsetof(sp_decode_options, name)
const sp_option sp_decode_option_table[] = {
    {"beam", SP_INT, FIELD(beam), "1", 1, 64, NULL, "beams; 1 is greedy"},
    {"max_tokens", SP_INT, FIELD(max_tokens), "100", 1, 65536, NULL, "most new tokens"},
    {"length_penalty", SP_REAL, FIELD(length_penalty), "1.0", -10, 10, NULL,
     "beam score = log-probability / length^penalty"},
    {"temperature", SP_REAL, FIELD(temperature), "0", 0, 100, NULL,
     "sampling temperature; 0: no sampling"},
    {"top_k", SP_INT, FIELD(top_k), "0", 0, 1e6, NULL, "sample among the k likeliest; 0: all"},
    {"top_p", SP_REAL, FIELD(top_p), "1.0", 0, 1, NULL,
     "sample among the likeliest tokens that reach this probability"},
    {"batch", SP_INT, FIELD(batch), "32", 1, 65536, NULL, "sequences generated at a time"},
    {0}};
#undef FIELD

/* The sequences still running, as parallel lists; finished ones leave. */
typedef struct running {
    int *slots, *counts, *ids; /* [count]; ids: the token each is fed next */
    int *room;                 /* [slot] tokens it may still take */
    int count;
} running;

/* Takes a token per running sequence; keeps those that go on, in order. */
static void take_tokens(running *r, const sp_decode_options *o, const sp_model *m, float *logits,
                        sp_rng *rngs, sp_ints *out) {
    int kept = 0, vocabulary = m->config.vocab_size;
    for (int i = 0; i < r->count; i++) {
        int slot = r->slots[i];
        float *row = logits + (size_t)i * (size_t)vocabulary;
        int token = sp_choose_token(o, row, vocabulary, &rngs[slot]);
        if (token == m->config.eos_token_id) continue;
        sp_ints_push(&out[slot], token);
        if (--r->room[slot] == 0) continue;
        r->slots[kept] = slot;
        r->counts[kept] = 1;
        r->ids[kept++] = token;
    }
    r->count = kept;
}

static sp_status decode_one_by_one(const sp_model *m, const sp_decode_options *o,
                                   const sp_steering *steering, const sp_ints *inputs, size_t count,
                                   sp_rng *rngs, int capacity, sp_ints *out) {
    sp_decoder d;
    sp_decoder_init(&d, m, steering, (int)count, capacity);
    running r = {sp_alloc(count, sizeof(int)), sp_alloc(count, sizeof(int)),
                 sp_alloc(count, sizeof(int)), sp_alloc(count, sizeof(int)), (int)count};
    sp_ints prompt = {0};
    for (size_t i = 0; i < count; i++) {
        r.slots[i] = (int)i;
        r.counts[i] = (int)inputs[i].len;
        r.room[i] = sp_decoder_room(m, steering, o, inputs[i].len);
        sp_ints_append(&prompt, inputs[i].data, inputs[i].len);
    }
    sp_status st = SP_OK;
    const int *ids = prompt.data;
    while (r.count > 0 && !st) {
        float *logits;
        st = sp_decoder_feed(&d, r.count, r.slots, r.counts, ids, &logits);
        if (!st) take_tokens(&r, o, m, logits, rngs, out);
        ids = r.ids;
    }
    free(r.slots);
    free(r.counts);
    free(r.ids);
    free(r.room);
    sp_ints_free(&prompt);
    sp_decoder_free(&d);
    return st;
}

static sp_status generate_chunk(const sp_model *m, const sp_decode_options *o,
                                const sp_steering *steering, const sp_ints *inputs, size_t count,
                                sp_rng *rngs, sp_ints *out) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i].len > longest) longest = inputs[i].len;
    int room = sp_decoder_room(m, steering, o, longest);
    if (room < 1)
        return sp_fail(SP_ERR_DATA,
                       "an input takes %zu tokens with its prompt, but the context is %d; "
                       "shorten the input or the prefix",
                       longest + (size_t)steering->first_position, m->config.n_positions);
    if (o->beam > 1) return sp_beam_search(m, o, steering, inputs, count, out);
    return decode_one_by_one(m, o, steering, inputs, count, rngs, (int)longest + room, out);
}

sp_status sp_generate(const sp_model *m, const sp_decode_options *o, const sp_steering *steering,
                      const sp_ints *inputs, size_t count, uint64_t seed,
                      void (*on_done)(void *user, size_t done), void *user, sp_ints *out) {
    size_t chunk = (size_t)o->batch;
    sp_rng *rngs = sp_alloc(chunk, sizeof *rngs);
    sp_status st = SP_OK;
    for (size_t first = 0; !st && first < count; first += chunk) {
        size_t n = count - first < chunk ? count - first : chunk;
        for (size_t i = 0; i < n; i++) {
            rngs[i] = sp_rng_make(seed, "sampling");
            rngs[i].purpose += first + i;
        }
        st = generate_chunk(m, o, steering, inputs + first, n, rngs, out + first);
        if (!st && on_done) on_done(user, first + n);
    }
    free(rngs);
    return st;
}
