#include "tuning/prompt_file.h"

#include <stdlib.h>
#include <string.h>

sp_status sp_prompt_misfit(sp_h5 *file, const char *path) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s does not fit this model; use the model of the run",
                   sp_h5_path(file), path);
}

sp_status sp_prompt_write_ids(sp_h5 *file, const char *path, const sp_ints *ids) {
    int64_t *wide = sp_alloc(ids->len, sizeof *wide);
    for (size_t i = 0; i < ids->len; i++) wide[i] = ids->data[i];
    sp_status st = sp_h5_write_ints(file, path, 1, &ids->len, wide);
    free(wide);
    return st;
}

sp_status sp_prompt_read_ids(sp_h5 *file, const char *path, long least, long limit, sp_ints *out) {
    int64_t *wide = NULL;
    size_t count = 0;
    sp_status st = sp_h5_read_ints(file, path, &wide, &count);
    for (size_t i = 0; !st && i < count; i++) {
        if (wide[i] < least || wide[i] >= limit)
            st = sp_prompt_misfit(file, path);
        else
            sp_ints_push(out, (int)wide[i]);
    }
    free(wide);
    return st;
}

sp_status sp_prompt_read_var(sp_h5 *file, const char *path, sp_var *out) {
    float *data = NULL;
    size_t count = 0;
    sp_status st = sp_h5_read_floats(file, path, &data, &count);
    if (!st && count != (size_t)(out->rows * out->cols)) st = sp_prompt_misfit(file, path);
    if (!st) memcpy(out->data, data, count * sizeof(float));
    free(data);
    return st;
}
