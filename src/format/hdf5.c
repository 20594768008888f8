#include "format/hdf5.h"

#include "core/file.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANK = 3, GROWTH = 1 << 20, MAX_COMPRESSION = 1100 };

struct sp_h5 {
    char *path;
    hid_t id;
    size_t bytes; /* of the file on disk; 0 for a new one */
};

static sp_status failed(const sp_h5 *f, const char *what, const char *name) {
    return sp_fail(SP_ERR_INTERNAL, "%s: HDF5 cannot %s %s", f->path, what, name);
}

static sp_status damaged(const sp_h5 *f, const char *name, const char *what) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s %s; the file is damaged or not from this program",
                   f->path, name, what);
}

/* ---- files ---- */

static sp_h5 *new_file(const char *path) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* cli/ prints, not the library */
    sp_h5 *f = sp_alloc(1, sizeof *f);
    f->path = sp_strdup(path);
    f->id = -1;
    return f;
}

/* The file grows in memory (HDF5's core driver) and reaches the disk through sp_write_file: the
 * library does not recover from a disk that fills up under an open file. */
sp_status sp_h5_create(const char *path, sp_h5 **out) {
    sp_h5 *f = new_file(path);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, GROWTH, 0);
    char *name = sp_format("memory-%p", (void *)f); /* two files in the making must differ */
    f->id = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    free(name);
    H5Pclose(access);
    *out = f;
    if (f->id >= 0) return SP_OK;
    sp_status st = failed(f, "create", path);
    sp_h5_close(f);
    *out = NULL;
    return st;
}

sp_status sp_h5_open(const char *path, sp_h5 **out) {
    *out = NULL;
    sp_map map;
    sp_status st = sp_map_file(path, &map); /* tells a missing file from a damaged one */
    if (st) return st;
    size_t bytes = map.len;
    sp_unmap_file(&map);
    sp_h5 *f = new_file(path);
    f->bytes = bytes;
    bool foreign = H5Fis_hdf5(path) <= 0;
    f->id = foreign ? -1 : H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f->id >= 0) {
        *out = f;
        return SP_OK;
    }
    sp_h5_close(f);
    return sp_fail(SP_ERR_FORMAT, "%s: %s", path,
                   foreign ? "is not an HDF5 file, or its beginning is lost"
                           : "is a truncated or damaged HDF5 file; delete it or copy it again");
}

sp_status sp_h5_commit(sp_h5 *f) {
    sp_status st = SP_OK;
    ssize_t size = H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(f->id, NULL, 0);
    if (size <= 0) {
        st = failed(f, "finish", "the file");
    } else {
        void *image = sp_alloc((size_t)size, 1);
        if (H5Fget_file_image(f->id, image, (size_t)size) == size)
            st = sp_write_file(f->path, image, (size_t)size);
        else
            st = failed(f, "finish", "the file");
        free(image);
    }
    sp_h5_close(f);
    return st;
}

sp_status sp_h5_finish(sp_h5 *file, sp_status st) {
    if (!st) return sp_h5_commit(file);
    sp_h5_close(file);
    return st;
}

void sp_h5_close(sp_h5 *f) {
    if (!f) return;
    if (f->id >= 0) H5Fclose(f->id);
    free(f->path);
    free(f);
}

const char *sp_h5_path(const sp_h5 *f) {
    return f->path;
}

/* ---- paths ---- */

static bool is_root(const char *path) {
    return path[strspn(path, "/")] == '\0';
}

/* HDF5 wants every step of a path checked before the next. */
bool sp_h5_exists(sp_h5 *f, const char *path) {
    if (is_root(path)) return true;
    char *prefix = sp_strdup(path);
    bool found = true;
    for (char *p = prefix + 1; found; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        found = H5Lexists(f->id, prefix, H5P_DEFAULT) > 0 &&
                H5Oexists_by_name(f->id, prefix, H5P_DEFAULT) > 0;
        *p = end;
        if (end == '\0') break;
    }
    free(prefix);
    return found;
}

static bool is_object(sp_h5 *f, const char *path, H5I_type_t type) {
    if (!sp_h5_exists(f, path)) return false;
    hid_t object = H5Oopen(f->id, path, H5P_DEFAULT);
    if (object < 0) return false;
    bool same = H5Iget_type(object) == type;
    H5Oclose(object);
    return same;
}

