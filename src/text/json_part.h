/* Small questions to a part of a tokenizer.json: {"type": "...", ...}. */
#ifndef SP_TEXT_JSON_PART_H
#define SP_TEXT_JSON_PART_H

#include <jansson.h>
#include <stdbool.h>

bool sp_part_is(const json_t *part, const char *type);
/* "(none)" if there is no type. */
const char *sp_part_type(const json_t *part);
/* Missing or null. */
bool sp_part_absent(const json_t *value);
bool sp_part_flag(const json_t *part, const char *name, bool fallback);
/* The text under a name, NULL if there is none. Lives as long as the part. */
const char *sp_part_text(const json_t *part, const char *name);

#endif
