/* Greedy search, sampling and beam search share one loop: each pass of the model feeds the last
 * tokens of all that runs, and the whole inputs of those that take free places. */
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

enum {
    INPUT_TOKENS = 2048, /* most tokens of inputs in one pass, but for a single longer one */
    MOST_LISTED = 256,   /* a larger top_k sorts the whole row */
    SAMPLED_ROWS = 16    /* rows whose logits are all there at a time */
};

/* A place of the batch: an input at work. It owns `beam` slots of the cache. */
typedef struct place {
    size_t input;
    int token, length, room; /* one beam: its last token, how many there are and may be */
    sp_rng rng;
    sp_beams beams; /* more than one beam */
} place;

typedef struct generation {
    const sp_decode_options *options;
    const sp_ints *inputs;
    size_t count, next, done; /* inputs: all, the next to start, finished ones */
    uint64_t seed;
    sp_ints *out;
    sp_decoder decoder;
    place *places; /* [place_count] */
    int place_count;
    sp_ints unused, running;    /* places without an input; those that go on */
    sp_ints fed;                /* places of the pass at work, in the order of their rows */
    sp_ints slots, counts, ids; /* what the pass feeds: how many ids to which slot, and these */
    int listed;                 /* candidates of a row; 0: all logits are wanted */
    sp_candidate *candidates;   /* [place_count * beam, listed], or [vocabulary] */
    double *log_sum;            /* [place_count * beam] of beam search */
    float *logits;              /* [SAMPLED_ROWS, vocabulary] if all are wanted */
    sp_arena scratch;
} generation;

/* ---- what a pass feeds ---- */

static void list_ids(generation *g, int slot, const int *ids, size_t count) {
    sp_ints_push(&g->slots, slot);
    sp_ints_push(&g->counts, (int)count);
    sp_ints_append(&g->ids, ids, count);
}

static void start_input(generation *g, int index) {
    place *p = &g->places[index];
    const sp_ints *input = &g->inputs[g->next];
    int room = sp_decoder_room(g->decoder.model, g->decoder.steering, g->options, input->len);
    p->input = g->next++;
    p->length = 0;
    p->room = room;
    p->rng = sp_rng_make(g->seed, "sampling");
    p->rng.purpose += p->input;
    if (g->options->beam > 1) sp_beams_start(&p->beams, room);
    sp_ints_push(&g->fed, index);
    list_ids(g, index * g->options->beam, input->data, input->len);
}

/* Waiting inputs take the places of finished ones. */
static void list_inputs(generation *g) {
    while (g->unused.len && g->next < g->count) {
        if (g->ids.len && g->ids.len + g->inputs[g->next].len > INPUT_TOKENS) return;
        start_input(g, g->unused.data[--g->unused.len]);
    }
}

static void list_running(generation *g) {
    int beam = g->options->beam;
    for (size_t i = 0; i < g->running.len; i++) {
        int index = g->running.data[i];
        const place *p = &g->places[index];
        int beams = beam > 1 ? p->beams.running : 1;
        const int *tokens = beam > 1 ? sp_beams_tokens(&p->beams) : &p->token;
        for (int b = 0; b < beams; b++) list_ids(g, index * beam + b, &tokens[b], 1);
    }
    sp_ints_append(&g->fed, g->running.data, g->running.len);
}

static void list_pass(generation *g) {
    g->slots.len = g->counts.len = g->ids.len = g->fed.len = 0;
    list_inputs(g);
    list_running(g);
}

/* ---- what comes of a pass ---- */

static void end_input(generation *g, int index) {
    int beam = g->options->beam;
    place *p = &g->places[index];
    if (beam > 1) sp_beams_result(&p->beams, &g->out[p->input]);
    sp_cache_release(&g->decoder.cache, index * beam, beam);
    sp_ints_push(&g->unused, index);
    g->done++;
}

static void go_on_or_end(generation *g, int index, bool goes_on) {
    if (goes_on)
        sp_ints_push(&g->running, index);
    else
        end_input(g, index);
}

static bool take_token(generation *g, place *p, int token) {
    if (token == g->decoder.model->config.eos_token_id) return false;
    sp_ints_push(&g->out[p->input], token);
    p->token = token;
    return ++p->length < p->room;
}

/* One token further in every place fed, from the listed candidates of its row. */
static void take_listed(generation *g) {
    for (size_t i = 0; i < g->fed.len; i++) {
        int index = g->fed.data[i];
        place *p = &g->places[index];
        sp_candidate *row = g->candidates + i * (size_t)g->listed;
        int token = g->options->temperature > 0
                        ? sp_sample_token(g->options, row, g->listed, &p->rng)
                        : row->token;
        go_on_or_end(g, index, take_token(g, p, token));
    }
}

/* The same from all logits of its row. */
static sp_status take_sampled(generation *g, const sp_var *hidden) {
    int vocabulary = g->decoder.model->config.vocab_size;
    for (long first = 0; first < hidden->rows; first += SAMPLED_ROWS) {
        long rows = hidden->rows - first < SAMPLED_ROWS ? hidden->rows - first : SAMPLED_ROWS;
        sp_status st = sp_head_logits(g->decoder.model->head, hidden, first, rows, g->logits);
        if (st) return st;
        for (long r = 0; r < rows; r++) {
            int index = g->fed.data[first + r];
            place *p = &g->places[index];
            for (int i = 0; i < vocabulary; i++)
                g->candidates[i] = (sp_candidate){g->logits[r * vocabulary + i], i};
            int token = sp_sample_token(g->options, g->candidates, vocabulary, &p->rng);
            go_on_or_end(g, index, take_token(g, p, token));
        }
    }
    return SP_OK;
}

