/* Beam search as in Hugging Face's generate (early_stopping=False): each step keeps the best `beam`
 * unfinished continuations; hypotheses that end are ranked by sum of log-probabilities divided by
 * length^length_penalty. A sequence is done when no running beam can beat its worst kept one. */
#include "model/decoding.h"
#include "tensor/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct hypothesis {
    sp_ints tokens;
    double score;
} hypothesis;

typedef struct beam_state {
    int slot;             /* the first of this sequence's `beam` cache slots */
    sp_ints *tokens;      /* [beam] new tokens of each running beam */
    double *sum;          /* [beam] their log-probabilities */
    int running;          /* beams that differ: 1 after the prompt, then `beam` */
    hypothesis *finished; /* [beam] best first */
    int finished_count;
    int room; /* most new tokens */
    bool done;
} beam_state;

typedef struct continuation {
    double sum;
    int beam, token;
} continuation;

static void keep_finished(beam_state *s, int beam, const sp_ints *tokens, double score) {
    int at = s->finished_count;
    while (at > 0 && s->finished[at - 1].score < score) at--;
    if (at == beam) return;
    if (s->finished_count == beam)
        sp_ints_free(&s->finished[beam - 1].tokens);
    else
        s->finished_count++;
    memmove(&s->finished[at + 1], &s->finished[at],
            (size_t)(s->finished_count - 1 - at) * sizeof *s->finished);
    s->finished[at] = (hypothesis){.score = score};
    sp_ints_append(&s->finished[at].tokens, tokens->data, tokens->len);
}

/* Inserts into a list of at most `limit`, best first; equal sums keep their order of arrival. */
static int insert_continuation(continuation *best, int count, int limit, continuation c) {
    if (count == limit && best[limit - 1].sum >= c.sum) return count;
    int at = count < limit ? count++ : limit - 1;
    while (at > 0 && best[at - 1].sum < c.sum) {
        best[at] = best[at - 1];
        at--;
    }
    best[at] = c;
    return count;
}

/* The 2 * beam best continuations of all running beams; logits [running, vocabulary]. */
static int best_continuations(const beam_state *s, int beam, const float *logits, int vocabulary,
                              float *work, continuation *best) {
    int count = 0;
    for (int b = 0; b < s->running; b++) {
        const float *row = logits + (size_t)b * (size_t)vocabulary;
        float shift = sp_max(vocabulary, row);
        double log_sum = shift + log((double)sp_exp_sum(vocabulary, row, shift, work));
        for (int token = 0; token < vocabulary; token++) {
            double sum = s->sum[b] + row[token] - log_sum;
            if (count == 2 * beam && sum <= best[count - 1].sum) continue;
            count = insert_continuation(best, count, 2 * beam, (continuation){sum, b, token});
        }
    }
    return count;
}

static double ranked(double sum, size_t length, double penalty) {
    return sum / pow((double)length, penalty);
}

/* Makes the next beams from the best continuations; returns in `source` which beam each continues.
 */
static void advance(beam_state *s, const sp_decode_options *o, int eos, const continuation *best,
                    int count, int *source) {
    int beam = o->beam, kept = 0;
    sp_ints *tokens = sp_alloc((size_t)beam, sizeof *tokens);
    double *sum = sp_alloc((size_t)beam, sizeof *sum);
    size_t length = s->tokens[0].len + 1;
    for (int i = 0; i < count && kept < beam; i++) {
        const sp_ints *from = &s->tokens[best[i].beam];
        if (best[i].token == eos) {
            if (i < beam)
                keep_finished(s, beam, from, ranked(best[i].sum, length, o->length_penalty));
            continue;
        }
        sp_ints_append(&tokens[kept], from->data, from->len);
        sp_ints_push(&tokens[kept], best[i].token);
        source[kept] = best[i].beam;
        sum[kept++] = best[i].sum;
    }
    for (int b = 0; b < beam; b++) sp_ints_free(&s->tokens[b]);
    free(s->tokens);
    free(s->sum);
    s->tokens = tokens;
    s->sum = sum;
    s->running = kept;
    s->done = s->finished_count == beam &&
              s->finished[beam - 1].score >= ranked(s->sum[0], length, o->length_penalty);
}

static void init_state(beam_state *s, int beam, int slot, int room) {
    *s = (beam_state){.slot = slot, .running = 1, .room = room};
    s->tokens = sp_alloc((size_t)beam, sizeof *s->tokens);
    s->sum = sp_alloc((size_t)beam, sizeof *s->sum);
    s->finished = sp_alloc((size_t)beam + 1, sizeof *s->finished);
}

static void free_state(beam_state *s, int beam) {
    for (int b = 0; b < beam; b++) sp_ints_free(&s->tokens[b]);
    for (int b = 0; b < s->finished_count; b++) sp_ints_free(&s->finished[b].tokens);
    free(s->tokens);
    free(s->sum);
    free(s->finished);
}

