#include "core/hash.h"

#include "core/file.h"

#include <sha256.h>

sp_digest sp_sha256(const void *data, size_t len) {
    sp_digest out;
    SHA256Data(data, len, out.hex);
    return out;
}

sp_status sp_sha256_file(const char *path, sp_digest *out) {
    sp_map map;
    sp_status st = sp_map_file(path, &map);
    if (st) return st;
    *out = sp_sha256(map.data ? (const void *)map.data : "", map.len);
    sp_unmap_file(&map);
    return SP_OK;
}