/* One token further in every search; the cache follows its beams. */
static void take_beams(generation *g) {
    int end = g->decoder.model->config.eos_token_id, beam = g->options->beam;
    const sp_candidate *row = g->candidates;
    const double *log_sum = g->log_sum;
    for (size_t i = 0; i < g->fed.len; i++) {
        int index = g->fed.data[i], rows = g->places[index].beams.running;
        sp_beams *beams = &g->places[index].beams;
        bool goes_on = sp_beams_advance(beams, end, row, g->listed, log_sum);
        row += rows * g->listed;
        log_sum += rows;
        if (goes_on)
            sp_cache_reorder(&g->decoder.cache, index * beam, beams->running,
                             sp_beams_sources(beams));
        go_on_or_end(g, index, goes_on);
    }
}

static sp_status take_tokens(generation *g, const sp_var *hidden) {
    g->running.len = 0;
    if (g->listed == 0) return take_sampled(g, hidden);
    sp_status st = sp_head_best(g->decoder.model->head, hidden, g->listed, g->candidates,
                                g->log_sum, &g->scratch);
    if (st) return st;
    if (g->options->beam > 1)
        take_beams(g);
    else
        take_listed(g);
    return SP_OK;
}

/* ---- the whole ---- */

static int count_listed(const sp_decode_options *o, int vocabulary) {
    int wanted = o->beam > 1 ? 2 * o->beam : o->temperature > 0 ? o->top_k : 1;
    if (wanted > vocabulary) wanted = vocabulary;
    return wanted > MOST_LISTED ? 0 : wanted;
}

static void open_places(generation *g, const sp_model *m, const sp_steering *steering,
                        size_t longest) {
    const sp_decode_options *o = g->options;
    size_t vocabulary = (size_t)m->config.vocab_size;
    g->place_count = g->count < (size_t)o->batch ? (int)g->count : o->batch;
    size_t rows = (size_t)g->place_count * (size_t)o->beam;
    int capacity = (int)longest + sp_decoder_room(m, steering, o, longest);
    sp_decoder_init(&g->decoder, m, steering, (int)rows, capacity);
    g->places = sp_alloc((size_t)g->place_count, sizeof *g->places);
    for (int i = g->place_count - 1; i >= 0; i--) {
        sp_ints_push(&g->unused, i);
        if (o->beam > 1) sp_beams_init(&g->places[i].beams, o);
    }
    g->listed = count_listed(o, m->config.vocab_size);
    g->candidates =
        sp_alloc(g->listed ? rows * (size_t)g->listed : vocabulary, sizeof *g->candidates);
    if (o->beam > 1) g->log_sum = sp_alloc(rows, sizeof *g->log_sum);
    if (!g->listed) g->logits = sp_alloc_floats(SAMPLED_ROWS * vocabulary);
}

static void close_places(generation *g) {
    for (int i = 0; g->options->beam > 1 && i < g->place_count; i++)
        sp_beams_free(&g->places[i].beams);
    free(g->places);
    free(g->candidates);
    free(g->log_sum);
    free(g->logits);
    sp_ints_free(&g->unused);
    sp_ints_free(&g->running);
    sp_ints_free(&g->fed);
    sp_ints_free(&g->slots);
    sp_ints_free(&g->counts);
    sp_ints_free(&g->ids);
    sp_arena_free(&g->scratch);
    sp_decoder_free(&g->decoder);
}

static size_t longest_input(const sp_ints *inputs, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i].len > longest) longest = inputs[i].len;
    return longest;
}

sp_status sp_generate(const sp_model *m, const sp_decode_options *o, const sp_steering *steering,
                      const sp_ints *inputs, size_t count, uint64_t seed,
                      void (*on_done)(void *user, size_t done), void *user, sp_ints *out) {
    if (count == 0) return SP_OK;
    sp_status st = sp_model_check_causal(m);
    if (st) return st;
    size_t longest = longest_input(inputs, count);
    if (sp_decoder_room(m, steering, o, longest) < 1)
        return sp_fail(SP_ERR_DATA,
                       "an input takes %zu tokens with its prompt, but the context is %d; "
                       "shorten the input or the prefix",
                       longest + (size_t)steering->first_position, m->config.n_positions);
    generation g = {.options = o, .inputs = inputs, .count = count, .seed = seed, .out = out};
    open_places(&g, m, steering, longest);
    while (!st && g.done < count) {
        size_t done = g.done;
        sp_var *hidden;
        list_pass(&g);
        st = sp_decoder_feed(&g.decoder, (int)g.slots.len, g.slots.data, g.counts.data, g.ids.data,
                             &hidden);
        if (!st) st = take_tokens(&g, hidden);
        if (!st && on_done && g.done > done) on_done(user, g.done);
    }
    close_places(&g);
    return st;
}
