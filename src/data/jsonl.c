/* The reader of .jsonl files, over jansson (which rejects bad UTF-8 and NUL characters). */
#include "data/jsonl.h"

#include "core/file.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* An object's fields; texts live in the object, in `number`, `references` or `words`. */
typedef struct line_fields {
    sp_row row;
    sp_strings references;
    sp_buf words[2]; /* of tokens and tags */
    char number[32];
} line_fields;

static sp_status fail_type(const char *field, sp_place at, const char *wanted) {
    return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is not a text; give %s", at.file, at.line,
                   field, wanted);
}

static sp_status read_label(const json_t *value, const char *name, sp_place at, line_fields *out) {
    const char **label = &out->row.values[SP_FIELD_LABEL];
    if (json_is_string(value))
        *label = json_string_value(value);
    else if (json_is_boolean(value))
        *label = json_is_true(value) ? "true" : "false";
    else if (json_is_integer(value)) {
        snprintf(out->number, sizeof out->number, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        *label = out->number;
    } else
        return fail_type(name, at, "a text, a whole number, true or false");
    return SP_OK;
}

static sp_status read_list(const json_t *list, const char *name, sp_place at, line_fields *out) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item)) return fail_type(name, at, "a list of texts");
        sp_strings_push(&out->references, json_string_value(item));
    }
    out->row.references = &out->references;
    return SP_OK;
}

/* A list of words, none of which may hold what separates them in a row. */
static sp_status read_words(const json_t *list, const char *name, sp_field field, sp_place at,
                            line_fields *out) {
    sp_buf *words = &out->words[field - SP_FIELD_TOKENS];
    if (!json_is_array(list))
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is not a list of words; give [\"...\"]",
                       at.file, at.line, name);
    sp_buf_puts(words, "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (!word) return fail_type(name, at, "a list of texts");
        if (!*word || word[strcspn(word, SP_BLANKS)])
            return sp_fail(SP_ERR_FORMAT, "%s:%zu: item %zu of \"%s\", '%s', %s", at.file, at.line,
                           i + 1, name, word,
                           *word ? "holds white space; make it several" : "is empty; drop it");
        sp_buf_printf(words, "%s%s", i ? " " : "", word);
    }
    out->row.values[field] = words->data;
    return SP_OK;
}

static sp_status read_field(const json_t *value, const sp_schema *schema, sp_field field,
                            sp_place at, line_fields *out) {
    const char *name = schema->names[field];
    if (field == SP_FIELD_LABEL) return read_label(value, name, at, out);
    if (field == SP_FIELD_TOKENS || field == SP_FIELD_TAGS)
        return read_words(value, name, field, at, out);
    if (field == SP_FIELD_REFERENCES && json_is_array(value))
        return read_list(value, name, at, out);
    if (!json_is_string(value)) return fail_type(name, at, "one");
    out->row.values[field] = json_string_value(value);
    return SP_OK;
}

static sp_status read_fields(const json_t *line, sp_schema *schema, sp_place at, line_fields *out) {
    const json_t *values[SP_FIELDS];
    bool present[SP_FIELDS];
    for (int i = 0; i < SP_FIELDS; i++) {
        values[i] = json_object_get(line, schema->names[i]);
        present[i] = values[i] && !json_is_null(values[i]);
    }
    sp_schema_settle(schema, present);
    for (int i = 0; i < SP_FIELDS; i++) {
        if (!present[i] || !sp_schema_uses(schema, (sp_field)i)) continue;
        sp_status st = read_field(values[i], schema, (sp_field)i, at, out);
        if (st) return st;
    }
    return SP_OK;
}

static sp_status add_object(const json_t *line, sp_schema *schema, sp_place at, sp_split *out) {
    if (!json_is_object(line))
        return sp_fail(SP_ERR_FORMAT,
                       "%s:%zu: is not a JSON object; write {\"%s\": ..., \"%s\": ...}", at.file,
                       at.line, schema->names[SP_FIELD_INPUT], schema->names[SP_FIELD_TARGET]);
    line_fields fields = {0};
    sp_status st = read_fields(line, schema, at, &fields);
    if (!st) st = sp_add_row(schema, &fields.row, at, out);
    sp_strings_free(&fields.references);
    sp_buf_free(&fields.words[0]);
    sp_buf_free(&fields.words[1]);
    return st;
}

static bool is_blank(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i])) return false;
    return true;
}

static sp_status read_line(const char *text, size_t len, sp_place at, sp_schema *schema,
                           sp_split *out) {
    if (is_blank(text, len)) return SP_OK;
    json_error_t error;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: is not JSON: %s; write one object a line", at.file,
                       at.line, error.text);
    sp_status st = add_object(line, schema, at, out);
    json_decref(line);
    return st;
}

sp_status sp_parse_jsonl(const char *text, size_t len, const char *file, sp_schema *schema,
                         sp_split *out) {
    sp_place at = {file, 1};
    for (size_t start = sp_text_start(text, len); start < len; at.line++) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t end = newline ? (size_t)(newline - text) : len;
        sp_status st = read_line(text + start, end - start, at, schema, out);
        if (st) return st;
        start = end + 1;
    }
    return SP_OK;
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    return sp_load_files(card, wanted, splits, sp_parse_jsonl);
}

const sp_reader sp_reader_jsonl = {.name = "jsonl", .kind = SP_SET_ANY, .load = load};
