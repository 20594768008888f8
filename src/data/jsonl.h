/* A user's own examples: one JSON object a line, {"input", "target" or "references", "category",
 * "group"}; other fields are left alone, blank lines skipped. */
#ifndef SP_DATA_JSONL_H
#define SP_DATA_JSONL_H

#include "data/dataset.h"

/* What the fields are called in the file. */
typedef struct sp_jsonl_fields {
    const char *input, *target, *references, *category, *group;
} sp_jsonl_fields;

extern const sp_jsonl_fields sp_jsonl_default_fields;

/* Appends the examples of a text in memory. SP_ERR_FORMAT with "file:line: " for broken JSON, a
 * missing or empty field, a wrong type, or a group other than seen and unseen. */
sp_status sp_parse_jsonl(const char *text, size_t len, const char *file,
                         const sp_jsonl_fields *fields, sp_split *out);

#endif
