/* A user's own examples: one JSON object a line with the fields of data/fields.h; other fields are
 * left alone, blank lines skipped. A label may be a text, a whole number, true or false; tokens
 * and tags are lists of texts. */
#ifndef SP_DATA_JSONL_H
#define SP_DATA_JSONL_H

#include "data/fields.h"

/* Appends the examples of a text in memory. SP_ERR_FORMAT with "file:line: " for broken JSON and
 * wrong types; otherwise as sp_add_row. */
sp_status sp_parse_jsonl(const char *text, size_t len, const char *file, sp_schema *schema,
                         sp_split *out);

#endif
