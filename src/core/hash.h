/* SHA-256 (libmd) as lower-case hex, the only hash the suite uses. */
#ifndef SP_CORE_HASH_H
#define SP_CORE_HASH_H

#include "core/status.h"

#include <stddef.h>

typedef struct sp_digest {
    char hex[65];
} sp_digest;

sp_digest sp_sha256(const void *data, size_t len);
/* Reads the file in pieces. SP_ERR_MISSING, SP_ERR_IO. */
sp_status sp_sha256_file(const char *path, sp_digest *out);

#endif
