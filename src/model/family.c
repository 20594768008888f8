#include "model/families.h"

#include <string.h>

static const sp_family *const families[] = {&sp_family_gpt2,  &sp_family_llama, &sp_family_mistral,
                                            &sp_family_qwen2, &sp_family_bert,  &sp_family_roberta};

const sp_family *sp_family_find(const char *model_type) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i]->model_type, model_type) == 0) return families[i];
    return NULL;
}

const char *sp_family_names(void) {
    return "gpt2, llama, mistral, qwen2, bert, roberta";
}
