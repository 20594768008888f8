/* Prefix-tuning (Li & Liang 2021). P = MLP(P') gives a key and a value per layer and position
 * (section 4.3, eq. 3); without the MLP, P itself trains (the embedding-only variant of the
 * parametrisation, section 7.2 calls the other ablation by that name). After training only P is
 * kept. With init activations (section 7.4) the MLP learns a correction that starts at zero:
 * P = P_0 + MLP(P'), P_0 being the activations of real words. */
#include "tuning/init.h"
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

#include <string.h>

static const sp_option options[] = {
    SP_OPTION_LENGTH("10"),
    SP_OPTION_REPARAMETRIZATION("mlp"),
    SP_OPTION_HIDDEN("512"),
    SP_OPTION_INIT("random", "random|normal|zero|vocab|activations"),
    SP_OPTION_INIT_TEXT("a sentence that describes the table"),
    SP_OPTION_INIT_TOP,
    SP_OPTION_SHIFT,
    {0}};

static bool has_mlp(const sp_tuner *tuner) {
    return strcmp(tuner->options.reparametrization, "mlp") == 0;
}

static bool starts_from_words(const sp_tuner *tuner) {
    return strcmp(tuner->options.init, "activations") == 0 ||
           strcmp(tuner->options.init, "vocab") == 0;
}

static sp_status create_with_mlp(sp_tuner *tuner, const sp_init_args *args, long columns) {
    sp_var *p = sp_params_add(&tuner->params, "embedding.weight", 2, tuner->options.length,
                              tuner->model->config.n_embd);
    sp_prefix_add_mlp(tuner, columns, args->rng);
    if (!starts_from_words(tuner)) return sp_init_rows(args, p);
    sp_init_normal(p, 1.0f, args->rng);
    sp_var *last = &sp_params_find(&tuner->params, "transform.2.weight")->var;
    sp_var *bias = &sp_params_find(&tuner->params, "transform.2.bias")->var;
    memset(last->data, 0, (size_t)(last->rows * last->cols) * sizeof(float));
    memset(bias->data, 0, (size_t)bias->cols * sizeof(float));
    tuner->base = sp_leaf(tuner->options.length, columns);
    return sp_init_prefix(args, &tuner->base);
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    sp_init_args args = {tuner->model, source, &tuner->options, rng};
    long columns = sp_prefix_columns(tuner->model);
    if (has_mlp(tuner)) return create_with_mlp(tuner, &args, columns);
    return sp_init_prefix(&args, sp_params_add(&tuner->params, "embedding.weight", 2,
                                               tuner->options.length, columns));
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_injection *out) {
    sp_var *p = &sp_params_find(&tuner->params, "embedding.weight")->var;
    if (p->rows == 0) return;
    if (has_mlp(tuner)) p = sp_prefix_apply_mlp(tuner, t, p);
    if (tuner->base.data) p = sp_add(t, p, (sp_var *)&tuner->base);
    out->prefix = sp_prefix_views(t, tuner, p);
}

const sp_method sp_method_prefix = {.name = "prefix",
                                    .title = "Prefix-tuning",
                                    .options = options,
                                    .create = create,
                                    .inject = inject};
