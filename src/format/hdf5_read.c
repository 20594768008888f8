/* Reading. A file in the making has nothing to read. */
#include "format/hdf5_file.h"

#include <stdlib.h>
#include <string.h>

static sp_status damaged(const sp_h5 *f, const char *name, const char *what) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s %s; the file is damaged or not from this program",
                   f->path, name, what);
}

sp_h5 *sp_h5_new(const char *path) {
    sp_h5 *f = sp_alloc(1, sizeof *f);
    f->path = sp_strdup(path);
    f->id = -1;
    return f;
}

sp_status sp_h5_open(const char *path, sp_h5 **out) {
    *out = NULL;
    sp_map map;
    sp_status st = sp_map_file(path, &map); /* tells a missing file from a damaged one */
    if (st) return st;
    sp_h5 *f = sp_h5_new(path);
    f->map = map;
    sp_h5_found found = sp_h5_image_start(map.data, map.len, &f->image);
    if (found == SP_H5_FOUND && sp_h5_image_is_group(&f->image, f->image.root)) {
        *out = f;
        return SP_OK;
    }
    sp_h5_close(f);
    return sp_fail(SP_ERR_FORMAT, "%s: %s", path,
                   found == SP_H5_ABSENT
                       ? "is not an HDF5 file, or its beginning is lost"
                       : "is a truncated or damaged HDF5 file, or not from this program; delete "
                         "it or copy it again");
}

const char *sp_h5_path(const sp_h5 *f) {
    return f->path;
}

/* ---- paths ---- */

static sp_h5_found find(const sp_h5 *f, const char *path, uint64_t *header) {
    return f->map.len ? sp_h5_image_find(&f->image, path, header) : SP_H5_ABSENT;
}

bool sp_h5_exists(sp_h5 *f, const char *path) {
    uint64_t header;
    return !find(f, path, &header);
}

bool sp_h5_is_group(sp_h5 *f, const char *path) {
    uint64_t header;
    return !find(f, path, &header) && sp_h5_image_is_group(&f->image, header);
}

sp_status sp_h5_members(sp_h5 *f, const char *path, sp_strings *out) {
    uint64_t header;
    sp_h5_found found = find(f, path, &header);
    if (!found) found = sp_h5_image_members(&f->image, header, out);
    if (found == SP_H5_ABSENT) return damaged(f, path, "is no group");
    return found ? damaged(f, path, "cannot be read") : SP_OK;
}

/* ---- attributes ---- */

static sp_h5_found find_attribute(const sp_h5 *f, const char *group, const char *name,
                                  sp_h5_value *out) {
    uint64_t header;
    sp_h5_found found = find(f, group, &header);
    return found ? found : sp_h5_image_attribute(&f->image, header, name, out);
}

bool sp_h5_has_attribute(sp_h5 *f, const char *group, const char *name) {
    sp_h5_value value;
    return find_attribute(f, group, name, &value) != SP_H5_ABSENT;
}

/* One value: a text, or a number. */
static sp_status get_attribute(const sp_h5 *f, const char *group, const char *name, bool text,
                               sp_h5_value *out) {
    sp_h5_found found = find_attribute(f, group, name, out);
    if (found == SP_H5_ABSENT)
        return sp_fail(SP_ERR_FORMAT, "%s: has no attribute %s in %s; it is not from this program",
                       f->path, name, group);
    if (found) return damaged(f, name, "cannot be read");
    if (out->count != 1 || (out->kind == SP_H5_TEXT) != text)
        return damaged(f, name, "is not of the expected type");
    return SP_OK;
}

sp_status sp_h5_get_text(sp_h5 *f, const char *group, const char *name, char **out) {
    sp_h5_value value;
    const char *text;
    size_t len;
    *out = NULL;
    sp_status st = get_attribute(f, group, name, true, &value);
    if (st) return st;
    if (!sp_h5_value_text(&f->image, &value, 0, &text, &len))
        return damaged(f, name, "cannot be read");
    *out = sp_strndup(text, len);
    return SP_OK;
}

sp_status sp_h5_get_int(sp_h5 *f, const char *group, const char *name, int64_t *out) {
    sp_h5_value value;
    sp_status st = get_attribute(f, group, name, false, &value);
    if (!st) *out = sp_h5_value_int(&value, 0);
    return st;
}

sp_status sp_h5_get_real(sp_h5 *f, const char *group, const char *name, double *out) {
    sp_h5_value value;
    sp_status st = get_attribute(f, group, name, false, &value);
    if (!st) *out = sp_h5_value_real(&value, 0);
    return st;
}

/* ---- datasets ---- */

static sp_status find_dataset(const sp_h5 *f, const char *path, sp_h5_value *out) {
    uint64_t header;
    sp_h5_found found = find(f, path, &header);
    if (!found) found = sp_h5_image_dataset(&f->image, header, out);
    if (found == SP_H5_ABSENT)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: has no data set %s; it is not from this program or of an older version",
                       f->path, path);
    return found ? damaged(f, path, "is no array that this program writes") : SP_OK;
}

