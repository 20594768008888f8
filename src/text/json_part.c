#include "text/json_part.h"

#include <string.h>

bool sp_part_is(const json_t *part, const char *type) {
    const char *text = sp_part_text(part, "type");
    return text && strcmp(text, type) == 0;
}

const char *sp_part_type(const json_t *part) {
    const char *text = sp_part_text(part, "type");
    return text ? text : "(none)";
}

bool sp_part_absent(const json_t *value) {
    return !value || json_is_null(value);
}

bool sp_part_flag(const json_t *part, const char *name, bool fallback) {
    const json_t *value = json_object_get(part, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

const char *sp_part_text(const json_t *part, const char *name) {
    return json_string_value(json_object_get(part, name));
}