static bool goes_on(const beam_state *s) {
    return !s->done && (int)s->tokens[0].len < s->room;
}

/* Running beams at the end of the room are hypotheses too. */
static void take_best(beam_state *s, const sp_decode_options *o, sp_ints *out) {
    for (int b = 0; !s->done && b < s->running; b++)
        keep_finished(s, o->beam, &s->tokens[b],
                      ranked(s->sum[b], s->tokens[b].len, o->length_penalty));
    sp_ints_append(out, s->finished[0].tokens.data, s->finished[0].tokens.len);
}

/* Sequences searched at a time, and the room to work. */
typedef struct search {
    const sp_decode_options *options;
    sp_decoder decoder;
    beam_state *states;      /* [count] */
    size_t count;            /* of sequences */
    continuation *best;      /* [2 * beam] */
    int *source;             /* [beam] */
    float *work;             /* [vocabulary] */
    sp_ints slots, fed, ids; /* what a pass feeds: how many ids to which slot, and these */
} search;

static void open_search(search *s, const sp_model *m, const sp_decode_options *o,
                        const sp_steering *steering, const sp_ints *inputs, size_t count) {
    size_t longest = 0, beam = (size_t)o->beam;
    for (size_t i = 0; i < count; i++)
        if (inputs[i].len > longest) longest = inputs[i].len;
    int capacity = (int)longest + sp_decoder_room(m, steering, o, longest);
    *s = (search){.options = o, .count = count};
    sp_decoder_init(&s->decoder, m, steering, (int)(count * beam), capacity);
    s->states = sp_alloc(count, sizeof *s->states);
    s->best = sp_alloc(2 * beam, sizeof *s->best);
    s->source = sp_alloc(beam, sizeof *s->source);
    s->work = sp_alloc_floats((size_t)m->config.vocab_size);
    for (size_t i = 0; i < count; i++)
        init_state(&s->states[i], o->beam, (int)(i * beam),
                   sp_decoder_room(m, steering, o, inputs[i].len));
}

static void close_search(search *s) {
    for (size_t i = 0; i < s->count; i++) free_state(&s->states[i], s->options->beam);
    free(s->states);
    free(s->best);
    free(s->source);
    free(s->work);
    sp_ints_free(&s->slots);
    sp_ints_free(&s->fed);
    sp_ints_free(&s->ids);
    sp_decoder_free(&s->decoder);
}

static void list_inputs(search *s, const sp_ints *inputs) {
    for (size_t i = 0; i < s->count; i++) {
        sp_ints_push(&s->slots, s->states[i].slot);
        sp_ints_push(&s->fed, (int)inputs[i].len);
        sp_ints_append(&s->ids, inputs[i].data, inputs[i].len);
    }
}

/* The last token of every running beam of every sequence that goes on. */
static void list_running(search *s) {
    s->slots.len = s->fed.len = s->ids.len = 0;
    for (size_t i = 0; i < s->count; i++) {
        const beam_state *state = &s->states[i];
        for (int b = 0; goes_on(state) && b < state->running; b++) {
            sp_ints_push(&s->slots, state->slot + b);
            sp_ints_push(&s->fed, 1);
            sp_ints_push(&s->ids, state->tokens[b].data[state->tokens[b].len - 1]);
        }
    }
}

/* One token further in every sequence that goes on; logits are those of what was fed. */
static void advance_all(search *s, const float *logits) {
    const sp_config *config = &s->decoder.model->config;
    int beam = s->options->beam, vocabulary = config->vocab_size;
    for (size_t i = 0; i < s->count; i++) {
        beam_state *state = &s->states[i];
        if (!goes_on(state)) continue;
        int found = best_continuations(state, beam, logits, vocabulary, s->work, s->best);
        logits += (size_t)state->running * (size_t)vocabulary;
        advance(state, s->options, config->eos_token_id, s->best, found, s->source);
        sp_cache_reorder(&s->decoder.cache, state->slot, state->running, s->source);
    }
}

sp_status sp_beam_search(const sp_model *m, const sp_decode_options *o, const sp_steering *steering,
                         const sp_ints *inputs, size_t count, sp_ints *out) {
    search s;
    open_search(&s, m, o, steering, inputs, count);
    sp_status st = SP_OK;
    list_inputs(&s, inputs);
    while (s.slots.len) {
        float *logits;
        st = sp_decoder_feed(&s.decoder, (int)s.slots.len, s.slots.data, s.fed.data, s.ids.data,
                             &logits);
        if (st) break;
        advance_all(&s, logits);
        list_running(&s);
    }
    for (size_t i = 0; !st && i < count; i++) take_best(&s.states[i], o, &out[i]);
    close_search(&s);
    return st;
}
