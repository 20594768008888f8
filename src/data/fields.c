/* Checks of a record's fields, and the making of its example. */
#include "data/fields.h"

#include "core/file.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char *const field_names[SP_FIELDS + 1] = {
    [SP_FIELD_INPUT] = "input",
    [SP_FIELD_TARGET] = "target",
    [SP_FIELD_REFERENCES] = "references",
    [SP_FIELD_TEXT] = "text",
    [SP_FIELD_TEXT_A] = "text_a",
    [SP_FIELD_TEXT_B] = "text_b",
    [SP_FIELD_LABEL] = "label",
    [SP_FIELD_TOKENS] = "tokens",
    [SP_FIELD_TAGS] = "tags",
    [SP_FIELD_CATEGORY] = "category",
    [SP_FIELD_GROUP] = "group",
};

sp_schema sp_schema_default(sp_label_set *labels) {
    sp_schema made = {.kind = SP_SET_ANY, .separator = "\n", .pair = "\n", .labels = labels};
    memcpy(made.names, field_names, sizeof made.names);
    return made;
}

sp_status sp_schema_read(const sp_card *card, sp_schema *out) {
    *out = sp_schema_default(card->labels);
    out->kind = card->kind;
    if (out->kind == SP_SET_ANY && !card->labels->open) /* train has told */
        out->kind = card->labels->tags    ? SP_SET_TAGGING
                    : card->labels->count ? SP_SET_CLASSIFICATION
                                          : SP_SET_GENERATION;
    out->separator = card->separator, out->pair = card->pair;
    const sp_yaml *map;
    sp_status st = sp_yaml_map_or_null(card->root, "fields", &map);
    if (st || !map) return st;
    if ((st = sp_yaml_check_keys(map, field_names))) return st;
    for (int i = 0; i < SP_FIELDS; i++)
        if ((st = sp_yaml_text_or(map, field_names[i], field_names[i], &out->names[i]))) return st;
    return SP_OK;
}

void sp_schema_settle(sp_schema *schema, const bool present[SP_FIELDS]) {
    if (schema->kind != SP_SET_ANY) return;
    bool text = present[SP_FIELD_TARGET] || present[SP_FIELD_REFERENCES];
    bool words = present[SP_FIELD_TOKENS] && present[SP_FIELD_TAGS];
    schema->kind = text                      ? SP_SET_GENERATION
                   : present[SP_FIELD_LABEL] ? SP_SET_CLASSIFICATION
                   : words                   ? SP_SET_TAGGING
                                             : SP_SET_GENERATION;
    schema->labels->tags = schema->kind == SP_SET_TAGGING;
}

bool sp_schema_uses(const sp_schema *schema, sp_field field) {
    if (field >= SP_FIELD_CATEGORY) return true;
    if (field >= SP_FIELD_TOKENS) return schema->kind == SP_SET_TAGGING;
    return schema->kind == (field >= SP_FIELD_TEXT ? SP_SET_CLASSIFICATION : SP_SET_GENERATION);
}

static char *missing(const sp_schema *schema, sp_field field, const char *what) {
    return sp_format("%s \"%s\" is missing", what, schema->names[field]);
}

static char *both(const sp_schema *schema, sp_field a, sp_field b) {
    return sp_format("has both \"%s\" and \"%s\"; keep one", schema->names[a], schema->names[b]);
}

static char *lack_of_generation(const sp_schema *schema, const bool present[SP_FIELDS],
                                const char *what) {
    const char *const *names = schema->names;
    bool text = present[SP_FIELD_TARGET] || present[SP_FIELD_REFERENCES];
    if (!present[SP_FIELD_INPUT] && !text)
        return sp_format("%s \"%s\" is missing: a record has \"%s\" and \"%s\", or \"%s\" and "
                         "\"%s\", or \"%s\" and \"%s\"",
                         what, names[SP_FIELD_INPUT], names[SP_FIELD_INPUT], names[SP_FIELD_TARGET],
                         names[SP_FIELD_TEXT], names[SP_FIELD_LABEL], names[SP_FIELD_TOKENS],
                         names[SP_FIELD_TAGS]);
    if (!present[SP_FIELD_INPUT]) return missing(schema, SP_FIELD_INPUT, what);
    if (present[SP_FIELD_TARGET] && present[SP_FIELD_REFERENCES])
        return both(schema, SP_FIELD_TARGET, SP_FIELD_REFERENCES);
    return text ? NULL : missing(schema, SP_FIELD_TARGET, what);
}

