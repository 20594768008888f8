/* Beam search as in Hugging Face's generate (early_stopping=False): each step keeps the best `beam`
 * unfinished continuations; hypotheses that end are ranked by sum of log-probabilities divided by
 * length^length_penalty. A search is done when no running beam can beat its worst kept hypothesis.
 */
#include "model/decoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A continuation of a running beam by `token`, or a hypothesis: the first `length` tokens of a beam
 * of that step. */
typedef struct sp_scored {
    double score;
    int beam;
    union {
        int token, length;
    };
} sp_scored;

void sp_beams_init(sp_beams *s, const sp_decode_options *o) {
    size_t beam = (size_t)o->beam;
    *s = (sp_beams){.options = o};
    s->sum = sp_alloc(beam, sizeof *s->sum);
    s->best = sp_alloc(2 * beam, sizeof *s->best);
    s->finished = sp_alloc(beam, sizeof *s->finished);
}

void sp_beams_free(sp_beams *s) {
    free(s->sum);
    free(s->best);
    free(s->finished);
    sp_ints_free(&s->tokens);
    sp_ints_free(&s->sources);
}

void sp_beams_start(sp_beams *s, int room) {
    s->running = 1;
    s->length = s->finished_count = 0;
    s->tokens.len = s->sources.len = 0;
    s->room = room;
    s->sum[0] = 0;
    s->done = false;
}

static double ranked(double sum, int length, double penalty) {
    return sum / pow((double)length, penalty);
}

/* Inserts into a list of at most `limit`, best first; of equal ones that which came first stays
 * before. Returns the new count. */
static int insert(sp_scored *best, int count, int limit, sp_scored c) {
    if (count == limit && best[limit - 1].score >= c.score) return count;
    int at = count < limit ? count++ : limit - 1;
    while (at > 0 && best[at - 1].score < c.score) {
        best[at] = best[at - 1];
        at--;
    }
    best[at] = c;
    return count;
}

static void keep_finished(sp_beams *s, int length, int beam, double score) {
    s->finished_count = insert(s->finished, s->finished_count, s->options->beam,
                               (sp_scored){.score = score, .beam = beam, .length = length});
}

/* The 2 * beam best continuations of all running beams. */
static int best_continuations(sp_beams *s, const sp_candidate *candidates, int k,
                              const double *log_sum) {
    int count = 0, limit = 2 * s->options->beam;
    for (int b = 0; b < s->running; b++)
        for (int i = 0; i < k; i++) {
            sp_candidate c = candidates[b * k + i];
            double sum = s->sum[b] + (double)c.logit - log_sum[b];
            count = insert(s->best, count, limit,
                           (sp_scored){.score = sum, .beam = b, .token = c.token});
        }
    return count;
}

static void push_step(sp_beams *s) {
    for (int b = 0; b < s->options->beam; b++) {
        sp_ints_push(&s->tokens, 0);
        sp_ints_push(&s->sources, 0);
    }
}

static int *last_step(const sp_beams *s, const sp_ints *list) {
    return list->data + (size_t)(s->length - 1) * (size_t)s->options->beam;
}

const int *sp_beams_tokens(const sp_beams *s) {
    return last_step(s, &s->tokens);
}

const int *sp_beams_sources(const sp_beams *s) {
    return last_step(s, &s->sources);
}

bool sp_beams_advance(sp_beams *s, int end_token, const sp_candidate *candidates, int k,
                      const double *log_sum) {
    const sp_decode_options *o = s->options;
    int count = best_continuations(s, candidates, k, log_sum), kept = 0;
    int before = s->length++;
    push_step(s);
    int *tokens = last_step(s, &s->tokens), *sources = last_step(s, &s->sources);
    for (int i = 0; i < count && kept < o->beam; i++) {
        const sp_scored *c = &s->best[i];
        double score = ranked(c->score, s->length, o->length_penalty);
        if (c->token != end_token) {
            tokens[kept] = c->token;
            sources[kept] = c->beam;
            s->sum[kept++] = c->score;
        } else if (i < o->beam) {
            keep_finished(s, before, c->beam, score);
        }
    }
    s->running = kept;
    s->done = kept == 0 ||
              (s->finished_count == o->beam &&
               s->finished[o->beam - 1].score >= ranked(s->sum[0], s->length, o->length_penalty));
    return !s->done && s->length < s->room;
}

/* From its last token back to its first. */
static void append_hypothesis(const sp_beams *s, sp_scored h, sp_ints *out) {
    size_t start = out->len;
    for (int step = 0; step < h.length; step++) sp_ints_push(out, 0);
    for (int step = h.length - 1; step >= 0; step--) {
        int at = step * s->options->beam + h.beam;
        out->data[start + (size_t)step] = s->tokens.data[at];
        h.beam = s->sources.data[at];
    }
}

/* Running beams at the end of the room are hypotheses too. */
void sp_beams_result(sp_beams *s, sp_ints *out) {
    for (int b = 0; !s->done && b < s->running; b++) {
        double score = ranked(s->sum[b], s->length, s->options->length_penalty);
        keep_finished(s, s->length, b, score);
    }
    append_hypothesis(s, s->finished[0], out);
}
