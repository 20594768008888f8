#include "text/token_model.h"
#include "text/json_part.h"

#include <string.h>

static const sp_token_model_kind *const kinds[] = {&sp_token_model_bpe, &sp_token_model_wordpiece};

static const char *type_of(const json_t *model) {
    const char *type = sp_part_text(model, "type");
    if (type) return type;
    if (json_object_get(model, "merges")) return "BPE";
    return json_is_array(json_object_get(model, "vocab")) ? "Unigram" : "WordPiece";
}

sp_status sp_token_model_find(const json_t *model, const sp_token_model_kind **out) {
    const char *type = type_of(model);
    if (!json_object_get(model, "vocab")) return sp_fail(SP_ERR_FORMAT, "the model has no vocab");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        *out = kinds[i];
        if (strcmp(type, kinds[i]->type) == 0) return SP_OK;
    }
    *out = NULL;
    if (!json_object_get(model, "vocab")) return sp_fail(SP_ERR_FORMAT, "the model has no vocab");
    return sp_fail(SP_ERR_FORMAT, "model type is %.40s; use BPE or WordPiece", type);
}
