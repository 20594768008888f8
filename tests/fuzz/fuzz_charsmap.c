/* Any bytes as a precompiled_charsmap: refused, or texts can be normalized with it. */
#include "text/charsmap.h"

#include <stdint.h>
#include <string.h>

static const char sample[] =
    "It's \xef\xbc\xa1 e\xcc\x81 o\xcc\x88\xcc\x81 \xe1\x84\x80\xe1\x85\xa1"
    "\t\r\n\xff\xfe \xf0\x9f\x98\x80\xe2\x80\x8d\xf0\x9f\x98\x80";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_charsmap *map;
    if (sp_charsmap_new(data, size, &map)) return 0;
    sp_buf out = {0};
    sp_charsmap_apply(map, sample, sizeof sample - 1, &out);
    sp_charsmap_apply(map, (const char *)data, size, &out);
    sp_buf_free(&out);
    sp_charsmap_free(map);
    return 0;
}
