#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>

void sp_print_json(json_t *value, size_t flags) {
    char *text = json_dumps(value, flags);
    puts(text ? text : "{\"error\": \"not UTF-8\"}");
    free(text);
    json_decref(value);
}
