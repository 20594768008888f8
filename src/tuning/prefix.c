/* Prefix-tuning (Li & Liang 2021): a key and a value per layer and position, made by an MLP while
 * training (section 4.3); after it only P is kept. reparametrization: none trains P itself, which
 * the paper found less stable. */
#include "tuning/kv_prefix.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

static const sp_option options[] = {
    SP_OPTION_LENGTH("10"),
    SP_OPTION_REPARAMETRIZATION("mlp"),
    SP_OPTION_HIDDEN("512"),
    SP_OPTION_INIT("random", "random|normal|zero|vocab|activations"),
    SP_OPTION_INIT_TEXT("a sentence that describes the table"),
    SP_OPTION_INIT_TOP,
    SP_OPTION_FIRST_LAYER,
    SP_OPTION_LAST_LAYER,
    SP_OPTION_SHIFT,
    {0}};

const sp_method sp_method_prefix = {.name = "prefix",
                                    .title = "Prefix-tuning",
                                    .options = options,
                                    .create = sp_kv_prefix_create,
                                    .inject = sp_kv_prefix_inject};
