#include "tuning/methods.h"

#include <string.h>

static const sp_method *const methods[] = {
#define SP_METHOD(name) &sp_method_##name,
#include "tuning/methods.def"
#undef SP_METHOD
    NULL};

const sp_method *const *sp_methods(void) {
    return methods;
}

const sp_method *sp_method_find(const char *name) {
    for (const sp_method *const *m = methods; *m; m++)
        if (strcmp((*m)->name, name) == 0) return *m;
    return NULL;
}
