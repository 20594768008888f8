/* P-tuning v2 (Liu et al. 2021, section 3.2): trainable keys and values at every layer, or at a
 * range of layers, directly or through an MLP. */
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {
    SP_OPTION_LENGTH("10"),
    SP_OPTION_REPARAMETRIZATION("none"),
    SP_OPTION_HIDDEN("512"),
    SP_OPTION_INIT("normal", "random|normal|zero|vocab|activations"),
    SP_OPTION_INIT_TEXT("a sentence that describes the table"),
    SP_OPTION_INIT_TOP,
    SP_OPTION_FIRST_LAYER,
    SP_OPTION_LAST_LAYER,
    SP_OPTION_SHIFT,
    {0}};

const sp_method sp_method_p_tuning_v2 = {.name = "p-tuning-v2",
                                         .title = "P-tuning v2",
                                         .options = options,
                                         .create = sp_kv_prefix_create,
                                         .inject = sp_kv_prefix_inject};
