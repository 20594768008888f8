/* HDF5 files with the few shapes the suite uses: attributes, float/double/int arrays of rank 0 to
 * 3, and rank-1 lists of UTF-8 strings. Everything opens in h5py and h5dump.
 *
 * Paths are "/train/loss"; missing groups are made. Writing replaces what stood there before. */
#ifndef SP_FORMAT_HDF5_H
#define SP_FORMAT_HDF5_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sp_h5 sp_h5;

/* A new file: large arrays of numbers go to a temporary name beside `path` at once, the rest with
 * sp_h5_commit, which renames, so readers see the old file or the whole new one. No memory is taken
 * for the arrays. Every writing function is SP_ERR_IO from the first failure of the disk on. */
sp_status sp_h5_create(const char *path, sp_h5 **out);
/* Read-only. SP_ERR_MISSING; SP_ERR_FORMAT for a truncated or foreign file. */
sp_status sp_h5_open(const char *path, sp_h5 **out);
/* Writes a created file to its path and closes it; frees `file` in any case. SP_ERR_IO for an
 * unwritable folder or a full disk, with an older file of that name untouched. */
sp_status sp_h5_commit(sp_h5 *file);
/* Ends the filling of a created file: commits it if `st`, the outcome so far, is SP_OK, else drops
 * it and returns `st`. Frees `file` in any case. */
sp_status sp_h5_finish(sp_h5 *file, sp_status st);
/* Closes and frees; what was not committed is dropped. NULL is fine. */
void sp_h5_close(sp_h5 *file);
const char *sp_h5_path(const sp_h5 *file);

/* Attributes of a group ("/" is the root; missing groups are made). */
sp_status sp_h5_set_text(sp_h5 *file, const char *group, const char *name, const char *value);
sp_status sp_h5_set_int(sp_h5 *file, const char *group, const char *name, int64_t value);
sp_status sp_h5_set_real(sp_h5 *file, const char *group, const char *name, double value);
/* SP_ERR_FORMAT if absent or of another type. Numbers convert. *out is owned by the caller. */
sp_status sp_h5_get_text(sp_h5 *file, const char *group, const char *name, char **out);
sp_status sp_h5_get_int(sp_h5 *file, const char *group, const char *name, int64_t *out);
sp_status sp_h5_get_real(sp_h5 *file, const char *group, const char *name, double *out);
bool sp_h5_has_attribute(sp_h5 *file, const char *group, const char *name);

/* Datasets, row-major; rank 0 (dims may be NULL) is a scalar, rank at most 3. */
sp_status sp_h5_write_floats(sp_h5 *file, const char *path, int rank, const size_t *dims,
                             const float *data);
sp_status sp_h5_write_reals(sp_h5 *file, const char *path, int rank, const size_t *dims,
                            const double *data);
sp_status sp_h5_write_ints(sp_h5 *file, const char *path, int rank, const size_t *dims,
                           const int64_t *data);
/* Variable-length UTF-8 strings, rank 1. */
sp_status sp_h5_write_texts(sp_h5 *file, const char *path, const char *const *texts, size_t count);

/* The shape of a dataset. SP_ERR_FORMAT if there is none, or its rank is over 3. */
sp_status sp_h5_shape(sp_h5 *file, const char *path, int *rank, size_t dims[3]);
/* A dataset of `count` numbers into `data`. SP_ERR_FORMAT if it is absent, not numbers, or has
 * another count. */
sp_status sp_h5_load_floats(sp_h5 *file, const char *path, float *data, size_t count);
/* Whole datasets into fresh memory (free()); *count elements; number types convert.
 * SP_ERR_FORMAT if absent or not numbers. */
sp_status sp_h5_read_floats(sp_h5 *file, const char *path, float **out, size_t *count);
sp_status sp_h5_read_reals(sp_h5 *file, const char *path, double **out, size_t *count);
sp_status sp_h5_read_ints(sp_h5 *file, const char *path, int64_t **out, size_t *count);
/* Appends to `out`. */
sp_status sp_h5_read_texts(sp_h5 *file, const char *path, sp_strings *out);

/* Whether a group or dataset of this path exists. */
bool sp_h5_exists(sp_h5 *file, const char *path);
bool sp_h5_is_group(sp_h5 *file, const char *path);
/* Appends the names of a group's members, sorted. SP_ERR_FORMAT if it is no group. */
sp_status sp_h5_members(sp_h5 *file, const char *group, sp_strings *out);

/* Whether all groups and data sets of a file lie inside it and are of the kinds above.
 * SP_ERR_FORMAT if not; a number that changed inside an array is not seen. */
sp_status sp_h5_check(sp_h5 *file);

/* An external link at `path` to the root of another file (path relative to this one's folder). */
sp_status sp_h5_link_file(sp_h5 *file, const char *path, const char *target);

#endif
