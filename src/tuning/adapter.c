/* Adapters (Houlsby et al. 2019, section 2.1): behind the last linear map of each sublayer, before
 * its output is added to the residual stream, h becomes
 *   h + gelu(h D^T + d) U^T + u,   D [size, n_embd], U [n_embd, size]
 * Weights start at normal(0, 0.01) cut at two deviations (section 3.6), biases at zero: nearly the
 * identity. The norms stay frozen. */
#include "tuning/init.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"
#include "tuning/part.h"

#include <math.h>
#include <stdlib.h>

static const float INIT_STD = 0.01f;

/* The two linear maps behind a projection's name. */
#define DOWN "adapter.down"
#define UP   "adapter.up"

static const sp_option options[] = {
    {"size", SP_INT, SP_METHOD_FIELD(size), "16", 1, 65536, NULL, "width of the bottleneck"},
    {"share", SP_REAL, SP_METHOD_FIELD(share), "0", 0, 100, NULL,
     "percent of the model's parameters for all adapters; above 0 it sets the size"},
    {0}};

static int count_places(const sp_model *m) {
    int n = 0;
    for (int i = 0; i < m->projection_count; i++) n += m->projections[i].to_residual;
    return n;
}

/* Parameters of all adapters: two matrices of size x n_embd and two biases at each place. */
static double count_parameters(const sp_model *m, double size) {
    double d = m->config.n_embd;
    return count_places(m) * (2 * d * size + size + d);
}

/* The largest width that stays within `share`, or `size` as given. Size 1 is taken for a share that
 * it exceeds by less than its double: small models have no adapter of 0.1 %. */
static sp_status choose_size(const sp_tuner *tuner, long *out) {
    const sp_model *m = tuner->model;
    double total = (double)sp_model_size(m), share = tuner->options.share;
    *out = tuner->options.size;
    if (share == 0) return SP_OK;
    double d = m->config.n_embd, each = share / 100 * total / count_places(m);
    double width = floor((each - d) / (2 * d + 1)), least = 100 * count_parameters(m, 1) / total;
    *out = width < 1 ? 1 : (long)width;
    if (least <= 2 * share) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "share is %g %%, but adapters of size 1 take %.2f %% of the model's %.0f "
                   "parameters; use at least half of that, or size instead of it",
                   share, least, total);
}

static void fill(sp_var *v, sp_rng *rng) {
    for (long i = 0; i < v->rows * v->cols; i++) {
        float x = sp_rng_normal(rng);
        while (fabsf(x) > 2) x = sp_rng_normal(rng);
        v->data[i] = INIT_STD * x;
    }
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    const sp_model *m = tuner->model;
    sp_params *params = &tuner->params;
    long size, d = m->config.n_embd;
    sp_status st = choose_size(tuner, &size);
    for (int i = 0; !st && i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        if (!p->to_residual) continue;
        fill(sp_part_add(params, p, DOWN ".weight", 2, size, d), rng);
        sp_part_add(params, p, DOWN ".bias", 1, 1, size);
        fill(sp_part_add(params, p, UP ".weight", 2, d, size), rng);
        sp_part_add(params, p, UP ".bias", 1, 1, d);
    }
    return st;
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    const sp_model *m = tuner->model;
    const sp_params *params = &tuner->params;
    sp_bottleneck *adapters =
        sp_arena_zero(&t->arena, (size_t)m->projection_count * sizeof *adapters);
    for (int i = 0; i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        if (!p->to_residual) continue;
        adapters[i] = (sp_bottleneck){{sp_part_find(params, p, DOWN ".weight"),
                                       sp_part_find(params, p, DOWN ".bias"), .transposed = true},
                                      {sp_part_find(params, p, UP ".weight"),
                                       sp_part_find(params, p, UP ".bias"), .transposed = true}};
    }
    out->bottleneck = adapters;
}

const sp_method sp_method_adapter = {
    .name = "adapter", .title = "Adapter", .options = options, .create = create, .inject = inject};
