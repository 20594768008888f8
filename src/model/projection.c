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

const sp_projection *sp_model_projection(const sp_model *m, const sp_var *weight) {
    for (int i = 0; i < m->projection_count; i++)
        if (m->projections[i].map.weight == weight) return &m->projections[i];
    return NULL;
}

/* An adapter stands between the map and the residual stream (Houlsby et al. 2019, figure 2), so
 * that the residual is added behind it. */
static sp_var *run_bottleneck(sp_tape *t, sp_var *y, const sp_bottleneck *b, sp_var *residual) {
    y = sp_linear_add(t, sp_gelu(t, sp_linear(t, y, &b->down)), &b->up, y);
    return residual ? sp_add(t, residual, y) : y;
}

sp_var *sp_project(sp_tape *t, sp_var *x, const sp_projection *p, sp_var *residual,
                   const sp_context *ctx) {
    const sp_steering *s = ctx->steering;
    const sp_low_rank *u = s && s->low_rank ? &s->low_rank[p->index] : NULL;
    const sp_bottleneck *b = s && s->bottleneck ? &s->bottleneck[p->index] : NULL;
    bool adapter = b && b->down.weight;
    sp_var *y = sp_linear_add(t, x, &p->map, adapter ? NULL : residual);
    if (u && u->down)
        y = sp_add(t, y, sp_linear_low_rank(t, x, u->down, u->diagonal, u->up, u->scale));
    return adapter ? run_bottleneck(t, y, b, residual) : y;
}

void sp_low_rank_merge(const sp_low_rank *u, const sp_projection *p) {
    sp_var *w = p->map.weight;
    sp_leaf_floats(w);
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
