/* P-tuning v2 (Liu et al. 2021, section 3.2): trainable keys and values at every layer, or at a
 * range of layers, directly or through an MLP. */
#include "tuning/init.h"
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

#include <string.h>

static const sp_option options[] = {
    SP_OPTION_LENGTH("10"),
    SP_OPTION_REPARAMETRIZATION("none"),
    SP_OPTION_HIDDEN("512"),
    SP_OPTION_INIT("normal", "random|normal|zero|vocab|activations"),
    SP_OPTION_INIT_TEXT("a sentence that describes the table"),
    SP_OPTION_INIT_TOP,
    {"first_layer", SP_INT, SP_METHOD_FIELD(first_layer), "0", 0, 1024, NULL,
     "lowest layer with a prefix"},
    {"last_layer", SP_INT, SP_METHOD_FIELD(last_layer), "-1", -1, 1024, NULL,
     "highest layer with a prefix; -1: the top one"},
    SP_OPTION_SHIFT,
    {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    sp_init_args args = {tuner->model, source, &tuner->options, rng};
    long columns = sp_prefix_columns(tuner->model);
    bool mlp = strcmp(tuner->options.reparametrization, "mlp") == 0;
    sp_status st = sp_prefix_check_layers(tuner);
    if (st) return st;
    sp_var *p = sp_params_add(&tuner->params, "embedding.weight", 2, tuner->options.length,
                              mlp ? tuner->model->config.n_embd : columns);
    if (!mlp) return sp_init_prefix(&args, p);
    sp_prefix_add_mlp(tuner, columns, rng);
    return sp_init_rows(&args, p);
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_injection *out) {
    sp_var *p = &sp_params_find(&tuner->params, "embedding.weight")->var;
    if (p->rows == 0) return;
    if (sp_params_find(&tuner->params, "transform.0.weight")) p = sp_prefix_apply_mlp(tuner, t, p);
    out->prefix = sp_prefix_views(t, tuner, p);
}

const sp_method sp_method_p_tuning_v2 = {.name = "p-tuning-v2",
                                         .title = "P-tuning v2",
                                         .options = options,
                                         .create = create,
                                         .inject = inject};