static char *lack_of_classification(const sp_schema *schema, const bool present[SP_FIELDS],
                                    const char *what) {
    if (!present[SP_FIELD_LABEL]) return missing(schema, SP_FIELD_LABEL, what);
    bool text = present[SP_FIELD_TEXT];
    if (text && present[SP_FIELD_TEXT_A]) return both(schema, SP_FIELD_TEXT, SP_FIELD_TEXT_A);
    if (text && present[SP_FIELD_TEXT_B]) return both(schema, SP_FIELD_TEXT, SP_FIELD_TEXT_B);
    if (text || (present[SP_FIELD_TEXT_A] && present[SP_FIELD_TEXT_B])) return NULL;
    if (present[SP_FIELD_TEXT_A]) return missing(schema, SP_FIELD_TEXT_B, what);
    if (present[SP_FIELD_TEXT_B]) return missing(schema, SP_FIELD_TEXT_A, what);
    return missing(schema, SP_FIELD_TEXT, what);
}

static char *lack_of_tagging(const sp_schema *schema, const bool present[SP_FIELDS],
                             const char *what) {
    if (!present[SP_FIELD_TOKENS]) return missing(schema, SP_FIELD_TOKENS, what);
    return present[SP_FIELD_TAGS] ? NULL : missing(schema, SP_FIELD_TAGS, what);
}

char *sp_schema_lack(const sp_schema *schema, const bool present[SP_FIELDS], const char *what) {
    if (schema->kind == SP_SET_CLASSIFICATION) return lack_of_classification(schema, present, what);
    if (schema->kind == SP_SET_TAGGING) return lack_of_tagging(schema, present, what);
    return lack_of_generation(schema, present, what);
}

static sp_status check_fields(const sp_schema *schema, const sp_row *row, sp_place at) {
    bool present[SP_FIELDS];
    for (int i = 0; i < SP_FIELDS; i++) present[i] = row->values[i] != NULL;
    present[SP_FIELD_REFERENCES] |= row->references != NULL;
    char *lack = sp_schema_lack(schema, present, "field");
    if (!lack) return SP_OK;
    sp_status st = sp_fail(SP_ERR_FORMAT, "%s:%zu: %s", at.file, at.line, lack);
    free(lack);
    return st;
}

static sp_status check_text(const sp_schema *schema, sp_field field, const char *text,
                            sp_place at) {
    if (text[strspn(text, SP_BLANKS)]) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s:%zu: field \"%s\" is empty; give a text or drop the record",
                   at.file, at.line, schema->names[field]);
}

static sp_status check_texts(const sp_schema *schema, const sp_row *row, sp_place at) {
    sp_status st;
    for (int i = 0; i < SP_FIELD_CATEGORY; i++)
        if (sp_schema_uses(schema, (sp_field)i) && row->values[i] &&
            (st = check_text(schema, (sp_field)i, row->values[i], at)))
            return st;
    if (schema->kind != SP_SET_GENERATION || !row->references) return SP_OK;
    if (row->references->len == 0)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: \"%s\" is an empty list; give at least one text",
                       at.file, at.line, schema->names[SP_FIELD_REFERENCES]);
    for (size_t i = 0; i < row->references->len; i++)
        if ((st = check_text(schema, SP_FIELD_REFERENCES, row->references->data[i], at))) return st;
    return SP_OK;
}

static sp_status check_group(const char *group, sp_place at) {
    if (!group || !*group || strcmp(group, "seen") == 0 || strcmp(group, "unseen") == 0)
        return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s:%zu: group is '%s'; use seen or unseen, or leave it out",
                   at.file, at.line, group);
}

