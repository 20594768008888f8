/* BitFit (Ben Zaken et al. 2022, section 3): of the model only the biases train, those of the
 * LayerNorms included. */
#include "tuning/methods.h"

#include <string.h>

static const sp_option options[] = {{0}};

static bool is_bias(const sp_param *p) {
    const char *dot = strrchr(p->name, '.');
    return dot && strcmp(dot, ".bias") == 0;
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    (void)rng;
    const sp_params *params = &tuner->model->params;
    for (size_t i = 0; i < params->count; i++)
        if (is_bias(params->items[i])) sp_leaf_train(&params->items[i]->var, true);
    if (sp_params_trainable(params)) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "the model has no biases; use lora, or a model that has some");
}

const sp_method sp_method_bitfit = {
    .name = "bitfit", .title = "BitFit", .options = options, .create = create};
