#include "model/build.h"

#include <stdlib.h>

sp_var *sp_build_param(sp_place at, const char *name, int rank, long rows, long cols) {
    sp_params *params = &at.model->params;
    char *full = sp_format("%s%s", at.start, name);
    sp_var *var = sp_params_declare(params, full, rank, rows, cols);
    params->items[params->count - 1]->layer = at.layer;
    free(full);
    return var;
}

/* "<name>.weight" and "<name>.bias". */
static sp_var *build_part(sp_place at, const char *name, const char *part, int rank, long rows,
                          long cols) {
    char *full = sp_format("%s.%s", name, part);
    sp_var *var = sp_build_param(at, full, rank, rows, cols);
    free(full);
    return var;
}

sp_linear_map sp_build_square(sp_place at, const char *name) {
    long d = at.model->config.n_embd;
    sp_var *weight = build_part(at, name, "weight", 2, d, d);
    return (sp_linear_map){weight, build_part(at, name, "bias", 1, 1, d), true};
}

void sp_build_mark(sp_model *m, size_t first, sp_model_part part) {
    for (size_t i = first; i < m->params.count; i++) m->params.items[i]->part = part;
}

sp_norm sp_build_norm(sp_place at, const char *name, bool bias) {
    const sp_config *c = &at.model->config;
    sp_var *weight = build_part(at, name, "weight", 1, 1, c->n_embd);
    return (sp_norm){weight, bias ? build_part(at, name, "bias", 1, 1, c->n_embd) : NULL,
                     (float)c->layer_norm_epsilon};
}

void sp_build_projections(sp_model *m, int count) {
    m->projections = sp_alloc((size_t)count, sizeof *m->projections);
}

const sp_projection *sp_build_linear(sp_place at, const char *name, sp_linear_shape s) {
    sp_model *m = at.model;
    int index = m->projection_count++;
    sp_var *weight = s.transposed ? build_part(at, name, "weight", 2, s.out, s.in)
                                  : build_part(at, name, "weight", 2, s.in, s.out);
    sp_var *bias = s.bias ? build_part(at, name, "bias", 1, 1, s.out) : NULL;
    m->projections[index] = (sp_projection){.name = sp_format("%s%s", at.start, name),
                                            .index = index,
                                            .layer = at.layer,
                                            .to_residual = s.to_residual,
                                            .map = {weight, bias, s.transposed}};
    return &m->projections[index];
}
