/* No tuning: the model as it is, optionally steered by a plain text prompt in the template. */
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {SP_OPTION_TEMPLATE("x"), {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)tuner;
    (void)source;
    (void)rng;
    return SP_OK;
}

const sp_method sp_method_none = {.name = "none",
                                  .title = "Untuned",
                                  .options = options,
                                  .create = create,
                                  .uses_template = true};
