/* FT-top2 (Li & Liang 2021, section 5.1): the top blocks and the norm after them train. The LM
 * head, which in most models is the token embeddings, stays frozen with the rest. */
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {
    {"layers", SP_INT, SP_METHOD_FIELD(layers), "2", 1, 1024, NULL, "top blocks that train"}, {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    (void)rng;
    const sp_model *m = tuner->model;
    const sp_params *params = &m->params;
    int blocks = m->config.n_layer, layers = tuner->options.layers;
    if (layers > blocks)
        return sp_fail(SP_ERR_SPEC, "layers is %d, but the model has %d; use at most that many",
                       layers, blocks);
    for (size_t i = 0; i < params->count; i++) {
        sp_param *p = params->items[i];
        if (p->layer >= blocks - layers && &p->var != m->head) sp_leaf_train(&p->var, true);
    }
    return SP_OK;
}

const sp_method sp_method_fine_tune_top = {
    .name = "ft-top", .title = "FT-top2", .options = options, .create = create};
