#include "tuning/method.h"

#include <stdlib.h>

/* A method with the option `frozen` set to false trains the language model along. */
static bool trains_model(const sp_tuner *tuner) {
    return sp_options_find(tuner->method->options, "frozen") && !tuner->options.frozen;
}

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
    if (trains_model(out)) sp_params_train(&model->params, true);
    return SP_OK;
}

void sp_tuner_inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    *out = (sp_steering){0};
    if (tuner->method->inject) tuner->method->inject(tuner, t, out);
}

sp_var *sp_tuner_penalty(const sp_tuner *tuner, sp_tape *t) {
    return tuner->method->penalty ? tuner->method->penalty(tuner, t) : NULL;
}

void sp_tuner_after_step(sp_tuner *tuner, long step, long steps) {
    if (tuner->method->after_step) tuner->method->after_step(tuner, step, steps);
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
    sp_params_free(&tuner->state);
    sp_leaf_free(&tuner->base);
    *tuner = (sp_tuner){0};
}
