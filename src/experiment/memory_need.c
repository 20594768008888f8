#include "experiment/memory_need.h"

#include "model/model.h"

#include <math.h>

/* Program, libraries, tokenizer, data set, word lists of the metrics. */
static const double EVERY_RUN = 400e6;

/* Of what trains: gradient, two moments, the best state; and a checkpoint, which is made in memory,
 * of weights, moments and best state, in a buffer that grows by doubling. */
enum { COPIES_OF_TRAINED = 4 + 2 * 4 };

static double bytes_of_weights(const sp_setup *s) {
    double trained = (double)sp_params_trainable(&s->model->params);
    double frozen = (double)sp_model_size(s->model) - trained;
    bool half = sp_run_precision(s->run) == SP_PRECISION_BF16;
    return frozen * (half ? 2 : 4) + trained * 4;
}

static double tokens_per_pair(const sp_examples *e) {
    double sum = 0;
    for (size_t i = 0; i < e->pair_count; i++) {
        const sp_encoded_record *r = &e->records[e->pairs[i].record];
        sum += (double)(r->input.len + r->targets[e->pairs[i].target].len);
    }
    return e->pair_count ? sum / (double)e->pair_count : 0;
}

/* Rows of width n_embd that a block saves for the backward pass, of a token: norms, query, key and
 * value, attention, residuals, and the wide rows of the MLP. Batches are of even size, but not
 * quite. */
static double bytes_of_step(const sp_setup *s) {
    const double narrow_rows = 8, wide_rows = 3, uneven = 1.5;
    const sp_config *c = &s->model->config;
    double row = narrow_rows * c->n_embd + wide_rows * c->n_inner;
    double layers = s->run->train.recompute ? sqrt(c->n_layer) + 1 : c->n_layer;
    double prompt = s->run->method_options.length;
    return 4 * uneven * s->run->train.batch * (tokens_per_pair(&s->train->examples) + prompt) *
           row * layers;
}

static double bytes_of_loss(const sp_setup *s) {
    const double rows = 128, least = 16e6;
    double bytes = 4 * rows * s->model->config.vocab_size;
    return 2 * (bytes > least ? bytes : least);
}

static double bytes_of_decoding(const sp_setup *s) {
    const sp_config *c = &s->model->config;
    if (s->output != SP_OUTPUT_TEXT) return 0;
    const sp_decode_options *d = &s->run->decode;
    double length = (double)s->test->examples.longest + d->max_tokens;
    if (length > c->n_positions) length = c->n_positions;
    return 2 * 4.0 * d->batch * d->beam * (length * c->n_layer * c->n_embd + c->vocab_size);
}

double sp_setup_memory(const sp_setup *s) {
    double working = bytes_of_step(s), decoding = bytes_of_decoding(s);
    return EVERY_RUN + bytes_of_weights(s) +
           4.0 * COPIES_OF_TRAINED * (double)sp_setup_trainable(s) + bytes_of_loss(s) +
           (working > decoding ? working : decoding);
}
