/* What the fields of somebody's file are for, from their names: our own and those that data sets on
 * the Hugging Face hub often have. */
#ifndef SP_DATA_GUESS_H
#define SP_DATA_GUESS_H

#include "data/fields.h"

/* Names the fields of `schema` and settles its kind. `reader` is jsonl, csv or tsv; `task` is
 * generation, classification or tagging, or NULL: what the names tell. The names live in `columns`,
 * which gets all names of the first record or the header. SP_ERR_FORMAT with file and line if there
 * is none, or no task fits; SP_ERR_USAGE for an unknown task. */
sp_status sp_guess_fields(const char *text, size_t len, const char *file, const char *reader,
                          const char *task, sp_schema *schema, sp_strings *columns);

/* "text from 'sentence', label; left alone: id"; owned by the caller. */
char *sp_guess_text(const sp_schema *schema, const sp_strings *columns);

#endif
