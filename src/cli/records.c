#include "cli/records.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sp_read_line(sp_buf *line, long *number) {
    char *text = NULL;
    size_t cap = 0;
    ssize_t n = getline(&text, &cap, stdin);
    if (n > 0 && text[n - 1] == '\n') n--;
    sp_buf_clear(line);
    if (n >= 0) {
        sp_buf_append(line, text, (size_t)n);
        ++*number;
    }
    free(text);
    return n >= 0;
}

sp_status sp_check_line(const sp_buf *line, long number) {
    if (!line->len)
        return sp_fail(SP_ERR_DATA, "standard input:%ld: the line is empty; remove it", number);
    if (memchr(line->data, '\0', line->len))
        return sp_fail(SP_ERR_DATA, "standard input:%ld: has a NUL byte; give lines of text",
                       number);
    return SP_OK;
}

/* The words of a tagged record, joined by spaces; NULL if `list` is no list of words. The caller's.
 */
static char *join_tokens(const json_t *list) {
    sp_buf text = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (!word || !*word || word[strcspn(word, " \t\r\n")]) {
            sp_buf_free(&text);
            return NULL;
        }
        sp_buf_printf(&text, "%s%s", i ? " " : "", word);
    }
    return text.len ? sp_buf_take(&text) : NULL;
}

/* The "input" of a record, the "text" of a classified one, or the "tokens" of a tagged one. */
static sp_status take_record(const sp_buf *line, long number, sp_strings *inputs) {
    json_error_t error;
    json_t *record = json_loadb(line->data, line->len, JSON_REJECT_DUPLICATES, &error);
    if (!record)
        return sp_fail(SP_ERR_FORMAT,
                       "standard input:%ld: is not JSON: %s; write one object a line", number,
                       error.text);
    const char *input = json_string_value(json_object_get(record, "input"));
    if (!input) input = json_string_value(json_object_get(record, "text"));
    sp_status st = SP_OK;
    char *tokens = input ? NULL : join_tokens(json_object_get(record, "tokens"));
    if (tokens)
        sp_strings_take(inputs, tokens);
    else if (input && *input)
        sp_strings_push(inputs, input);
    else
        st = sp_fail(SP_ERR_FORMAT,
                     "standard input:%ld: has no \"input\", no \"text\" and no list of words "
                     "\"tokens\"; give one of them",
                     number);
    json_decref(record);
    return st;
}

sp_status sp_read_records(bool records, size_t most, long *number, sp_strings *inputs) {
    sp_buf line = {0};
    sp_status st = SP_OK;
    while (!st && inputs->len < most && sp_read_line(&line, number)) {
        if ((st = sp_check_line(&line, *number))) break;
        if (records)
            st = take_record(&line, *number, inputs);
        else
            sp_strings_push(inputs, line.data);
    }
    sp_buf_free(&line);
    return st;
}
