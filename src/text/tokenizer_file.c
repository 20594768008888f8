/* tokenizer.json: every size and id is checked against the file before it is used. */
#include "core/file.h"
#include "text/json_part.h"
#include "text/tokenizer_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int longer_first(const void *a, const void *b) {
    const sp_added_token *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static sp_status read_added_token(sp_tokenizer *tokenizer, const json_t *entry) {
    const char *text = json_string_value(json_object_get(entry, "content"));
    const json_t *id = json_object_get(entry, "id");
    if (!text || !*text) return sp_fail(SP_ERR_FORMAT, "an added token has no content");
    if (sp_part_flag(entry, "single_word", false))
        return sp_fail(SP_ERR_FORMAT, "added token '%.40s' is single_word, which is not supported",
                       text);
    int value = json_is_integer(id) ? (int)json_integer_value(id) : -1;
    sp_status st = sp_vocabulary_set(&tokenizer->vocabulary, text, value);
    if (st) return st;
    tokenizer->vocabulary.tokens[value].special = sp_part_flag(entry, "special", false);
    tokenizer->starts_added[(unsigned char)*text] = true;
    tokenizer->added[tokenizer->added_count++] =
        (sp_added_token){sp_strdup(text), strlen(text), value, sp_part_flag(entry, "lstrip", false),
                         sp_part_flag(entry, "rstrip", false)};
    return SP_OK;
}

static sp_status read_added_tokens(sp_tokenizer *tokenizer, const json_t *entries) {
    size_t i;
    json_t *entry;
    tokenizer->added = sp_alloc(json_array_size(entries) + 1, sizeof *tokenizer->added);
    json_array_foreach(entries, i, entry) {
        sp_status st = read_added_token(tokenizer, entry);
        if (st) return st;
    }
    qsort(tokenizer->added, (size_t)tokenizer->added_count, sizeof *tokenizer->added, longer_first);
    return SP_OK;
}

static sp_status read_byte_level(sp_tokenizer *tokenizer, const json_t *part, bool is_first) {
    tokenizer->prefix_space = sp_part_flag(part, "add_prefix_space", true);
    if (tokenizer->prefix_space && !is_first)
        return sp_fail(SP_ERR_FORMAT,
                       "add_prefix_space after another pre-tokenizer is not supported");
    return sp_part_flag(part, "use_regex", true)
               ? sp_splitter_add(tokenizer->splitter, sp_gpt2_pattern)
               : SP_OK;
}

static sp_status read_split(sp_tokenizer *tokenizer, const json_t *part) {
    const char *pattern =
        json_string_value(json_object_get(json_object_get(part, "pattern"), "Regex"));
    const char *behavior = json_string_value(json_object_get(part, "behavior"));
    if (!pattern || !behavior || strcmp(behavior, "Isolated") != 0 ||
        sp_part_flag(part, "invert", false))
        return sp_fail(SP_ERR_FORMAT,
                       "a Split pre-tokenizer must be an isolated Regex, not inverted");
    return sp_splitter_add(tokenizer->splitter, pattern);
}

static sp_status read_stage(sp_tokenizer *tokenizer, const json_t *part, bool is_first) {
    if (sp_part_is(part, "ByteLevel")) return read_byte_level(tokenizer, part, is_first);
    if (sp_part_is(part, "Split")) return read_split(tokenizer, part);
    if (sp_part_is(part, "Digits"))
        return sp_splitter_add(tokenizer->splitter, sp_part_flag(part, "individual_digits", false)
                                                        ? "\\p{N}"
                                                        : "\\p{N}+");
    return sp_fail(SP_ERR_FORMAT,
                   "pre-tokenizer %.40s is not supported; use ByteLevel, Split or Digits",
                   sp_part_type(part));
}

static sp_status read_pre_tokenizer(sp_tokenizer *tokenizer, const json_t *part) {
    tokenizer->splitter = sp_splitter_new();
    if (!sp_part_is(part, "Sequence")) return read_stage(tokenizer, part, true);
    const json_t *stages = json_object_get(part, "pretokenizers");
    size_t i;
    json_t *stage;
    bool byte_level = false;
    json_array_foreach(stages, i, stage) {
        sp_status st = read_stage(tokenizer, stage, i == 0);
        if (st) return st;
        byte_level = byte_level || sp_part_is(stage, "ByteLevel");
    }
    return byte_level ? SP_OK : sp_fail(SP_ERR_FORMAT, "the pre-tokenizer has no ByteLevel part");
}

static sp_status read_model(sp_tokenizer *tokenizer, const json_t *model) {
    const sp_token_model_kind *kind;
    sp_status st = sp_token_model_find(model, &kind);
    if (!st) st = kind->read(model, &tokenizer->vocabulary, kind->takes_bytes, &tokenizer->model);
    if (!st) tokenizer->kind = kind;
    return st;
}

static size_t count_tokens(const json_t *vocabulary) {
    return json_is_array(vocabulary) ? json_array_size(vocabulary) : json_object_size(vocabulary);
}

static sp_status read_tokenizer(sp_tokenizer *tokenizer, const json_t *root) {
    const json_t *model = json_object_get(root, "model");
    const json_t *added = json_object_get(root, "added_tokens");
    sp_vocabulary_start(&tokenizer->vocabulary,
                        count_tokens(json_object_get(model, "vocab")) + json_array_size(added));
    sp_status st;
    if ((st = sp_normalizer_read(json_object_get(root, "normalizer"), &tokenizer->normalizer)))
        return st;
    if ((st = read_pre_tokenizer(tokenizer, json_object_get(root, "pre_tokenizer")))) return st;
    if ((st = read_model(tokenizer, model))) return st;
    if ((st = read_added_tokens(tokenizer, added))) return st;
    return sp_vocabulary_trim(&tokenizer->vocabulary);
}

/* Takes `source`, the text of the file. */
static sp_status make_tokenizer(const json_t *root, const char *name, char *source,
                                sp_tokenizer **out) {
    sp_tokenizer *tokenizer = sp_alloc(1, sizeof *tokenizer);
    tokenizer->source = source;
    *out = tokenizer;
    sp_status st = read_tokenizer(tokenizer, root);
    if (!st) return SP_OK;
    sp_tokenizer_free(tokenizer);
    *out = NULL;
    return sp_fail_in(st, "%s", name);
}

sp_status sp_tokenizer_from_json(json_t *root, const char *name, sp_tokenizer **out) {
    return make_tokenizer(root, name, json_dumps(root, JSON_INDENT(1)), out);
}

sp_status sp_tokenizer_parse(const char *text, size_t len, const char *name, sp_tokenizer **out) {
    *out = NULL;
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return sp_fail(SP_ERR_FORMAT, "%s:%d: not a tokenizer.json: %s", name, error.line,
                       error.text);
    sp_status st = make_tokenizer(root, name, sp_strndup(text, len), out);
    json_decref(root);
    return st;
}

sp_status sp_tokenizer_load(const char *path, sp_tokenizer **out) {
    *out = NULL;
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) st = sp_tokenizer_parse(text.data ? text.data : "", text.len, path, out);
    sp_buf_free(&text);
    return st;
}