bool sp_h5_is_group(sp_h5 *f, const char *path) {
    return is_object(f, path, H5I_GROUP);
}

/* Times are not stored: equal content gives equal bytes. */
static hid_t creation_list(hid_t class) {
    hid_t list = H5Pcreate(class);
    H5Pset_obj_track_times(list, 0);
    return list;
}

static sp_status make_one_group(sp_h5 *f, const char *path) {
    if (sp_h5_is_group(f, path)) return SP_OK;
    hid_t list = creation_list(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(f->id, path, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    if (group < 0) return failed(f, "make the group", path);
    H5Gclose(group);
    return SP_OK;
}

/* Makes every group on the way to `path`, and `path` itself when `last`. */
static sp_status make_groups(sp_h5 *f, const char *path, bool last) {
    if (is_root(path)) return SP_OK;
    char *prefix = sp_strdup(path);
    sp_status st = SP_OK;
    for (char *p = prefix + 1; *p && !st; p++) {
        if (*p != '/') continue;
        *p = '\0';
        st = make_one_group(f, prefix);
        *p = '/';
    }
    if (!st && last) st = make_one_group(f, path);
    free(prefix);
    return st;
}

/* Room for a new object at `path`. */
static sp_status clear_path(sp_h5 *f, const char *path) {
    sp_status st = make_groups(f, path, false);
    if (!st && H5Lexists(f->id, path, H5P_DEFAULT) > 0 && H5Ldelete(f->id, path, H5P_DEFAULT) < 0)
        st = failed(f, "replace", path);
    return st;
}

sp_status sp_h5_members(sp_h5 *f, const char *path, sp_strings *out) {
    if (!sp_h5_is_group(f, path)) return damaged(f, path, "is no group");
    hid_t group = H5Gopen2(f->id, path, H5P_DEFAULT);
    H5G_info_t info;
    sp_status st = SP_OK;
    if (group < 0 || H5Gget_info(group, &info) < 0) st = damaged(f, path, "cannot be read");
    for (hsize_t i = 0; !st && i < info.nlinks; i++) {
        char name[256];
        ssize_t n = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                                       H5P_DEFAULT);
        if (n < 0 || n >= (ssize_t)sizeof name)
            st = damaged(f, path, "has a member without a usable name");
        else
            sp_strings_push(out, name);
    }
    if (group >= 0) H5Gclose(group);
    return st;
}

sp_status sp_h5_link_file(sp_h5 *f, const char *path, const char *target) {
    sp_status st = clear_path(f, path);
    if (st) return st;
    if (H5Lcreate_external(target, "/", f->id, path, H5P_DEFAULT, H5P_DEFAULT) < 0)
        return failed(f, "link", path);
    return SP_OK;
}

/* ---- attributes ---- */

static hid_t text_type(H5T_cset_t charset) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, charset);
    return type;
}

