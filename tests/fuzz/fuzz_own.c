/* Any bytes as somebody's own file give examples with a line each, which are written as JSON lines
 * that our reader takes, or an error with the file's name. */
#include "data/jsonl.h"
#include "data/own.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was written is read as the same number of examples. */
static void check_again(const sp_own_data *own) {
    sp_buf text = {0};
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    sp_schema schema = sp_schema_default(&labels);
    sp_own_data_jsonl(own, SP_TRAIN, &text);
    if (sp_parse_jsonl(text.data, text.len, "again", &schema, &split)) sp_panic("%s", sp_error());
    if (split.count != own->splits[SP_TRAIN].count) sp_panic("examples are lost");
    sp_split_free(&split);
    sp_label_set_free(&labels);
    sp_buf_free(&text);
}

static void check(const char *file, const uint8_t *data, size_t size) {
    sp_own_data own = {.labels.open = true};
    sp_status st = sp_own_data_add(&own, SP_TRAIN, (const char *)data, size, file, NULL);
    if (st == SP_ERR_INTERNAL) sp_panic("%s", sp_error());
    if (st && strncmp(sp_error(), file, strlen(file)) != 0) sp_panic("no place: %s", sp_error());
    if (!st) check_again(&own);
    sp_own_data_free(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check("fuzz.jsonl", data, size);
    check("fuzz.csv", data, size);
    check("fuzz.tsv", data, size);
    return 0;
}
