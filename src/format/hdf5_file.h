/* What the writing (hdf5.c) and the reading half (hdf5_read.c) of format/hdf5.h share. */
#ifndef SP_FORMAT_HDF5_FILE_H
#define SP_FORMAT_HDF5_FILE_H

#include "core/file.h"
#include "format/hdf5.h"
#include "format/hdf5_image.h"
#include "format/hdf5_store.h"

/* Made or opened, never both. */
struct sp_h5 {
    char *path;
    hid_t id;           /* libhdf5's, of a file in the making; -1 */
    sp_h5_store *store; /* its bytes; NULL */
    sp_map map;         /* of an opened file; empty */
    sp_h5_image image;  /* of the map */
};

/* With neither file nor map. */
sp_h5 *sp_h5_new(const char *path);

#endif
