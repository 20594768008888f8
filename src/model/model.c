#include "model/model.h"

#include "core/file.h"
#include "core/random.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sp_status sp_model_new(const sp_config *config, sp_model **out) {
    const sp_family *family = sp_family_find(config->model_type);
    if (!family)
        return sp_fail(SP_ERR_SPEC, "model_type '%s' is not supported; use one of: %s",
                       config->model_type, sp_family_names());
    if (config->n_head < 1 || config->n_embd % config->n_head)
        return sp_fail(SP_ERR_SPEC, "n_embd %d is not a multiple of n_head %d", config->n_embd,
                       config->n_head);
    sp_model *m = sp_alloc(1, sizeof *m);
    m->config = *config;
    m->family = family;
    family->build(m);
    *out = m;
    return SP_OK;
}

void sp_model_free(sp_model *m) {
    if (!m) return;
    for (int i = 0; i < m->projection_count; i++) free(m->projections[i].name);
    free(m->projections);
    sp_params_free(&m->params);
    free(m->blocks);
    free(m);
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static bool feeds_residual(const sp_model *m, const sp_param *p) {
    for (int i = 0; i < m->projection_count; i++)
        if (m->projections[i].map.weight == &p->var) return m->projections[i].to_residual;
    return false;
}

void sp_model_initialise(sp_model *m, uint64_t seed) {
    sp_rng rng = sp_rng_make(seed, "model init");
    float std = (float)m->config.initializer_range;
    float residual = std / sqrtf(2.0f * (float)m->config.n_layer);
    for (size_t i = 0; i < m->params.count; i++) {
        sp_param *p = m->params.items[i];
        bool norm_weight = p->rank == 1 && ends_with(p->name, ".weight");
        float scale = feeds_residual(m, p) ? residual : std;
        for (long k = 0; k < p->var.rows * p->var.cols; k++)
            p->var.data[k] = p->rank == 2 ? scale * sp_rng_normal(&rng) : (norm_weight ? 1.0f : 0);
    }
}

char *sp_model_folder(const char *name) {
    if (strchr(name, '/') || sp_file_exists(name)) return sp_strdup(name);
    char *below = sp_path_join("models", name);
    char *found = sp_find_file(below);
    free(below);
    return found;
}

/* Checkpoints of the bare GPT2Model lack the "transformer." that GPT2LMHeadModel writes. */
static const char *stored_name(const sp_safetensors *file, const char *name) {
    const char *bare = strchr(name, '.') + 1;
    if (!sp_safetensors_find(file, name) && sp_safetensors_find(file, bare)) return bare;
    return name;
}

static sp_status load_params(sp_model *m, const char *path) {
    sp_safetensors *file = NULL;
    sp_status st = sp_safetensors_open(path, &file);
    for (size_t i = 0; !st && i < m->params.count; i++) {
        sp_param *p = m->params.items[i];
        st = sp_safetensors_read(file, stored_name(file, p->name), p->rank, p->dims, p->var.data);
    }
    sp_safetensors_close(file);
    return st;
}

/* Refuses a config.json that promises more than the file holds, before memory is taken for it. */
static sp_status check_size(const char *path, const sp_config *c) {
    sp_map map;
    sp_status st = sp_map_file(path, &map);
    if (st) return st;
    double least = 2.0 *
                   ((double)c->vocab_size + c->n_positions +
                    (double)c->n_layer * (4.0 * c->n_embd + 2.0 * c->n_inner)) *
                   c->n_embd;
    if ((double)map.len < least)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: has %zu bytes, but config.json describes a model of at least %.0f; it is "
                     "truncated or belongs to another model, copy it again",
                     path, map.len, least);
    sp_unmap_file(&map);
    return st;
}

static sp_status open_folder(const char *folder, sp_model **out) {
    char *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    sp_config config;
    sp_model *m = NULL;
    sp_status st = sp_config_read(config_path, &config);
    if (!st) st = check_size(weights_path, &config);
    if (!st) st = sp_model_new(&config, &m);
    if (!st) st = load_params(m, weights_path);
    if (st)
        sp_model_free(m);
    else
        *out = m;
    free(config_path);
    free(weights_path);
    return st;
}

sp_status sp_model_open(const char *name, sp_model **out) {
    char *folder = sp_model_folder(name);
    sp_status st = sp_file_exists(folder)
                       ? open_folder(folder, out)
                       : sp_fail(SP_ERR_MISSING,
                                 "model '%s' is neither a folder nor a name below models/", name);
    free(folder);
    return st;
}

sp_status sp_model_save(const sp_model *m, const char *folder, sp_dtype dtype) {
    sp_status st = sp_make_folders(folder);
    if (st) return st;
    sp_named_tensor *tensors = sp_alloc(m->params.count, sizeof *tensors);
    for (size_t i = 0; i < m->params.count; i++) {
        const sp_param *p = m->params.items[i];
        tensors[i] = (sp_named_tensor){.name = p->name,
                                       .dtype = dtype,
                                       .rank = p->rank,
                                       .dims = {p->dims[0], p->dims[1]},
                                       .data = p->var.data};
    }
    char *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    st = sp_safetensors_write(weights_path, tensors, m->params.count);
    if (!st) st = sp_config_write(config_path, &m->config);
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

sp_var *sp_model_forward(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    return m->family->forward(t, m, ids, ctx);
}

sp_kv sp_model_keys_values(sp_tape *t, const sp_model *m, int layer, sp_var *rows) {
    return m->family->keys_values(t, m, layer, rows);
}

sp_var *sp_model_logits(sp_tape *t, const sp_model *m, sp_var *hidden, const int *rows,
                        long count) {
    sp_var *picked = sp_gather_rows(t, hidden, rows, count);
    sp_var *logits = sp_var_new(t, count, m->head->rows, false);
    sp_gemm(false, true, count, m->head->rows, picked->cols, picked->data, picked->ld,
            m->head->data, m->head->ld, 0, logits->data, logits->ld);
    return logits;
}
