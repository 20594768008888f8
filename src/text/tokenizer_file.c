/* tokenizer.json: every size and id is checked against the file before it is used. */
#include "core/file.h"
#include "text/alphabet.h"
#include "text/tokenizer_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_type(const json_t *part, const char *type) {
    const char *text = json_string_value(json_object_get(part, "type"));
    return text && strcmp(text, type) == 0;
}

static const char *type_of(const json_t *part) {
    const char *text = json_string_value(json_object_get(part, "type"));
    return text ? text : "(none)";
}

static bool flag(const json_t *part, const char *name, bool fallback) {
    const json_t *value = json_object_get(part, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static bool is_absent(const json_t *value) {
    return !value || json_is_null(value);
}

/* Ids may leave gaps, but not more of them than there are tokens. */
static sp_status check_id(const sp_tokenizer *tokenizer, const json_t *id, const char *token) {
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || value >= tokenizer->size)
        return sp_fail(SP_ERR_FORMAT, "the id of token '%.40s' is not a number from 0 to %d", token,
                       tokenizer->size - 1);
    return SP_OK;
}

static sp_status set_token(sp_tokenizer *tokenizer, const char *text, int id) {
    sp_token *token = &tokenizer->tokens[id];
    if (token->text && strcmp(token->text, text) == 0) return SP_OK;
    if (token->text)
        return sp_fail(SP_ERR_FORMAT, "tokens '%.40s' and '%.40s' have the same id %d", token->text,
                       text, id);
    token->text = sp_strdup(text);
    sp_symbols_to_bytes(text, strlen(text), &token->bytes);
    return SP_OK;
}

static sp_status read_vocabulary(sp_tokenizer *tokenizer, json_t *vocabulary) {
    const char *text;
    json_t *id;
    sp_status st;
    json_object_foreach(vocabulary, text, id) {
        if ((st = check_id(tokenizer, id, text))) return st;
        int value = (int)json_integer_value(id);
        if ((st = set_token(tokenizer, text, value))) return st;
        sp_word_map_add(&tokenizer->bpe.vocabulary, text, strlen(text))->value = value;
    }
    return SP_OK;
}

/* The id of a part of a merge, -1 if it is not in the vocabulary. */
static int part_id(const sp_tokenizer *tokenizer, const char *text, size_t len) {
    const sp_word *word = sp_word_map_find(&tokenizer->bpe.vocabulary, text, len);
    return word ? (int)word->value : -1;
}

/* A merge is "left right" or ["left", "right"]; false if it is neither. */
static bool split_merge(const json_t *merge, const char **left, size_t *left_len,
                        const char **right) {
    if (json_is_array(merge) && json_array_size(merge) == 2) {
        *left = json_string_value(json_array_get(merge, 0));
        *right = json_string_value(json_array_get(merge, 1));
        *left_len = *left ? strlen(*left) : 0;
        return *left && *right;
    }
    *left = json_string_value(merge);
    const char *space = *left ? strchr(*left, ' ') : NULL;
    if (!space || strchr(space + 1, ' ')) return false;
    *left_len = (size_t)(space - *left);
    *right = space + 1;
    return true;
}

static sp_status read_merges(sp_tokenizer *tokenizer, const json_t *merges) {
    size_t rank;
    json_t *merge;
    sp_buf both = {0};
    sp_status st = SP_OK;
    json_array_foreach(merges, rank, merge) {
        const char *left, *right;
        size_t left_len;
        if (!split_merge(merge, &left, &left_len, &right)) {
            st = sp_fail(SP_ERR_FORMAT, "merge %zu is not a pair of tokens", rank);
            break;
        }
        sp_buf_clear(&both);
        sp_buf_append(&both, left, left_len);
        sp_buf_puts(&both, right);
        int left_id = part_id(tokenizer, left, left_len);
        int right_id = part_id(tokenizer, right, strlen(right));
        int merged = part_id(tokenizer, both.data, both.len);
        if (left_id < 0 || right_id < 0 || merged < 0) {
            st = sp_fail(SP_ERR_FORMAT, "merge %zu uses a token that is not in the vocabulary",
                         rank);
            break;
        }
        sp_bpe_add_merge(&tokenizer->bpe, left_id, right_id, (int)rank, merged);
    }
    sp_buf_free(&both);
    return st;
}

/* A byte without a token becomes the unknown token; without one it is left out, as in the
 * reference implementation. */
static void find_bytes(sp_tokenizer *tokenizer, const char *unknown) {
    int fallback = unknown ? part_id(tokenizer, unknown, strlen(unknown)) : -1;
    sp_buf symbol = {0};
    for (int byte = 0; byte < 256; byte++) {
        sp_buf_clear(&symbol);
        sp_bytes_to_symbols(&(char){(char)byte}, 1, &symbol);
        int id = part_id(tokenizer, symbol.data, symbol.len);
        tokenizer->bpe.byte_ids[byte] = id < 0 ? fallback : id;
    }
    sp_buf_free(&symbol);
}

static bool has_text(const json_t *model, const char *name) {
    const char *text = json_string_value(json_object_get(model, name));
    return text && *text;
}

static sp_status read_model(sp_tokenizer *tokenizer, const json_t *model) {
    json_t *vocabulary = json_object_get(model, "vocab"),
           *merges = json_object_get(model, "merges");
    if (!is_type(model, "BPE") && json_object_get(model, "type"))
        return sp_fail(SP_ERR_FORMAT, "model type is %.40s; only BPE is read", type_of(model));
    if (!json_is_object(vocabulary) || !json_is_array(merges))
        return sp_fail(SP_ERR_FORMAT, "the model has no vocab object or no merges array");
    if (has_text(model, "continuing_subword_prefix") || has_text(model, "end_of_word_suffix"))
        return sp_fail(SP_ERR_FORMAT, "subword prefixes and suffixes are not byte-level BPE");
    sp_status st;
    if ((st = read_vocabulary(tokenizer, vocabulary))) return st;
    if ((st = read_merges(tokenizer, merges))) return st;
    tokenizer->bpe.whole_words_first = flag(model, "ignore_merges", false);
    find_bytes(tokenizer, json_string_value(json_object_get(model, "unk_token")));
    return SP_OK;
}

static int longer_first(const void *a, const void *b) {
    const sp_added_token *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static sp_status read_added_token(sp_tokenizer *tokenizer, const json_t *entry) {
    const char *text = json_string_value(json_object_get(entry, "content"));
    const json_t *id = json_object_get(entry, "id");
    if (!text || !*text) return sp_fail(SP_ERR_FORMAT, "an added token has no content");
    if (flag(entry, "single_word", false))
        return sp_fail(SP_ERR_FORMAT, "added token '%.40s' is single_word, which is not supported",
                       text);
    sp_status st;
    if ((st = check_id(tokenizer, id, text))) return st;
    int value = (int)json_integer_value(id);
    if ((st = set_token(tokenizer, text, value))) return st;
    tokenizer->tokens[value].special = flag(entry, "special", false);
    tokenizer->starts_added[(unsigned char)*text] = true;
    tokenizer->added[tokenizer->added_count++] =
        (sp_added_token){sp_strdup(text), strlen(text), value, flag(entry, "lstrip", false),
                         flag(entry, "rstrip", false)};
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
    tokenizer->prefix_space = flag(part, "add_prefix_space", true);
    if (tokenizer->prefix_space && !is_first)
        return sp_fail(SP_ERR_FORMAT,
                       "add_prefix_space after another pre-tokenizer is not supported");
    return flag(part, "use_regex", true) ? sp_splitter_add(tokenizer->splitter, sp_gpt2_pattern)
                                         : SP_OK;
}

static sp_status read_split(sp_tokenizer *tokenizer, const json_t *part) {
    const char *pattern =
        json_string_value(json_object_get(json_object_get(part, "pattern"), "Regex"));
    const char *behavior = json_string_value(json_object_get(part, "behavior"));
    if (!pattern || !behavior || strcmp(behavior, "Isolated") != 0 || flag(part, "invert", false))
        return sp_fail(SP_ERR_FORMAT,
                       "a Split pre-tokenizer must be an isolated Regex, not inverted");
    return sp_splitter_add(tokenizer->splitter, pattern);
}

static sp_status read_stage(sp_tokenizer *tokenizer, const json_t *part, bool is_first) {
    if (is_type(part, "ByteLevel")) return read_byte_level(tokenizer, part, is_first);
    if (is_type(part, "Split")) return read_split(tokenizer, part);
    if (is_type(part, "Digits"))
        return sp_splitter_add(tokenizer->splitter,
                               flag(part, "individual_digits", false) ? "\\p{N}" : "\\p{N}+");
    return sp_fail(SP_ERR_FORMAT,
                   "pre-tokenizer %.40s is not supported; use ByteLevel, Split or Digits",
                   type_of(part));
}

static sp_status read_pre_tokenizer(sp_tokenizer *tokenizer, const json_t *part) {
    tokenizer->splitter = sp_splitter_new();
    if (!is_type(part, "Sequence")) return read_stage(tokenizer, part, true);
    const json_t *stages = json_object_get(part, "pretokenizers");
    size_t i;
    json_t *stage;
    bool byte_level = false;
    json_array_foreach(stages, i, stage) {
        sp_status st = read_stage(tokenizer, stage, i == 0);
        if (st) return st;
        byte_level = byte_level || is_type(stage, "ByteLevel");
    }
    return byte_level ? SP_OK : sp_fail(SP_ERR_FORMAT, "the pre-tokenizer has no ByteLevel part");
}

static sp_status read_normalizer(sp_tokenizer *tokenizer, const json_t *part) {
    if (is_absent(part)) return SP_OK;
    if (!is_type(part, "NFC"))
        return sp_fail(SP_ERR_FORMAT, "normalizer %.40s is not supported; use NFC or none",
                       type_of(part));
    tokenizer->compose = true;
    return SP_OK;
}

/* Room for all ids: gaps may be as many as tokens. */
static int id_limit(json_t *vocabulary, const json_t *added) {
    size_t limit = json_object_size(vocabulary) + json_array_size(added);
    return limit > 0x7fffffff / 2 ? 0 : (int)(2 * limit);
}

/* Drops the ids beyond the last token. */
static sp_status trim_size(sp_tokenizer *tokenizer) {
    while (tokenizer->size && !tokenizer->tokens[tokenizer->size - 1].text) tokenizer->size--;
    return tokenizer->size ? SP_OK : sp_fail(SP_ERR_FORMAT, "the vocabulary is empty");
}

static sp_status read_tokenizer(sp_tokenizer *tokenizer, const json_t *root) {
    const json_t *model = json_object_get(root, "model");
    const json_t *added = json_object_get(root, "added_tokens");
    tokenizer->size = id_limit(json_object_get(model, "vocab"), added);
    tokenizer->tokens = sp_alloc((size_t)tokenizer->size + 1, sizeof *tokenizer->tokens);
    sp_status st;
    if ((st = read_normalizer(tokenizer, json_object_get(root, "normalizer")))) return st;
    if ((st = read_pre_tokenizer(tokenizer, json_object_get(root, "pre_tokenizer")))) return st;
    if ((st = read_model(tokenizer, model))) return st;
    if ((st = read_added_tokens(tokenizer, added))) return st;
    return trim_size(tokenizer);
}

sp_status sp_tokenizer_parse(const char *text, size_t len, const char *name, sp_tokenizer **out) {
    *out = NULL;
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return sp_fail(SP_ERR_FORMAT, "%s:%d: not a tokenizer.json: %s", name, error.line,
                       error.text);
    sp_tokenizer *tokenizer = sp_alloc(1, sizeof *tokenizer);
    sp_bpe_start(&tokenizer->bpe);
    tokenizer->source = sp_strndup(text, len);
    tokenizer->source_len = len;
    sp_status st = read_tokenizer(tokenizer, root);
    json_decref(root);
    if (st) {
        sp_tokenizer_free(tokenizer);
        return sp_fail_in(st, "%s", name);
    }
    *out = tokenizer;
    return SP_OK;
}

sp_status sp_tokenizer_load(const char *path, sp_tokenizer **out) {
    *out = NULL;
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) st = sp_tokenizer_parse(text.data ? text.data : "", text.len, path, out);
    sp_buf_free(&text);
    return st;
}