static sp_status set_attribute(sp_h5 *f, const char *group, const char *name, hid_t type,
                               const void *value) {
    sp_status st = make_groups(f, group, true);
    if (st) return st;
    if (H5Aexists_by_name(f->id, group, name, H5P_DEFAULT) > 0)
        H5Adelete_by_name(f->id, group, name, H5P_DEFAULT);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute =
        H5Acreate_by_name(f->id, group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        st = failed(f, "write the attribute", name);
    if (attribute >= 0) H5Aclose(attribute);
    H5Sclose(space);
    return st;
}

sp_status sp_h5_set_text(sp_h5 *f, const char *group, const char *name, const char *value) {
    hid_t type = text_type(H5T_CSET_UTF8);
    sp_status st = set_attribute(f, group, name, type, &value);
    H5Tclose(type);
    return st;
}

sp_status sp_h5_set_int(sp_h5 *f, const char *group, const char *name, int64_t value) {
    return set_attribute(f, group, name, H5T_NATIVE_INT64, &value);
}

sp_status sp_h5_set_real(sp_h5 *f, const char *group, const char *name, double value) {
    return set_attribute(f, group, name, H5T_NATIVE_DOUBLE, &value);
}

bool sp_h5_has_attribute(sp_h5 *f, const char *group, const char *name) {
    return sp_h5_is_group(f, group) && H5Aexists_by_name(f->id, group, name, H5P_DEFAULT) > 0;
}

static bool is_number(hid_t type) {
    H5T_class_t class = H5Tget_class(type);
    return class == H5T_INTEGER || class == H5T_FLOAT;
}

static bool is_text(hid_t type) {
    return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
}

/* One value: a number as `type`, or (type < 0) a string that HDF5 allocates. */
static sp_status get_attribute(sp_h5 *f, const char *group, const char *name, hid_t type,
                               void *out) {
    if (!sp_h5_has_attribute(f, group, name))
        return sp_fail(SP_ERR_FORMAT, "%s: has no attribute %s in %s; it is not from this program",
                       f->path, name, group);
    hid_t attribute = H5Aopen_by_name(f->id, group, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) return damaged(f, name, "cannot be read");
    hid_t stored = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hid_t memory = type < 0 && is_text(stored) ? text_type(H5Tget_cset(stored)) : H5Tcopy(type);
    bool fits =
        H5Sget_simple_extent_npoints(space) == 1 && memory >= 0 && (type < 0 || is_number(stored));
    sp_status st = SP_OK;
    if (!fits || H5Aread(attribute, memory, out) < 0)
        st = damaged(f, name, "is not of the expected type");
    if (memory >= 0) H5Tclose(memory);
    H5Sclose(space), H5Tclose(stored), H5Aclose(attribute);
    return st;
}

sp_status sp_h5_get_text(sp_h5 *f, const char *group, const char *name, char **out) {
    char *text = NULL;
    *out = NULL;
    sp_status st = get_attribute(f, group, name, -1, &text);
    if (!st) *out = sp_strdup(text ? text : "");
    if (text) H5free_memory(text);
    return st;
}

sp_status sp_h5_get_int(sp_h5 *f, const char *group, const char *name, int64_t *out) {
    return get_attribute(f, group, name, H5T_NATIVE_INT64, out);
}

sp_status sp_h5_get_real(sp_h5 *f, const char *group, const char *name, double *out) {
    return get_attribute(f, group, name, H5T_NATIVE_DOUBLE, out);
}

/* ---- datasets ---- */

static sp_status write_dataset(sp_h5 *f, const char *path, int rank, const size_t *dims, hid_t type,
                               const void *data) {
    if (rank < 0 || rank > MAX_RANK) sp_panic("%s: rank %d", path, rank);
    sp_status st = clear_path(f, path);
    if (st) return st;
    hsize_t extent[MAX_RANK] = {0};
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        extent[i] = dims[i];
        empty |= dims[i] == 0;
    }
    hid_t space = rank ? H5Screate_simple(rank, extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t list = creation_list(H5P_DATASET_CREATE);
    hid_t set = H5Dcreate2(f->id, path, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (set < 0 || (!empty && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        st = failed(f, "write", path);
    if (set >= 0) H5Dclose(set);
    H5Pclose(list), H5Sclose(space);
    return st;
}

sp_status sp_h5_write_floats(sp_h5 *f, const char *path, int rank, const size_t *dims,
                             const float *data) {
    return write_dataset(f, path, rank, dims, H5T_NATIVE_FLOAT, data);
}

sp_status sp_h5_write_reals(sp_h5 *f, const char *path, int rank, const size_t *dims,
                            const double *data) {
    return write_dataset(f, path, rank, dims, H5T_NATIVE_DOUBLE, data);
}

sp_status sp_h5_write_ints(sp_h5 *f, const char *path, int rank, const size_t *dims,
                           const int64_t *data) {
    return write_dataset(f, path, rank, dims, H5T_NATIVE_INT64, data);
}

sp_status sp_h5_write_texts(sp_h5 *f, const char *path, const char *const *texts, size_t count) {
    hid_t type = text_type(H5T_CSET_UTF8);
    sp_status st = write_dataset(f, path, 1, &count, type, texts);
    H5Tclose(type);
    return st;
}

/* An open dataset with its shape, checked so that its size cannot be a lie. */
typedef struct dataset {
    hid_t id, type, space;
    int rank;
    size_t dims[MAX_RANK], count;
} dataset;

static void close_dataset(dataset *d) {
    if (d->space >= 0) H5Sclose(d->space);
    if (d->type >= 0) H5Tclose(d->type);
    if (d->id >= 0) H5Dclose(d->id);
}

static sp_status read_extent(sp_h5 *f, const char *path, dataset *d) {
    hsize_t extent[MAX_RANK];
    d->rank = H5Sget_simple_extent_ndims(d->space);
    if (d->rank < 0 || d->rank > MAX_RANK || H5Sget_simple_extent_type(d->space) == H5S_NULL)
        return damaged(f, path, "is not an array of rank 0 to 3");
    if (d->rank) H5Sget_simple_extent_dims(d->space, extent, NULL);
    d->count = 1;
    size_t bytes;
    bool huge = false;
    for (int i = 0; i < d->rank; i++) {
        d->dims[i] = (size_t)extent[i];
        huge |= __builtin_mul_overflow(d->count, d->dims[i], &d->count);
    }
    huge |= __builtin_mul_overflow(d->count, H5Tget_size(d->type), &bytes);
    if (huge || (f->bytes && bytes / MAX_COMPRESSION > f->bytes))
        return damaged(f, path, "claims to be larger than the file can hold");
    return SP_OK;
}

static sp_status open_dataset(sp_h5 *f, const char *path, dataset *d) {
    *d = (dataset){.id = -1, .type = -1, .space = -1};
    if (!is_object(f, path, H5I_DATASET))
        return sp_fail(SP_ERR_FORMAT,
                       "%s: has no data set %s; it is not from this program or of "
                       "an older version",
                       f->path, path);
    d->id = H5Dopen2(f->id, path, H5P_DEFAULT);
    d->type = d->id < 0 ? -1 : H5Dget_type(d->id);
    d->space = d->id < 0 ? -1 : H5Dget_space(d->id);
    sp_status st =
        d->type < 0 || d->space < 0 ? damaged(f, path, "cannot be read") : read_extent(f, path, d);
    if (st) close_dataset(d);
    return st;
}

sp_status sp_h5_shape(sp_h5 *f, const char *path, int *rank, size_t dims[3]) {
    dataset d;
    sp_status st = open_dataset(f, path, &d);
    if (st) return st;
    *rank = d.rank;
    memcpy(dims, d.dims, sizeof d.dims);
    close_dataset(&d);
    return SP_OK;
}

static sp_status read_numbers(sp_h5 *f, const char *path, hid_t type, size_t size, void **out,
                              size_t *count) {
    *out = NULL;
    *count = 0;
    dataset d;
    sp_status st = open_dataset(f, path, &d);
    if (st) return st;
    void *data = NULL;
    if (!is_number(d.type)) {
        st = damaged(f, path, "does not hold numbers");
    } else {
        data = sp_alloc(d.count, size);
        if (d.count && H5Dread(d.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
            st = damaged(f, path, "cannot be read");
    }
    if (st) {
        free(data);
    } else {
        *out = data;
        *count = d.count;
    }
    close_dataset(&d);
    return st;
}

sp_status sp_h5_read_floats(sp_h5 *f, const char *path, float **out, size_t *count) {
    void *data;
    sp_status st = read_numbers(f, path, H5T_NATIVE_FLOAT, sizeof(float), &data, count);
    *out = data;
    return st;
}

sp_status sp_h5_read_reals(sp_h5 *f, const char *path, double **out, size_t *count) {
    void *data;
    sp_status st = read_numbers(f, path, H5T_NATIVE_DOUBLE, sizeof(double), &data, count);
    *out = data;
    return st;
}

sp_status sp_h5_read_ints(sp_h5 *f, const char *path, int64_t **out, size_t *count) {
    void *data;
    sp_status st = read_numbers(f, path, H5T_NATIVE_INT64, sizeof(int64_t), &data, count);
    *out = data;
    return st;
}

sp_status sp_h5_read_texts(sp_h5 *f, const char *path, sp_strings *out) {
    dataset d;
    sp_status st = open_dataset(f, path, &d);
    if (st) return st;
    if (d.rank != 1 || !is_text(d.type)) {
        close_dataset(&d);
        return damaged(f, path, "is not a list of variable-length strings");
    }
    hid_t type = text_type(H5Tget_cset(d.type));
    char **texts = sp_alloc(d.count, sizeof *texts);
    if (d.count && H5Dread(d.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
        st = damaged(f, path, "cannot be read");
    for (size_t i = 0; !st && i < d.count; i++) sp_strings_push(out, texts[i] ? texts[i] : "");
    if (d.count) H5Dvlen_reclaim(type, d.space, H5P_DEFAULT, texts);
    free(texts);
    H5Tclose(type);
    close_dataset(&d);
    return st;
}
