#include "tuning/init.h"

#include "model/cache.h"

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
        return sp_fail(SP_ERR_SPEC, "init is vocab, but no training text was counted for it");
    for (long i = 0; i < count; i++)
        ids[i] = a->source->frequent[sp_rng_below(a->rng, (uint32_t)top)];
    return SP_OK;
}

/* `count` real tokens for the strategy: vocab samples them, the other reads init_text. */
static sp_status choose_words(const sp_init_args *a, const char *text_strategy, long count,
                              int *ids) {
    if (strcmp(a->options->init, "vocab") == 0) return words_from_vocabulary(a, count, ids);
    if (strcmp(a->options->init, text_strategy) == 0) return words_from_text(a, count, ids);
    return sp_fail(SP_ERR_SPEC,
                   "init '%s' does not fit this method; use random, normal, zero, "
                   "vocab or %s",
                   a->options->init, text_strategy);
}

sp_status sp_init_rows(const sp_init_args *a, sp_var *rows) {
    if (init_without_words(a, rows)) return SP_OK;
    int *ids = sp_alloc((size_t)rows->rows, sizeof *ids);
    sp_status st = choose_words(a, "text", rows->rows, ids);
    for (long r = 0; !st && r < rows->rows; r++)
        memcpy(rows->data + r * rows->ld,
               a->model->embedding->data + ids[r] * a->model->embedding->ld,
               (size_t)rows->cols * sizeof(float));
    free(ids);
    return st;
}

/* Runs real tokens through the frozen model and copies what its cache then holds. */
static void fill_with_activations(const sp_model *m, const int *ids, sp_var *prefix) {
    int n = (int)prefix->rows;
    long width = prefix->cols / (2L * m->config.n_layer);
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
    sp_model_forward(&tape, m, ids, NULL, &ctx);
    for (int i = 0; i < n; i++)
        for (int layer = 0; layer < m->config.n_layer; layer++) {
            float *target = prefix->data + i * prefix->ld + 2L * layer * width;
            long from = ((long)layer * n + i) * width;
            memcpy(target, cache.key + from, (size_t)width * sizeof(float));
            memcpy(target + width, cache.value + from, (size_t)width * sizeof(float));
        }
    sp_tape_free(&tape);
    free(positions);
    sp_cache_free(&cache);
}

sp_status sp_init_prefix(const sp_init_args *a, sp_var *prefix) {
    if (init_without_words(a, prefix)) return SP_OK;
    int context = a->model->config.n_positions;
    if (prefix->rows > context)
        return sp_fail(SP_ERR_SPEC,
                       "length is %ld, but the model's context is %d; init %s runs that many words "
                       "through it, use a shorter prefix or init random",
                       prefix->rows, context, a->options->init);
    int *ids = sp_alloc((size_t)prefix->rows, sizeof *ids);
    sp_status st = choose_words(a, "activations", prefix->rows, ids);
    if (!st) fill_with_activations(a->model, ids, prefix);
    free(ids);
    return st;
}
