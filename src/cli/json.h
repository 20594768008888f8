/* JSON on standard output. */
#ifndef SP_CLI_JSON_H
#define SP_CLI_JSON_H

#include <jansson.h>

/* Prints `value` and an end of line, and releases it; `flags` are those of json_dumps. Of NULL,
 * which json_pack makes of a text that is not UTF-8, an object that says so. */
void sp_print_json(json_t *value, size_t flags);

#endif
