/* Where libhdf5 writes a new file: a driver of its own kind for it (H5FD). What the library reads
 * back while it works, its headers, trees and heaps, stays in memory; arrays of numbers, which it
 * never reads, go from where they lie to the disk at once. So a file of gigabytes takes no memory,
 * and a disk that is full, which libhdf5 1.10 does not survive under an open file, is never seen by
 * it: the store remembers the failure, and every call of the library succeeds. */
#ifndef SP_FORMAT_HDF5_STORE_H
#define SP_FORMAT_HDF5_STORE_H

#include "core/status.h"

#include <hdf5.h>
#include <stdbool.h>

typedef struct sp_h5_store sp_h5_store;

/* Nothing touches the disk before the first large array, or before sp_h5_store_commit. */
sp_h5_store *sp_h5_store_new(const char *path);
/* The access list with which H5Fcreate makes a file in this store; H5Pclose. Negative: libhdf5
 * has failed. The store must outlive the file. */
hid_t sp_h5_store_access(sp_h5_store *store);
/* Whether what is written as data from now on is an array of numbers: it is not read back. */
void sp_h5_store_stream(sp_h5_store *store, bool numbers);
/* What the writing to disk has come to so far: SP_ERR_IO with the reason. */
sp_status sp_h5_store_status(const sp_h5_store *store);
/* After H5Fclose: the file gets its name (core/file.h, sp_new_file_commit). SP_ERR_IO, with an
 * older file of that name untouched. */
sp_status sp_h5_store_commit(sp_h5_store *store);
/* After H5Fclose; what was not committed is dropped. NULL is fine. */
void sp_h5_store_free(sp_h5_store *store);

#endif
