/* Any bytes read as CSV, and as TSV, give whole examples or an error with a place. */
#include "core/memory.h"
#include "data/table.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(sp_parse_file parse, const uint8_t *data, size_t size) {
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    sp_schema schema = sp_schema_default(&labels);
    sp_status st = parse((const char *)data, size, "fuzz", &schema, &split);
    if (st && strncmp(sp_error(), "fuzz:", 5) != 0) sp_panic("no place in: %s", sp_error());
    for (size_t i = 0; !st && i < split.count; i++)
        if (!*split.items[i].input || split.items[i].references.len != 1 ||
            split.items[i].label >= (int)labels.count)
            sp_panic("example %zu is not whole", i);
    sp_split_free(&split);
    sp_label_set_free(&labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check(sp_parse_csv, data, size);
    check(sp_parse_tsv, data, size);
    return 0;
}
