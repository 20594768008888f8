/* Opening a model, tensor by tensor. */
#include "core/file.h"
#include "model/pretrained.h"

#include <stdlib.h>
#include <string.h>

char *sp_model_folder(const char *name) {
    if (strchr(name, '/') || sp_file_exists(name)) return sp_strdup(name);
    char *below = sp_path_join("models", name);
    char *found = sp_find_file(below);
    free(below);
    return found;
}

/* Checkpoints of the bare model lack the start that those of the model with its head have. */
static const char *stored_name(const sp_model *m, const sp_pretrained *c, const char *name) {
    size_t start = strlen(m->family->optional_start);
    if (strncmp(name, m->family->optional_start, start) != 0) return name;
    bool bare = !sp_pretrained_has(c, name) && sp_pretrained_has(c, name + start);
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

static sp_status load_param(const sp_model *m, const sp_pretrained *c, sp_precision precision,
                            sp_param *p) {
    sp_param_allocate(p);
    sp_status st = sp_pretrained_read(c, stored_name(m, c, p->name), p->rank, p->dims, p->var.data);
    if (st) return st;
    if (precision == SP_PRECISION_BF16) keep_half(m, &p->var);
    return SP_OK;
}

/* Sets a part aside that the checkpoint lacks; one of which it holds some is refused by its first
 * missing tensor. */
static void leave_out(sp_model *m, sp_pretrained *c, sp_model_part part) {
    bool held = false;
    for (size_t i = 0; i < m->params.count; i++) {
        const sp_param *p = m->params.items[i];
        if (p->part == part) held = held || sp_pretrained_has(c, stored_name(m, c, p->name));
    }
    for (size_t i = 0; !held && i < m->params.count;)
        if (m->params.items[i]->part == part)
            sp_params_move(&m->params, i, &m->absent);
        else
            i++;
    if (!held && part == SP_PART_PREDICTOR) m->head_bias = NULL;
}

static sp_status open_pretrained(const char *path, sp_precision precision, sp_model **out) {
    sp_pretrained *c = NULL;
    sp_config config;
    sp_model *m = NULL;
    sp_status st = sp_pretrained_open(path, &c);
    if (!st) st = sp_pretrained_config(c, &config);
    if (!st) st = sp_model_declare(&config, &m);
    if (!st) leave_out(m, c, SP_PART_POOLER);
    if (!st) leave_out(m, c, SP_PART_PREDICTOR);
    for (size_t i = 0; !st && i < m->params.count; i++)
        st = load_param(m, c, precision, m->params.items[i]);
    sp_pretrained_close(c);
    if (st)
        sp_model_free(m);
    else
        *out = m;
    return st;
}

sp_status sp_model_open(const char *name, sp_precision precision, sp_model **out) {
    char *folder = sp_model_folder(name);
    sp_status st =
        sp_file_exists(folder)
            ? open_pretrained(folder, precision, out)
            : sp_fail(SP_ERR_MISSING,
                      "model '%s' is neither a folder, a .gguf file nor a name below models/",
                      name);
    free(folder);
    return st;
}
