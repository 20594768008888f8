/* Reading HDF5 files as they lie in memory, without libhdf5: its 1.10 reads out of bounds when a
 * file lies, and nothing above it can prevent that. Of the format (HDF5 File Format Specification
 * 2.0, the section each part's comment names) this knows what sp_h5_create's files consist of:
 * superblock 0, object headers 1, groups as symbol tables, arrays in one piece of integers, floats
 * and variable-length strings. Everything else is refused, so are links to other files, filters and
 * virtual arrays. Every address and size is checked against the image first, and a text is never
 * longer than it, so that time and memory stay in proportion to the file. */
#ifndef SP_FORMAT_HDF5_IMAGE_H
#define SP_FORMAT_HDF5_IMAGE_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SP_H5_MAX_RANK = 3 };

typedef struct sp_h5_image {
    const unsigned char *data; /* borrowed */
    uint64_t len;              /* bytes, up to the end that the superblock names */
    uint64_t root;             /* address of the root group's object header */
} sp_h5_image;

typedef enum sp_h5_kind { SP_H5_INTEGER, SP_H5_FLOAT, SP_H5_TEXT } sp_h5_kind;

/* A data set or attribute: `count` elements of `size` bytes, all inside the image. */
typedef struct sp_h5_value {
    sp_h5_kind kind;
    bool is_signed, big_endian;
    size_t size;
    int rank;
    size_t dims[SP_H5_MAX_RANK], count;
    const unsigned char *data;
} sp_h5_value;

/* What went wrong, or did not. ABSENT: there is nothing of that name. */
typedef enum sp_h5_found { SP_H5_FOUND, SP_H5_ABSENT, SP_H5_DAMAGED } sp_h5_found;

/* Fills `image` from the first bytes of a file: DAMAGED for a file that is cut or not of this kind,
 * ABSENT for none of HDF5 at all. */
sp_h5_found sp_h5_image_start(const unsigned char *data, size_t len, sp_h5_image *image);
/* The object header's address for a path of names between slashes; "/" is the root. */
sp_h5_found sp_h5_image_find(const sp_h5_image *image, const char *path, uint64_t *header);
bool sp_h5_image_is_group(const sp_h5_image *image, uint64_t header);
/* Appends the names in a group, in the file's order, which is sorted. */
sp_h5_found sp_h5_image_members(const sp_h5_image *image, uint64_t header, sp_strings *out);
sp_h5_found sp_h5_image_attribute(const sp_h5_image *image, uint64_t header, const char *name,
                                  sp_h5_value *out);
sp_h5_found sp_h5_image_dataset(const sp_h5_image *image, uint64_t header, sp_h5_value *out);

/* Element i of a value of numbers. Reals become the nearest integer towards zero in range. */
double sp_h5_value_real(const sp_h5_value *value, size_t i);
int64_t sp_h5_value_int(const sp_h5_value *value, size_t i);
/* Element i of a value of texts: a place in the image, not NUL-terminated. False: damaged. */
bool sp_h5_value_text(const sp_h5_image *image, const sp_h5_value *value, size_t i,
                      const char **text, size_t *len);

#endif
