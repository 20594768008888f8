/* FT-top2 (Li & Liang 2021, section 5.1): the top blocks and the norm after them train. The LM head
 * is the token embeddings, which stay frozen with the rest. */
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {
    {"layers", SP_INT, SP_METHOD_FIELD(layers), "2", 1, 1024, NULL, "top blocks that train"}, {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    (void)rng;
    const sp_params *params = &tuner->model->params;
    int blocks = tuner->model->config.n_layer, layers = tuner->options.layers;
    if (layers > blocks)
        return sp_fail(SP_ERR_SPEC, "layers is %d, but the model has %d; use at most that many",
                       layers, blocks);
    for (size_t i = 0; i < params->count; i++)
        if (params->items[i]->layer >= blocks - layers) sp_leaf_train(&params->items[i]->var, true);
    return SP_OK;
}

const sp_method sp_method_fine_tune_top = {
    .name = "ft-top", .title = "FT-top2", .options = options, .create = create};
