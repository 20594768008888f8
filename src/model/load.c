/* Opening a model folder, tensor by tensor. */
#include "core/file.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *sp_model_folder(const char *name) {
    if (strchr(name, '/') || sp_file_exists(name)) return sp_strdup(name);
    char *below = sp_path_join("models", name);
    char *found = sp_find_file(below);
    free(below);
    return found;
}

/* Checkpoints of the bare model lack the start that those of the model with its head have. */
static const char *stored_name(const sp_model *m, const sp_safetensors *file, const char *name) {
    size_t start = strlen(m->family->optional_start);
    if (strncmp(name, m->family->optional_start, start) != 0) return name;
    bool bare = !sp_safetensors_find(file, name) && sp_safetensors_find(file, name + start);
    return bare ? name + start : name;
}

/* Only the weights of projections, embedding and head are kept in bf16. */
static void keep_half(const sp_model *m, sp_var *var) {
    const sp_projection *projection = sp_model_projection(m, var);
    if (projection)
        sp_leaf_half(var, projection->map.transposed);
    else if (var == m->embedding || var == m->head)
        sp_leaf_half(var, true);
}

/* The pages of the file that a tensor was read from no longer count as this process' memory. */
static void forget_pages(const sp_safetensors *file, const char *name) {
    const sp_stored_tensor *tensor = sp_safetensors_find(file, name);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)tensor->data;
    uintptr_t end = first + tensor->count * sp_dtype_size(tensor->dtype);
    first = (first + page - 1) / page * page;
    if (end > first) madvise((void *)first, (end - first) / page * page, MADV_DONTNEED);
}

static sp_status load_param(const sp_model *m, const sp_safetensors *file, sp_precision precision,
                            sp_param *p) {
    const char *name = stored_name(m, file, p->name);
    sp_param_allocate(p);
    sp_status st = sp_safetensors_read(file, name, p->rank, p->dims, p->var.data);
    if (st) return st;
    forget_pages(file, name);
    if (precision == SP_PRECISION_BF16) keep_half(m, &p->var);
    return SP_OK;
}

/* Sets a part aside that the file lacks; one that it holds half of is refused by its first missing
 * tensor. */
static void leave_out(sp_model *m, const sp_safetensors *file, sp_model_part part) {
    size_t held = 0;
    for (size_t i = 0; i < m->params.count; i++) {
        const sp_param *p = m->params.items[i];
        held += p->part == part && sp_safetensors_find(file, stored_name(m, file, p->name));
    }
    for (size_t i = 0; !held && i < m->params.count;)
        if (m->params.items[i]->part == part)
            sp_params_move(&m->params, i, &m->absent);
        else
            i++;
    if (!held && part == SP_PART_PREDICTOR) m->head_bias = NULL;
}

static sp_status load_params(sp_model *m, const char *path, sp_precision precision) {
    sp_safetensors *file = NULL;
    sp_status st = sp_safetensors_open(path, &file);
    if (!st) leave_out(m, file, SP_PART_POOLER);
    if (!st) leave_out(m, file, SP_PART_PREDICTOR);
    for (size_t i = 0; !st && i < m->params.count; i++)
        st = load_param(m, file, precision, m->params.items[i]);
    sp_safetensors_close(file);
    return st;
}

/* Refuses a config.json that promises more than the file holds, before memory is taken for it. */
static sp_status check_size(const char *path, const sp_config *c) {
    sp_map map;
    sp_status st = sp_map_file(path, &map);
    if (st) return st;
    double least = 2.0 * sp_family_find(c->model_type)->size(c);
    if ((double)map.len < least)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: has %zu bytes, but config.json describes a model of at least %.0f; it is "
                     "truncated or belongs to another model, copy it again",
                     path, map.len, least);
    sp_unmap_file(&map);
    return st;
}

static sp_status open_folder(const char *folder, sp_precision precision, sp_model **out) {
    char *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    sp_config config;
    sp_model *m = NULL;
    sp_status st = sp_config_read(config_path, &config);
    if (!st) st = check_size(weights_path, &config);
    if (!st) st = sp_model_declare(&config, &m);
    if (!st) st = load_params(m, weights_path, precision);
    if (st)
        sp_model_free(m);
    else
        *out = m;
    free(config_path);
    free(weights_path);
    return st;
}

sp_status sp_model_open(const char *name, sp_precision precision, sp_model **out) {
    char *folder = sp_model_folder(name);
    sp_status st = sp_file_exists(folder)
                       ? open_folder(folder, precision, out)
                       : sp_fail(SP_ERR_MISSING,
                                 "model '%s' is neither a folder nor a name below models/", name);
    free(folder);
    return st;
}
