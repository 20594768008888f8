#include "tuning/method.h"

#include <stdlib.h>

sp_status sp_tuner_create(const char *name, const sp_method_options *options, sp_model *model,
                          const sp_init_source *source, uint64_t seed, sp_tuner *out) {
    const sp_method *method = sp_method_find(name);
    if (!method) return sp_fail(SP_ERR_SPEC, "method '%s' is not known", name);
    *out = (sp_tuner){.method = method, .options = *options, .model = model};
    sp_params_train(&model->params, false);
    sp_rng rng = sp_rng_make(seed, "tuning init");
    sp_status st = method->create(out, source, &rng);
    if (st) {
        sp_tuner_free(out);
        return sp_fail_in(st, "method %s", name);
    }
    sp_params_train(&out->params, true);
    return SP_OK;
}

void sp_tuner_inject(const sp_tuner *tuner, sp_tape *t, sp_injection *out) {
    *out = (sp_injection){0};
    if (tuner->method->inject) tuner->method->inject(tuner, t, out);
}

static size_t list_trainable(const sp_params *params, sp_param **out) {
    size_t n = 0;
    for (size_t i = 0; i < params->count; i++)
        if (params->items[i]->var.needs_grad) out[n++] = params->items[i];
    return n;
}

size_t sp_tuner_trainable(const sp_tuner *tuner, sp_param ***out) {
    *out = sp_alloc(tuner->params.count + tuner->model->params.count, sizeof **out);
    size_t n = list_trainable(&tuner->params, *out);
    return n + list_trainable(&tuner->model->params, *out + n);
}

void sp_tuner_free(sp_tuner *tuner) {
    sp_params_free(&tuner->params);
    sp_leaf_free(&tuner->base);
    *tuner = (sp_tuner){0};
}
