#include "report/kept.h"

#include <stdlib.h>
#include <string.h>

/* Elements along dimension `dim`; 0 if there is no such array. */
static sp_status read_size(sp_h5 *file, const char *path, int dim, double *out) {
    int rank = 0;
    size_t dims[3] = {0};
    *out = 0;
    if (!sp_h5_exists(file, path)) return SP_OK;
    sp_status st = sp_h5_shape(file, path, &rank, dims);
    if (!st && dim >= rank)
        st = sp_fail(SP_ERR_FORMAT, "%s: %s is too flat", sp_h5_path(file), path);
    if (!st) *out = (double)dims[dim];
    return st;
}

/* Ids of virtual rows are negative. */
static sp_status count_rows(sp_h5 *file, const char *path, double *count) {
    int64_t *ids = NULL;
    size_t n = 0;
    if (!sp_h5_exists(file, path)) return SP_OK;
    sp_status st = sp_h5_read_ints(file, path, &ids, &n);
    for (size_t i = 0; !st && i < n; i++) *count += ids[i] < 0;
    free(ids);
    return st;
}

static int find_projection(const sp_model *m, const char *name) {
    for (int i = 0; i < m->projection_count; i++)
        if (strcmp(m->projections[i].name, name) == 0) return i;
    return -1;
}

/* Adds to each linear map of `group` the elements of two of its arrays. */
static sp_status read_beside(sp_h5 *file, const char *group, const char *const arrays[2],
                             const sp_model *m, double *weights) {
    sp_strings names = {0};
    if (!sp_h5_exists(file, group)) return SP_OK;
    sp_status st = sp_h5_members(file, group, &names);
    for (size_t i = 0; !st && i < names.len; i++) {
        int p = find_projection(m, names.data[i]);
        if (p < 0)
            st = sp_fail(SP_ERR_FORMAT, "%s: %s has '%s', which the model has not",
                         sp_h5_path(file), group, names.data[i]);
        for (int k = 0; !st && k < 2; k++) {
            char *path = sp_format("%s/%s/%s", group, names.data[i], arrays[k]);
            double rows, cols;
            st = read_size(file, path, 0, &rows);
            if (!st) st = read_size(file, path, 1, &cols);
            if (!st) weights[p] += rows * cols;
            free(path);
        }
    }
    sp_strings_free(&names);
    return st;
}

static sp_status read_prefix(sp_h5 *file, sp_kept *out) {
    sp_status st = read_size(file, "/prompt/key", 0, &out->prefix_layers);
    if (!st) st = read_size(file, "/prompt/key", 1, &out->prefix);
    out->infix = !st && sp_h5_has_attribute(file, "/prompt", "infix");
    return st;
}

static sp_status read_head(sp_h5 *file, sp_kept *out) {
    sp_status st = read_size(file, "/prompt/score/words", 0, &out->answers);
    if (!st && out->answers == 0) st = read_size(file, "/prompt/score/labels", 0, &out->answers);
    return st;
}

static sp_status read_all(sp_h5 *file, const sp_model *m, sp_kept *out) {
    sp_status st = count_rows(file, "/prompt/template_before", &out->virtual_rows);
    if (!st) st = count_rows(file, "/prompt/template_after", &out->virtual_rows);
    if (!st) st = read_prefix(file, out);
    if (!st) st = read_head(file, out);
    if (!st)
        st = read_beside(file, "/prompt/low_rank", (const char *const[]){"A", "B"}, m,
                         out->low_rank);
    if (st) return st;
    return read_beside(file, "/prompt/bottleneck",
                       (const char *const[]){"down.weight", "up.weight"}, m, out->bottleneck);
}

sp_status sp_kept_read(const char *path, const sp_model *m, sp_kept *out) {
    *out = (sp_kept){.low_rank = sp_alloc((size_t)m->projection_count, sizeof(double)),
                     .bottleneck = sp_alloc((size_t)m->projection_count, sizeof(double))};
    sp_h5 *file = NULL;
    sp_status st = sp_h5_open(path, &file);
    if (!st) st = read_all(file, m, out);
    sp_h5_close(file);
    if (st) sp_kept_free(out);
    return st;
}

void sp_kept_free(sp_kept *kept) {
    free(kept->low_rank), free(kept->bottleneck);
    *kept = (sp_kept){0};
}
