/* Any bytes as YAML: refused cleanly, or emitting and reading again gives the same text. */
#include "format/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_yaml *root, *again;
    if (sp_yaml_parse((const char *)data, size, "fuzz", &root)) return 0;
    sp_buf first = {0}, second = {0};
    sp_yaml_emit(root, &first);
    if (sp_yaml_parse(first.data, first.len, "emitted", &again)) abort();
    sp_yaml_emit(again, &second);
    if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0) abort();
    sp_yaml_free(root), sp_yaml_free(again);
    sp_buf_free(&first), sp_buf_free(&second);
    return 0;
}
