/* Any bytes read as TSV give whole examples or an error with a place. */
#include "core/memory.h"
#include "data/table.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    sp_schema schema = sp_schema_default(&labels);
    sp_status st = sp_parse_tsv((const char *)data, size, "fuzz.tsv", &schema, &split);
    if (st && strncmp(sp_error(), "fuzz.tsv:", 9) != 0) sp_panic("no place in: %s", sp_error());
    for (size_t i = 0; !st && i < split.count; i++)
        if (!*split.items[i].input || split.items[i].references.len != 1 ||
            split.items[i].label >= (int)labels.count)
            sp_panic("example %zu is not whole", i);
    sp_split_free(&split);
    sp_label_set_free(&labels);
    return 0;
}
