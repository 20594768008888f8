#include "tuning/methods.h"

#include <string.h>

static const sp_method *const methods[] = {&sp_method_fine_tune,
                                           &sp_method_fine_tune_top,
                                           &sp_method_bitfit,
                                           &sp_method_adapter,
                                           &sp_method_lora,
                                           &sp_method_adalora,
                                           &sp_method_prefix,
                                           &sp_method_p_tuning_v2,
                                           &sp_method_p_tuning,
                                           &sp_method_prompt,
                                           &sp_method_adaption_prompt,
                                           &sp_method_none,
                                           NULL};

const sp_method *const *sp_methods(void) {
    return methods;
}

const sp_method *sp_method_find(const char *name) {
    for (const sp_method *const *m = methods; *m; m++)
        if (strcmp((*m)->name, name) == 0) return *m;
    return NULL;
}