sp_status sp_h5_shape(sp_h5 *f, const char *path, int *rank, size_t dims[3]) {
    sp_h5_value value;
    sp_status st = find_dataset(f, path, &value);
    if (st) return st;
    *rank = value.rank;
    memcpy(dims, value.dims, sizeof value.dims);
    return SP_OK;
}

static sp_status find_numbers(const sp_h5 *f, const char *path, sp_h5_value *out) {
    sp_status st = find_dataset(f, path, out);
    return st || out->kind != SP_H5_TEXT ? st : damaged(f, path, "does not hold numbers");
}

static void copy_floats(const sp_h5_value *value, float *data) {
    bool as_here = value->kind == SP_H5_FLOAT && value->size == sizeof *data && !value->big_endian;
    if (as_here && value->count)
        memcpy(data, value->data, value->count * sizeof *data);
    else
        for (size_t i = 0; i < value->count; i++) data[i] = (float)sp_h5_value_real(value, i);
}

sp_status sp_h5_load_floats(sp_h5 *f, const char *path, float *data, size_t count) {
    sp_h5_value value;
    sp_status st = find_numbers(f, path, &value);
    if (st) return st;
    if (value.count != count)
        return sp_fail(SP_ERR_FORMAT, "%s: %s has %zu values, expected %zu", f->path, path,
                       value.count, count);
    copy_floats(&value, data);
    if (count) sp_map_rest(&f->map, value.data, count * value.size);
    return SP_OK;
}

sp_status sp_h5_read_floats(sp_h5 *f, const char *path, float **out, size_t *count) {
    sp_h5_value value;
    *out = NULL;
    *count = 0;
    sp_status st = find_numbers(f, path, &value);
    if (st) return st;
    *count = value.count;
    *out = sp_alloc(value.count, sizeof **out);
    copy_floats(&value, *out);
    return SP_OK;
}

sp_status sp_h5_read_reals(sp_h5 *f, const char *path, double **out, size_t *count) {
    sp_h5_value value;
    *out = NULL;
    *count = 0;
    sp_status st = find_numbers(f, path, &value);
    if (st) return st;
    *count = value.count;
    *out = sp_alloc(value.count, sizeof **out);
    for (size_t i = 0; i < value.count; i++) (*out)[i] = sp_h5_value_real(&value, i);
    return SP_OK;
}

sp_status sp_h5_read_ints(sp_h5 *f, const char *path, int64_t **out, size_t *count) {
    sp_h5_value value;
    *out = NULL;
    *count = 0;
    sp_status st = find_numbers(f, path, &value);
    if (st) return st;
    *count = value.count;
    *out = sp_alloc(value.count, sizeof **out);
    for (size_t i = 0; i < value.count; i++) (*out)[i] = sp_h5_value_int(&value, i);
    return SP_OK;
}

/* Many elements may name one text: together they must not be larger than the file. */
sp_status sp_h5_read_texts(sp_h5 *f, const char *path, sp_strings *out) {
    sp_h5_value value;
    sp_status st = find_dataset(f, path, &value);
    if (st) return st;
    if (value.rank != 1 || value.kind != SP_H5_TEXT)
        return damaged(f, path, "is not a list of variable-length strings");
    size_t total = 0;
    for (size_t i = 0; i < value.count; i++) {
        const char *text;
        size_t len;
        if (!sp_h5_value_text(&f->image, &value, i, &text, &len) || (total += len) > f->map.len)
            return damaged(f, path, "holds texts that are not there");
        sp_strings_take(out, sp_strndup(text, len));
    }
    return SP_OK;
}

/* ---- whole files ---- */

/* More than any file of this program has; one in which groups lead in circles ends here. */
enum { DEEPEST = 8, MOST_OBJECTS = 1 << 14 };

static sp_status check_group(sp_h5 *f, const char *group, int depth, int *objects) {
    sp_strings names = {0};
    uint64_t header;
    sp_h5_value value;
    sp_status st = sp_h5_members(f, group, &names);
    for (size_t i = 0; !st && i < names.len; i++) {
        char *path = sp_format("%s/%s", group, names.data[i]);
        if (depth == DEEPEST || ++*objects > MOST_OBJECTS || find(f, path, &header))
            st = damaged(f, path, "cannot be read");
        else if (sp_h5_image_is_group(&f->image, header))
            st = check_group(f, path, depth + 1, objects);
        else
            st = find_dataset(f, path, &value);
        free(path);
    }
    sp_strings_free(&names);
    return st;
}

sp_status sp_h5_check(sp_h5 *f) {
    int objects = 0;
    return check_group(f, "", 0, &objects);
}
