/* Prompt tuning (Lester et al. 2021, section 2): P_e [length, n_embd] before the embedded input;
 * only P_e trains, unless `frozen` is false. */
#include "tuning/init.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {SP_OPTION_LENGTH("20"),
                                    SP_OPTION_INIT("vocab", SP_ROW_INITS),
                                    SP_OPTION_INIT_TEXT,
                                    SP_OPTION_INIT_TOP,
                                    SP_OPTION_TEMPLATE("P x"),
                                    SP_OPTION_FROZEN,
                                    {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    sp_init_args args = {tuner->model, source, &tuner->options, rng};
    if (tuner->options.length == 0) return SP_OK;
    return sp_init_rows(&args, sp_params_add(&tuner->params, "prompt_embeddings", 2,
                                             tuner->options.length, tuner->model->config.n_embd));
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    (void)t;
    sp_param *rows = sp_params_find(&tuner->params, "prompt_embeddings");
    if (rows) out->virtual_rows = &rows->var;
}

const sp_method sp_method_prompt = {.name = "prompt",
                                    .title = "Prompt tuning",
                                    .options = options,
                                    .create = create,
                                    .inject = inject,
                                    .uses_template = true};