static sp_status find_label(const sp_schema *schema, const char *name, sp_place at, int *out) {
    *out = sp_label_set_find(schema->labels, name, schema->separator);
    if (*out >= 0) return SP_OK;
    if (schema->labels->open)
        return sp_fail(SP_ERR_DATA,
                       "%s:%zu: '%s' is label %d of train, one too many; is \"%s\" the class?",
                       at.file, at.line, name, SP_MAX_LABELS + 1, schema->names[SP_FIELD_LABEL]);
    char *list = sp_label_set_list(schema->labels);
    sp_status st = sp_fail(SP_ERR_DATA, "%s:%zu: no label '%s'; the labels are %s", at.file,
                           at.line, name, list);
    free(list);
    return st;
}

static void fill_generation(const sp_row *row, sp_example *out) {
    const char *target = row->values[SP_FIELD_TARGET];
    if (!target) target = row->values[SP_FIELD_REFERENCES];
    out->input = sp_strdup(row->values[SP_FIELD_INPUT]);
    if (target) sp_strings_push(&out->references, target);
    for (size_t i = 0; !target && i < row->references->len; i++)
        sp_strings_push(&out->references, row->references->data[i]);
}

static sp_status add_classified(const sp_schema *schema, const sp_row *row, sp_place at,
                                sp_split *split) {
    int label;
    sp_status st = find_label(schema, row->values[SP_FIELD_LABEL], at, &label);
    if (st) return st;
    const char *text = row->values[SP_FIELD_TEXT];
    sp_example *out = sp_split_add(split);
    out->input = text ? sp_strdup(text)
                      : sp_format("%s%s%s", row->values[SP_FIELD_TEXT_A], schema->pair,
                                  row->values[SP_FIELD_TEXT_B]);
    out->label = label;
    sp_strings_push(&out->references, schema->labels->items[label].words.data[0]);
    return SP_OK;
}

/* ---- words and their tags ---- */

static void split_words(const char *text, sp_strings *out) {
    for (text += strspn(text, SP_BLANKS); *text; text += strspn(text, SP_BLANKS)) {
        size_t len = strcspn(text, SP_BLANKS);
        sp_strings_take(out, sp_strndup(text, len));
        text += len;
    }
}

static char *join_words(const sp_strings *words) {
    sp_buf text = {0};
    for (size_t i = 0; i < words->len; i++)
        sp_buf_printf(&text, "%s%s", i ? " " : "", words->data[i]);
    return sp_buf_take(&text);
}

static sp_status find_tag(const sp_schema *schema, const char *name, size_t number, sp_place at,
                          int *out) {
    *out = -1;
    if (sp_is_tag(name)) *out = sp_label_set_find(schema->labels, name, schema->separator);
    if (*out >= 0) return SP_OK;
    if (!sp_is_tag(name))
        return sp_fail(SP_ERR_DATA,
                       "%s:%zu: tag %zu, '%s', is not one of IOB2; write O, B-TYPE or I-TYPE",
                       at.file, at.line, number, name);
    if (schema->labels->open)
        return sp_fail(SP_ERR_DATA, "%s:%zu: '%s' is tag %d of train, one too many; use fewer",
                       at.file, at.line, name, SP_MAX_LABELS + 1);
    char *list = sp_label_set_list(schema->labels);
    sp_status st = sp_fail(SP_ERR_DATA, "%s:%zu: tag %zu is '%s'; the tags are %s", at.file,
                           at.line, number, name, list);
    free(list);
    return st;
}

/* The tags of a record as indices; SP_ERR_FORMAT if there are not as many as words. */
static sp_status find_tags(const sp_schema *schema, const sp_strings *words,
                           const sp_strings *names, sp_place at, sp_ints *out) {
    if (words->len != names->len)
        return sp_fail(SP_ERR_FORMAT,
                       "%s:%zu: \"%s\" has %zu words, but \"%s\" %zu; give every "
                       "word one tag",
                       at.file, at.line, schema->names[SP_FIELD_TOKENS], words->len,
                       schema->names[SP_FIELD_TAGS], names->len);
    for (size_t i = 0; i < names->len; i++) {
        int tag;
        sp_status st = find_tag(schema, names->data[i], i + 1, at, &tag);
        if (st) return st;
        sp_ints_push(out, tag);
    }
    return SP_OK;
}

