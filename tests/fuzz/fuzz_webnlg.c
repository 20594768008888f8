/* Any bytes read as WebNLG XML give whole examples or an error with a place. */
#include "core/memory.h"
#include "data/webnlg.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_split split = {0};
    sp_status st = sp_parse_webnlg((const char *)data, size, "fuzz.xml", &split);
    if (st && strncmp(sp_error(), "fuzz.xml:", 9) != 0) sp_panic("no place in: %s", sp_error());
    for (size_t i = 0; i < split.count; i++)
        if (!split.items[i].input || split.items[i].references.len == 0)
            sp_panic("example %zu is not whole", i);
    sp_split_free(&split);
    return 0;
}
