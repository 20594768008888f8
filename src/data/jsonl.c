/* The reader of .jsonl files, over jansson (which rejects bad UTF-8 and NUL characters). */
#include "data/jsonl.h"

#include "core/file.h"
#include "data/reader.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const sp_jsonl_fields sp_jsonl_default_fields = {.input = "input",
                                                 .target = "target",
                                                 .references = "references",
                                                 .category = "category",
                                                 .group = "group"};

/* Where a line stands. */
typedef struct place {
    const char *file;
    size_t line;
} place;

static sp_status need_text(const json_t *value, const char *field, place at, const char **out) {
    if (!json_is_string(value))
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is %s; give a text", at.file, at.line,
                       field, value ? "not a text" : "missing");
    *out = json_string_value(value);
    if (!**out)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is empty; give a text or drop the line",
                       at.file, at.line, field);
    return SP_OK;
}

static sp_status optional_text(const json_t *line, const char *field, place at, char **out) {
    const json_t *value = json_object_get(line, field);
    if (value && !json_is_string(value) && !json_is_null(value))
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is not a text", at.file, at.line,
                       field);
    *out = sp_strdup(json_is_string(value) ? json_string_value(value) : "");
    return SP_OK;
}

static sp_status read_references(const json_t *line, const sp_jsonl_fields *fields, place at,
                                 sp_strings *out) {
    const json_t *list = json_object_get(line, fields->references);
    const json_t *target = json_object_get(line, fields->target);
    if (list && target)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: has both \"%s\" and \"%s\"; keep one", at.file,
                       at.line, fields->target, fields->references);
    const char *text;
    sp_status st;
    if (!json_is_array(list)) {
        const char *field = list ? fields->references : fields->target;
        if ((st = need_text(list ? list : target, field, at, &text))) return st;
        sp_strings_push(out, text);
        return SP_OK;
    }
    if (json_array_size(list) == 0)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: \"%s\" is an empty list; give at least one text",
                       at.file, at.line, fields->references);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if ((st = need_text(json_array_get(list, i), fields->references, at, &text))) return st;
        sp_strings_push(out, text);
    }
    return SP_OK;
}

static sp_status check_group(const char *group, place at) {
    if (!*group || strcmp(group, "seen") == 0 || strcmp(group, "unseen") == 0) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s:%zu: group is '%s'; use seen or unseen, or leave it out",
                   at.file, at.line, group);
}

static sp_status read_example(const json_t *line, const sp_jsonl_fields *fields, place at,
                              sp_example *out) {
    if (!json_is_object(line))
        return sp_fail(SP_ERR_FORMAT,
                       "%s:%zu: is not a JSON object; write {\"%s\": ..., \"%s\": ...}", at.file,
                       at.line, fields->input, fields->target);
    const char *input;
    sp_status st = need_text(json_object_get(line, fields->input), fields->input, at, &input);
    if (st) return st;
    out->input = sp_strdup(input);
    if ((st = read_references(line, fields, at, &out->references))) return st;
    if ((st = optional_text(line, fields->category, at, &out->category))) return st;
    if ((st = optional_text(line, fields->group, at, &out->group))) return st;
    return check_group(out->group, at);
}

static bool is_blank(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i])) return false;
    return true;
}

static sp_status read_line(const char *text, size_t len, place at, const sp_jsonl_fields *fields,
                           sp_split *out) {
    if (is_blank(text, len)) return SP_OK;
    json_error_t error;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: is not JSON: %s; write one object a line", at.file,
                       at.line, error.text);
    sp_status st = read_example(line, fields, at, sp_split_add(out));
    json_decref(line);
    return st;
}

sp_status sp_parse_jsonl(const char *text, size_t len, const char *file,
                         const sp_jsonl_fields *fields, sp_split *out) {
    place at = {file, 1};
    for (size_t start = 0; start < len; at.line++) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t end = newline ? (size_t)(newline - text) : len;
        sp_status st = read_line(text + start, end - start, at, fields, out);
        if (st) return st;
        start = end + 1;
    }
    return SP_OK;
}

static sp_status read_fields(const sp_card *card, sp_jsonl_fields *out) {
    *out = sp_jsonl_default_fields;
    const sp_yaml *map;
    sp_status st = sp_yaml_map_or_null(card->root, "fields", &map);
    if (st || !map) return st;
    static const char *const keys[] = {"input", "target", "references", "category", "group", NULL};
    if ((st = sp_yaml_check_keys(map, keys))) return st;
    const char **names[] = {&out->input, &out->target, &out->references, &out->category,
                            &out->group};
    for (int i = 0; keys[i]; i++)
        if ((st = sp_yaml_text_or(map, keys[i], *names[i], names[i]))) return st;
    return SP_OK;
}

/* Compares with the card's sha256.SPLIT, if it states one. */
static sp_status check_digest(const sp_card *card, const char *split, const char *path,
                              const sp_buf *content) {
    const sp_yaml *map;
    sp_status st = sp_yaml_map_or_null(card->root, "sha256", &map);
    if (st || !map) return st;
    const char *stated;
    if ((st = sp_yaml_text_or(map, split, "", &stated)) || !*stated) return st;
    sp_digest found = sp_sha256(content->data, content->len);
    if (strcmp(found.hex, stated) == 0) return SP_OK;
    return sp_fail(SP_ERR_DATA, "%s: its sha256 is %s, but %s states another; get the file again",
                   path, found.hex, card->path);
}

static char *resolve_path(const sp_card *card, const char *path) {
    if (path[0] == '/') return sp_strdup(path);
    char *folder = sp_path_folder(card->path);
    char *joined = sp_path_join(folder, path);
    free(folder);
    return joined;
}

static sp_status load_split(const sp_card *card, sp_split_name split, const sp_jsonl_fields *fields,
                            sp_split *out) {
    const char *name;
    sp_status st = sp_yaml_text(sp_yaml_get(card->root, "splits"), sp_split_text(split), &name);
    if (st) return st;
    char *path = resolve_path(card, name);
    sp_buf content = {0};
    st = sp_read_file(path, &content);
    if (!st) st = check_digest(card, sp_split_text(split), path, &content);
    if (!st) st = sp_parse_jsonl(content.data, content.len, path, fields, out);
    sp_buf_free(&content);
    free(path);
    return st;
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    sp_jsonl_fields fields;
    sp_status st = read_fields(card, &fields);
    for (int i = 0; i < SP_SPLITS && !st; i++)
        if (wanted[i] && sp_card_split(card, (sp_split_name)i))
            st = load_split(card, (sp_split_name)i, &fields, &splits[i]);
    return st;
}

const sp_reader sp_reader_jsonl = {.name = "jsonl", .load = load};
