#include "tuning/init.h"

#include "model/cache.h"
#include "tensor/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sp_init_uniform(sp_var *v, float bound, sp_rng *rng) {
    for (long i = 0; i < v->rows * v->cols; i++)
        v->data[i] = bound * (2.0f * sp_rng_uniform(rng) - 1.0f);
}

void sp_init_normal(sp_var *v, float std, sp_rng *rng) {
    for (long i = 0; i < v->rows * v->cols; i++) v->data[i] = std * sp_rng_normal(rng);
}

void sp_init_linear(sp_var *weight, sp_var *bias, sp_rng *rng) {
    float bound = 1.0f / sqrtf((float)weight->cols);
    sp_init_uniform(weight, bound, rng);
    sp_init_uniform(bias, bound, rng);
}

/* Strategies that need nothing but the generator; false if `name` is none of them. */
static bool init_without_words(const sp_init_args *a, sp_var *v) {
    const char *name = a->options->init;
    if (strcmp(name, "random") == 0)
        sp_init_uniform(v, 0.5f, a->rng);
    else if (strcmp(name, "normal") == 0)
        sp_init_normal(v, (float)a->model->config.initializer_range, a->rng);
    else if (strcmp(name, "zero") == 0)
        memset(v->data, 0, (size_t)(v->rows * v->cols) * sizeof(float));
    else
        return false;
    return true;
}

static sp_status words_from_text(const sp_init_args *a, long count, int *ids) {
    const char *text = a->options->init_text;
    sp_ints tokens = {0};
    sp_status st = sp_tokenizer_encode(a->source->tokenizer, text, strlen(text), &tokens);
    if (!st && tokens.len == 0)
        st = sp_fail(SP_ERR_SPEC, "init is %s, but init_text is empty; give it some words",
                     a->options->init);
    for (long i = 0; !st && i < count; i++) ids[i] = tokens.data[(size_t)i % tokens.len];
    sp_ints_free(&tokens);
    return st;
}

static sp_status words_from_vocabulary(const sp_init_args *a, long count, int *ids) {
    size_t top = (size_t)a->options->init_top;
    if (top > a->source->frequent_count) top = a->source->frequent_count;
    if (top == 0)
        return sp_fail(SP_ERR_SPEC, "init is %s, but no training text was counted for it",
                       a->options->init);
    for (long i = 0; i < count; i++)
        ids[i] = a->source->frequent[sp_rng_below(a->rng, (uint32_t)top)];
    return SP_OK;
}

static bool is_class_label(const sp_init_args *a) {
    return strcmp(a->options->init, "class-label") == 0;
}

static sp_status check_labels(const sp_init_args *a) {
    if (a->source->label_count == 0)
        return sp_fail(SP_ERR_SPEC,
                       "init is class-label, but the data set has no labels; use vocab, or a data "
                       "set for classification");
    for (size_t i = 0; i < a->source->label_count; i++)
        if (a->source->label_tokens[i].len == 0)
            return sp_fail(SP_ERR_SPEC, "init is class-label, but label %zu has no word", i + 1);
    return SP_OK;
}

/* The labels' tokens one behind the other, then sampled ones. */
static sp_status words_from_labels(const sp_init_args *a, long count, int *ids) {
    sp_status st = check_labels(a);
    if (st) return st;
    long n = 0;
    for (size_t i = 0; i < a->source->label_count; i++)
        for (size_t k = 0; k < a->source->label_tokens[i].len && n < count; k++)
            ids[n++] = a->source->label_tokens[i].data[k];
    return n < count ? words_from_vocabulary(a, count - n, ids + n) : SP_OK;
}

/* `count` real tokens for the strategy: vocab samples them, the other reads init_text. */
static sp_status choose_words(const sp_init_args *a, const char *text_strategy, long count,
                              int *ids) {
    if (strcmp(a->options->init, "vocab") == 0) return words_from_vocabulary(a, count, ids);
    if (is_class_label(a)) return words_from_labels(a, count, ids);
    if (strcmp(a->options->init, text_strategy) == 0) return words_from_text(a, count, ids);
    return sp_fail(SP_ERR_SPEC,
                   "init '%s' does not fit this method; use random, normal, zero, "
                   "vocab, class-label or %s",
                   a->options->init, text_strategy);
}

