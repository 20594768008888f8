#include "model/model.h"

#include "core/file.h"
#include "core/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sp_status sp_model_declare(const sp_config *config, sp_model **out) {
    const sp_family *family = sp_family_find(config->model_type);
    if (!family)
        return sp_fail(SP_ERR_SPEC, "model_type '%s' is not supported; use one of: %s",
                       config->model_type, sp_family_names());
    if (config->n_head < 1 || (config->head_size == 0 && config->n_embd % config->n_head))
        return sp_fail(SP_ERR_SPEC, "n_embd %d is not a multiple of n_head %d", config->n_embd,
                       config->n_head);
    sp_model *m = sp_alloc(1, sizeof *m);
    m->config = *config;
    m->family = family;
    if (!m->config.n_kv_head) m->config.n_kv_head = config->n_head;
    if (!m->config.head_size) m->config.head_size = config->n_embd / config->n_head;
    family->build(m);
    *out = m;
    return SP_OK;
}

sp_status sp_model_new(const sp_config *config, sp_model **out) {
    sp_status st = sp_model_declare(config, out);
    for (size_t i = 0; !st && i < (*out)->params.count; i++)
        sp_param_allocate((*out)->params.items[i]);
    return st;
}

void sp_model_free(sp_model *m) {
    if (!m) return;
    for (int i = 0; i < m->projection_count; i++) free(m->projections[i].name);
    free(m->projections);
    sp_params_free(&m->params);
    sp_params_free(&m->absent);
    sp_arena_free(&m->memory);
    free(m);
}

void sp_model_initialise(sp_model *m, uint64_t seed) {
    sp_rng rng = sp_rng_make(seed, "model init");
    float std = (float)m->config.initializer_range;
    float residual = std / sqrtf(2.0f * (float)m->config.n_layer);
    for (size_t i = 0; i < m->params.count; i++) {
        sp_param *p = m->params.items[i];
        const sp_projection *of = sp_model_projection(m, &p->var);
        bool norm_weight = p->rank == 1 && sp_has_suffix(p->name, ".weight");
        float scale = of && of->to_residual ? residual : std;
        for (long k = 0; k < p->var.rows * p->var.cols; k++)
            p->var.data[k] = p->rank == 2 ? scale * sp_rng_normal(&rng) : (norm_weight ? 1.0f : 0);
    }
}

/* The floats of a parameter of either precision; *own is to be freed, NULL if they are its data. */
static const float *floats_of(const sp_var *v, float **own) {
    *own = NULL;
    if (v->data) return v->data;
    *own = sp_alloc_floats((size_t)(v->rows * v->cols));
    sp_weight_floats(v->weight, 0, v->rows, *own);
    return *own;
}

sp_status sp_model_save(const sp_model *m, const char *folder, sp_dtype dtype) {
    sp_status st = sp_make_folders(folder);
    if (st) return st;
    size_t count = m->params.count;
    sp_named_tensor *tensors = sp_alloc(count, sizeof *tensors);
    float **own = sp_alloc(count, sizeof *own);
    for (size_t i = 0; i < count; i++) {
        const sp_param *p = m->params.items[i];
        tensors[i] = (sp_named_tensor){.name = p->name,
                                       .dtype = dtype,
                                       .rank = p->rank,
                                       .dims = {p->dims[0], p->dims[1]},
                                       .data = floats_of(&p->var, &own[i])};
    }
    char *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    st = sp_safetensors_write(weights_path, tensors, count);
    if (!st) st = sp_config_write(config_path, &m->config);
    for (size_t i = 0; i < count; i++) free(own[i]);
    free(own);
    free(config_path);
    free(weights_path);
    free(tensors);
    return st;
}

long sp_model_size(const sp_model *m) {
    long n = 0;
    for (size_t i = 0; i < m->params.count; i++)
        n += m->params.items[i]->var.rows * m->params.items[i]->var.cols;
    return n;
}

/* ---- the forward pass ---- */

/* A block at work, as sp_recompute wants it. */
typedef struct block_call {
    const sp_model *model;
    const sp_context *ctx;
    int layer;
} block_call;

static sp_var *run_block(sp_tape *t, void *user, sp_var *x) {
    const block_call *c = user;
    return c->model->family->block(t, c->model, c->layer, x, c->ctx);
}

/* A copy, and one of its steering, for as long as the tape's step. */
static const sp_context *keep_context(sp_tape *t, const sp_context *ctx) {
    sp_context *kept = sp_arena_alloc(&t->arena, sizeof *kept);
    *kept = *ctx;
    if (ctx->steering) {
        sp_steering *steering = sp_arena_alloc(&t->arena, sizeof *steering);
        *steering = *ctx->steering;
        kept->steering = steering;
    }
    return kept;
}

sp_var *sp_model_forward(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    bool recompute = ctx->recompute && !t->inference;
    block_call call = {m, recompute ? keep_context(t, ctx) : ctx, 0};
    sp_tape_mark mark = sp_tape_begin(t);
    t->halves = m->embedding->weight != NULL;
    sp_var *x = m->family->embed(t, m, ids, ctx);
    for (; call.layer < m->config.n_layer; call.layer++) {
        x = recompute ? sp_recompute(t, run_block, &call, sizeof call, x) : run_block(t, &call, x);
        sp_tape_end(t, mark, x);
    }
    t->halves = false;
    return m->family->finish(t, m, x);
}

sp_var *sp_wanted_rows(sp_tape *t, const sp_model *m, int layer, sp_var *x, const sp_context *ctx) {
    bool all = !ctx->wanted || layer + 1 < m->config.n_layer;
    return all ? x : sp_gather_rows(t, x, ctx->wanted, ctx->wanted_count);
}

sp_kv sp_model_keys_values(sp_tape *t, const sp_model *m, int layer, sp_var *rows) {
    return m->family->keys_values(t, m, layer, rows);
}

bool sp_model_has(const sp_model *m, sp_model_part part) {
    for (size_t i = 0; i < m->params.count; i++)
        if (m->params.items[i]->part == part) return true;
    return false;
}

sp_var *sp_model_predict(sp_tape *t, const sp_model *m, sp_var *hidden) {
    bool predicts = m->family->predict && sp_model_has(m, SP_PART_PREDICTOR);
    return predicts ? m->family->predict(t, m, hidden) : hidden;
}

sp_var *sp_model_pool(sp_tape *t, const sp_model *m, sp_var *hidden) {
    bool pools = m->family->pool && sp_model_has(m, SP_PART_POOLER);
    return pools ? m->family->pool(t, m, hidden) : hidden;
}

sp_status sp_model_check_causal(const sp_model *m) {
    if (!m->family->bidirectional) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "the model is an encoder (%s), which reads in both directions and continues no "
                   "text; use it with a run whose output is linear or verbalizer, or use another "
                   "model",
                   m->config.model_type);
}

sp_var *sp_model_logits(sp_tape *t, const sp_model *m, const sp_var *hidden, long count) {
    sp_var *rows = sp_arena_zero(&t->arena, sizeof *rows);
    *rows = (sp_var){.rows = count, .cols = hidden->cols, .ld = hidden->ld, .data = hidden->data};
    sp_linear_map head = {m->head, m->head_bias, true};
    return sp_linear(t, sp_model_predict(t, m, rows), &head);
}
