/* Taking single files out of zip archives (a Python wheel is one), through libarchive. */
#ifndef SP_FORMAT_ZIP_H
#define SP_FORMAT_ZIP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sp_zip_member {
    const char *name; /* in the archive */
    const char *path; /* of the new file; no name of the archive is ever used as a path */
    uint64_t bytes;   /* that it must have */
} sp_zip_member;

/* Unpacks the members into new files and nothing else. No more than a member's `bytes` are written,
 * whatever the archive holds. SP_ERR_MISSING: no archive. SP_ERR_FORMAT: damaged or no zip archive;
 * a member is missing, there twice, no plain file, encrypted or of another size. SP_ERR_IO with the
 * reason (full disk). SP_ERR_INTERRUPTED. After a failure some of the files may be there. */
sp_status sp_zip_extract(const char *archive, const sp_zip_member *members, size_t count);

#endif
