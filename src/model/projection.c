/* Linear maps by name, and what a steering attaches to them. */
#include "model/model.h"
#include "tensor/gemm.h"

#include <stdlib.h>

long sp_linear_inputs(const sp_linear_map *map) {
    return map->transposed ? map->weight->cols : map->weight->rows;
}

long sp_linear_outputs(const sp_linear_map *map) {
    return map->transposed ? map->weight->rows : map->weight->cols;
}

const sp_projection *sp_model_add_projection(sp_model *m, const char *name, int layer,
                                             bool to_residual, sp_linear_map map) {
    int index = m->projection_count++;
    m->projections[index] = (sp_projection){.name = sp_strdup(name),
                                            .index = index,
                                            .layer = layer,
                                            .to_residual = to_residual,
                                            .map = map};
    return &m->projections[index];
}

sp_var *sp_project(sp_tape *t, sp_var *x, const sp_projection *p, const sp_context *ctx) {
    const sp_steering *s = ctx->steering;
    sp_var *y = sp_linear(t, x, &p->map);
    if (s && s->low_rank && s->low_rank[p->index].down) {
        const sp_low_rank *u = &s->low_rank[p->index];
        y = sp_add(t, y, sp_linear_low_rank(t, x, u->down, u->diagonal, u->up, u->scale));
    }
    if (s && s->bottleneck && s->bottleneck[p->index].down.weight) {
        const sp_bottleneck *b = &s->bottleneck[p->index];
        y = sp_add(t, y, sp_linear(t, sp_gelu(t, sp_linear(t, y, &b->down)), &b->up));
    }
    return y;
}

void sp_low_rank_merge(const sp_low_rank *u, const sp_projection *p) {
    sp_var *w = p->map.weight;
    long rank = u->down->rows, in = u->down->cols, out = u->up->rows;
    float *scaled = sp_alloc_floats((size_t)(rank * in));
    for (long r = 0; r < rank; r++) {
        float factor = u->scale * (u->diagonal ? u->diagonal->data[r] : 1.0f);
        for (long c = 0; c < in; c++)
            scaled[r * in + c] = factor * u->down->data[r * u->down->ld + c];
    }
    if (p->map.transposed)
        sp_gemm(false, false, out, in, rank, u->up->data, u->up->ld, scaled, in, 1.0f, w->data,
                w->ld);
    else
        sp_gemm(true, true, in, out, rank, scaled, in, u->up->data, u->up->ld, 1.0f, w->data,
                w->ld);
    free(scaled);
}
