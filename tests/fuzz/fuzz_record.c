/* Any bytes taken for a corpus document are a record whose parts lie inside of it, or none. */
#include "core/status.h"
#include "training/record.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *document = (const char *)data;
    sp_told_record record;
    if (sp_record_parse(document, size, &record)) {
        if (record.text != document + record.head_len + 1 || !record.text_len ||
            record.head_len + 1 + record.text_len > size || !record.values.len)
            sp_panic("a record of %zu + %zu bytes in %zu", record.head_len, record.text_len, size);
        for (size_t i = 0; i < record.values.len; i++)
            sp_text_mentions(record.text, record.text_len, record.values.data[i]);
    }
    sp_record_free(&record);
    return 0;
}