/* row [n_embd] = the mean embedding of the tokens. */
static void average_embeddings(const sp_model *m, const int *ids, size_t count, float *row) {
    long d = m->embedding->cols;
    float *one = sp_alloc_floats((size_t)d);
    memset(row, 0, (size_t)d * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        sp_var_row(m->embedding, ids[i], one);
        sp_axpy(d, 1.0f / (float)count, one, row);
    }
    free(one);
}

static sp_status rows_from_words(const sp_init_args *a, long first, sp_var *rows) {
    long count = rows->rows - first;
    int *ids = sp_alloc((size_t)count, sizeof *ids);
    sp_status st = is_class_label(a) ? words_from_vocabulary(a, count, ids)
                                     : choose_words(a, "text", count, ids);
    for (long i = 0; !st && i < count; i++)
        average_embeddings(a->model, &ids[i], 1, rows->data + (first + i) * rows->ld);
    free(ids);
    return st;
}

static sp_status rows_from_labels(const sp_init_args *a, sp_var *rows) {
    sp_status st = check_labels(a);
    if (st) return st;
    long labels = (long)a->source->label_count;
    if (labels > rows->rows) labels = rows->rows;
    for (long i = 0; i < labels; i++)
        average_embeddings(a->model, a->source->label_tokens[i].data,
                           a->source->label_tokens[i].len, rows->data + i * rows->ld);
    return labels < rows->rows ? rows_from_words(a, labels, rows) : SP_OK;
}

sp_status sp_init_rows(const sp_init_args *a, sp_var *rows) {
    if (init_without_words(a, rows)) return SP_OK;
    return is_class_label(a) ? rows_from_labels(a, rows) : rows_from_words(a, 0, rows);
}

/* Runs real tokens through the frozen model and copies what its cache then holds. */
static void fill_with_activations(const sp_model *m, const int *ids, int first_layer,
                                  sp_var *prefix) {
    int n = (int)prefix->rows;
    long width = sp_config_kv_width(&m->config), layers = prefix->cols / (2 * width);
    sp_cache cache;
    sp_cache_init(&cache, m->config.n_layer, 1, n, width);
    int *positions = sp_alloc((size_t)n, sizeof *positions);
    for (int i = 0; i < n; i++) positions[i] = i;
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, n},
                      .positions = positions,
                      .cache = &cache,
                      .slots = (int[]){0}};
    sp_tape tape = {.inference = true};
    sp_model_forward(&tape, m, ids, &ctx);
    for (int i = 0; i < n; i++)
        for (long layer = 0; layer < layers; layer++) {
            float *target = prefix->data + i * prefix->ld + 2 * layer * width;
            long from = ((first_layer + layer) * n + i) * width;
            memcpy(target, cache.key + from, (size_t)width * sizeof(float));
            memcpy(target + width, cache.value + from, (size_t)width * sizeof(float));
        }
    sp_tape_free(&tape);
    free(positions);
    sp_cache_free(&cache);
}

sp_status sp_init_prefix(const sp_init_args *a, int first_layer, sp_var *prefix) {
    if (init_without_words(a, prefix)) return SP_OK;
    int context = a->model->config.n_positions;
    if (prefix->rows > context)
        return sp_fail(SP_ERR_SPEC,
                       "length is %ld, but the model's context is %d; init %s runs that many words "
                       "through it, use a shorter prefix or init random",
                       prefix->rows, context, a->options->init);
    int *ids = sp_alloc((size_t)prefix->rows, sizeof *ids);
    sp_status st = choose_words(a, "activations", prefix->rows, ids);
    if (!st) fill_with_activations(a->model, ids, first_layer, prefix);
    free(ids);
    return st;
}
