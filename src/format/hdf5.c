/* Writing, through libhdf5; hdf5_read.c reads. */
#include "core/file.h"
#include "format/hdf5_file.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

static sp_status failed(const sp_h5 *f, const char *what, const char *name) {
    return sp_fail(SP_ERR_INTERNAL, "%s: HDF5 cannot %s %s", f->path, what, name);
}

/* ---- files ---- */

sp_status sp_h5_create(const char *path, sp_h5 **out) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* cli/ prints, not the library */
    sp_h5 *f = sp_h5_new(path);
    f->store = sp_h5_store_new(path);
    hid_t access = sp_h5_store_access(f->store);
    f->id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    *out = f;
    if (f->id >= 0) return SP_OK;
    sp_status st = failed(f, "create", path);
    sp_h5_close(f);
    *out = NULL;
    return st;
}

sp_status sp_h5_commit(sp_h5 *f) {
    sp_status st = sp_h5_store_status(f->store);
    if (!st && H5Fclose(f->id) < 0) st = failed(f, "finish", "the file");
    if (!st) f->id = -1;
    if (!st) st = sp_h5_store_commit(f->store);
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
    sp_h5_store_free(f->store);
    sp_unmap_file(&f->map);
    free(f->path);
    free(f);
}

/* ---- paths ---- */

static bool is_root(const char *path) {
    return path[strspn(path, "/")] == '\0';
}

static bool is_open_group(hid_t file, const char *path) {
    if (H5Lexists(file, path, H5P_DEFAULT) <= 0) return false;
    hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    bool is_group = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    if (object >= 0) H5Oclose(object);
    return is_group;
}

/* Times are not stored: equal content gives equal bytes. */
static hid_t creation_list(hid_t class) {
    hid_t list = H5Pcreate(class);
    H5Pset_obj_track_times(list, 0);
    return list;
}

static sp_status make_one_group(sp_h5 *f, const char *path) {
    if (is_open_group(f->id, path)) return SP_OK;
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

/* ---- datasets ---- */

/* Arrays of numbers go past libhdf5's memory; texts are read back when they are written. */
static sp_status write_dataset(sp_h5 *f, const char *path, int rank, const size_t *dims, hid_t type,
                               const void *data) {
    if (rank < 0 || rank > SP_H5_MAX_RANK) sp_panic("%s: rank %d", path, rank);
    sp_status st = clear_path(f, path);
    if (st) return st;
    hsize_t extent[SP_H5_MAX_RANK] = {0};
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        extent[i] = dims[i];
        empty |= dims[i] == 0;
    }
    hid_t space = rank ? H5Screate_simple(rank, extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t list = creation_list(H5P_DATASET_CREATE);
    hid_t set = H5Dcreate2(f->id, path, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    sp_h5_store_stream(f->store, H5Tget_class(type) != H5T_STRING);
    if (set < 0 || (!empty && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        st = failed(f, "write", path);
    if (set >= 0) H5Dclose(set);
    sp_h5_store_stream(f->store, false);
    H5Pclose(list), H5Sclose(space);
    return st ? st : sp_h5_store_status(f->store);
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
