#include "tuning/part.h"

#include <stdlib.h>

sp_var *sp_part_add(sp_params *params, const sp_projection *p, const char *suffix, int rank,
                    long rows, long cols) {
    char *name = sp_format("%s.%s", p->name, suffix);
    sp_var *v = sp_params_add(params, name, rank, rows, cols);
    free(name);
    return v;
}

sp_var *sp_part_find(const sp_params *params, const sp_projection *p, const char *suffix) {
    char *name = sp_format("%s.%s", p->name, suffix);
    sp_param *param = sp_params_find(params, name);
    free(name);
    return param ? &param->var : NULL;
}
