/* Prefix-tuning (Li & Liang 2021): a key and a value per layer and position, made by an MLP while
 * training (section 4.3); after it only P is kept. reparametrization: none trains P itself, which
 * the paper found less stable. */
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {SP_KV_PREFIX_OPTIONS("mlp", "random"), {0}};

const sp_method sp_method_prefix = {.name = "prefix",
                                    .title = "Prefix-tuning",
                                    .options = options,
                                    .create = sp_kv_prefix_create,
                                    .inject = sp_kv_prefix_inject};
