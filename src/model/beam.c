/* Beam search as in Hugging Face's generate (early_stopping=False): each step keeps the best `beam`
 * unfinished continuations; hypotheses that end are ranked by sum of log-probabilities divided by
 * length^length_penalty. A sequence is done when no running beam can beat its worst kept one. */
#include "core/clock.h"
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

/* What one pass feeds: every running beam of every sequence that goes on. */
typedef struct feed {
    sp_ints slots, counts, ids;
} feed;

static void list_feed(const beam_state *states, size_t count, feed *f) {
    f->slots.len = f->counts.len = f->ids.len = 0;
    for (size_t i = 0; i < count; i++)
        for (int b = 0; goes_on(&states[i]) && b < states[i].running; b++) {
            const sp_ints *tokens = &states[i].tokens[b];
            sp_ints_push(&f->slots, states[i].slot + b);
            sp_ints_push(&f->counts, 1);
            sp_ints_push(&f->ids, tokens->data[tokens->len - 1]);
        }
}

static const float *feed_inputs(sp_decoder *d, const beam_state *states, const sp_ints *inputs,
                                size_t count, feed *f) {
    for (size_t i = 0; i < count; i++) {
        sp_ints_push(&f->slots, states[i].slot);
        sp_ints_push(&f->counts, (int)inputs[i].len);
        sp_ints_append(&f->ids, inputs[i].data, inputs[i].len);
    }
    return sp_decoder_feed(d, (int)count, f->slots.data, f->counts.data, f->ids.data);
}

sp_status sp_beam_search(const sp_model *m, const sp_decode_options *o, const sp_steering *steering,
                         const sp_ints *inputs, size_t count, sp_ints *out) {
    int beam = o->beam, vocabulary = m->config.vocab_size;
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i].len > longest) longest = inputs[i].len;
    int room = sp_decoder_room(m, steering, o, longest);
    sp_decoder d;
    sp_decoder_init(&d, m, steering, (int)count * beam, (int)longest + room);
    beam_state *states = sp_alloc(count, sizeof *states);
    continuation *best = sp_alloc(2 * (size_t)beam, sizeof *best);
    int *source = sp_alloc((size_t)beam, sizeof *source);
    float *work = sp_alloc_floats((size_t)vocabulary);
    feed f = {0};
    for (size_t i = 0; i < count; i++)
        init_state(&states[i], beam, (int)i * beam, sp_decoder_room(m, steering, o, inputs[i].len));
    const float *logits = feed_inputs(&d, states, inputs, count, &f);
    sp_status st = SP_OK;
    while (!st) {
        for (size_t i = 0; i < count; i++) {
            beam_state *s = &states[i];
            if (!goes_on(s)) continue;
            int found = best_continuations(s, beam, logits, vocabulary, work, best);
            logits += (size_t)s->running * (size_t)vocabulary;
            advance(s, o, m->config.eos_token_id, best, found, source);
            sp_cache_reorder(&d.cache, s->slot, s->running, source);
        }
        list_feed(states, count, &f);
        if (f.slots.len == 0) break;
        logits = sp_decoder_feed(&d, (int)f.slots.len, f.slots.data, f.counts.data, f.ids.data);
        if (sp_interrupted()) st = sp_fail(SP_ERR_INTERRUPTED, "stopped while generating");
    }
    for (size_t i = 0; i < count; i++) {
        if (!st) take_best(&states[i], o, &out[i]);
        free_state(&states[i], beam);
    }
    sp_ints_free(&f.slots);
    sp_ints_free(&f.counts);
    sp_ints_free(&f.ids);
    free(states);
    free(best);
    free(source);
    free(work);
    sp_decoder_free(&d);
    return st;
}
