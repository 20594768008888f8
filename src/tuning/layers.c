#include "tuning/layers.h"

#include <string.h>

sp_layer_range sp_layers_of(const sp_tuner *tuner, int fallback) {
    int count = tuner->options.layers ? tuner->options.layers : fallback;
    bool bottom = strcmp(tuner->options.layers_from, "bottom") == 0;
    return (sp_layer_range){bottom ? 0 : tuner->model->config.n_layer - count, count};
}

sp_status sp_layers_check(const sp_tuner *tuner) {
    int layers = tuner->options.layers, most = tuner->model->config.n_layer;
    if (layers <= most) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "layers is %d, but the model has %d; use at most that, or 0",
                   layers, most);
}
