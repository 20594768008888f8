/* A user's own examples as a table: CSV (RFC 4180: fields may be quoted and then hold commas, line
 * ends and doubled quotes) or TSV (fields as they stand, no quoting). The first line names the
 * columns; those of data/fields.h are found by name, others left alone, blank lines skipped. An
 * empty category or group counts as none. */
#ifndef SP_DATA_TABLE_H
#define SP_DATA_TABLE_H

#include "data/fields.h"

/* Append the examples of a text in memory. SP_ERR_FORMAT with "file:line: " for bytes that are not
 * UTF-8, an empty file, a column that is missing or named twice, a record with too many or too few
 * fields, a misplaced or unclosed quote; otherwise as sp_add_row. */
sp_status sp_parse_csv(const char *text, size_t len, const char *file, sp_schema *schema,
                       sp_split *out);
sp_status sp_parse_tsv(const char *text, size_t len, const char *file, sp_schema *schema,
                       sp_split *out);

#endif
