/* Fine-tuning: every weight of the model trains; nothing is injected. */
#include "tuning/methods.h"

static const sp_option options[] = {{0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    (void)rng;
    sp_params_train(&tuner->model->params, true);
    return SP_OK;
}

const sp_method sp_method_fine_tune = {
    .name = "fine-tune", .title = "Fine-tuning", .options = options, .create = create};