static void fill_words(const sp_strings *words, const sp_strings *names, sp_example *out) {
    out->input = join_words(words);
    sp_strings_take(&out->references, join_words(names));
}

static sp_status add_tagged(const sp_schema *schema, const sp_row *row, sp_place at,
                            sp_split *out) {
    sp_strings words = {0}, names = {0};
    sp_ints tags = {0};
    split_words(row->values[SP_FIELD_TOKENS], &words);
    split_words(row->values[SP_FIELD_TAGS], &names);
    sp_status st = find_tags(schema, &words, &names, at, &tags);
    if (st) {
        sp_ints_free(&tags);
    } else {
        sp_example *example = sp_split_add(out);
        fill_words(&words, &names, example);
        example->tags = tags;
    }
    sp_strings_free(&words);
    sp_strings_free(&names);
    return st;
}

static char *copy_or_empty(const char *text) {
    return sp_strdup(text ? text : "");
}

sp_status sp_add_row(const sp_schema *schema, const sp_row *row, sp_place at, sp_split *out) {
    sp_status st;
    if ((st = check_fields(schema, row, at))) return st;
    if ((st = check_texts(schema, row, at))) return st;
    if ((st = check_group(row->values[SP_FIELD_GROUP], at))) return st;
    if (schema->kind == SP_SET_TAGGING)
        st = add_tagged(schema, row, at, out);
    else if (schema->kind == SP_SET_CLASSIFICATION)
        st = add_classified(schema, row, at, out);
    else
        fill_generation(row, sp_split_add(out));
    if (st) return st;
    sp_example *example = &out->items[out->count - 1];
    example->category = copy_or_empty(row->values[SP_FIELD_CATEGORY]);
    example->group = copy_or_empty(row->values[SP_FIELD_GROUP]);
    return SP_OK;
}

sp_status sp_check_utf8(const char *line, size_t len, sp_place at) {
    for (size_t i = 0; i < len;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)line + i,
                                                  (utf8proc_ssize_t)(len - i), &character);
        if (taken <= 0 || character == 0)
            return sp_fail(SP_ERR_FORMAT, "%s:%zu: byte %zu of the line, 0x%02x, is not %s",
                           at.file, at.line, i + 1, (unsigned char)line[i],
                           taken <= 0 ? "UTF-8; save the file as UTF-8" : "text; remove it");
        i += (size_t)taken;
    }
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

static sp_status load_split(const sp_card *card, sp_split_name split, sp_schema *schema,
                            sp_parse_file parse, sp_split *out) {
    const char *name;
    sp_status st = sp_yaml_text(sp_yaml_get(card->root, "splits"), sp_split_text(split), &name);
    if (st) return st;
    char *path = resolve_path(card, name);
    sp_buf content = {0};
    st = sp_read_file(path, &content);
    if (!st) st = check_digest(card, sp_split_text(split), path, &content);
    if (!st) st = parse(content.data, content.len, path, schema, out);
    sp_buf_free(&content);
    free(path);
    return st;
}

sp_status sp_load_files(const sp_card *card, const bool wanted[SP_SPLITS],
                        sp_split splits[SP_SPLITS], sp_parse_file parse) {
    sp_schema schema;
    sp_status st = sp_schema_read(card, &schema);
    for (int i = 0; i < SP_SPLITS && !st; i++) {
        if (!wanted[i] || !sp_card_split(card, (sp_split_name)i)) continue;
        st = load_split(card, (sp_split_name)i, &schema, parse, &splits[i]);
        if (!st && i == SP_TRAIN && card->labels->open)
            sp_label_set_close(card->labels, &splits[SP_TRAIN]);
    }
    return st;
}
