/* P-tuning v2 (Liu et al. 2021, section 3.2): trainable keys and values at every layer, or at some
 * at the top or bottom (section 4.3), directly or through an MLP. */
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {SP_KV_PREFIX_OPTIONS("none", "normal"), {0}};

const sp_method sp_method_p_tuning_v2 = {.name = "p-tuning-v2",
                                         .title = "P-tuning v2",
                                         .options = options,
                                         .create = sp_kv_prefix_create,
                                         .inject = sp_kv_prefix_inject};
