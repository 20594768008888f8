#include "text/tokenizer_gguf.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

#define KEY(name) "tokenizer.ggml." name

/* llama.cpp's kinds of tokens. */
enum { UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4 };

/* Token i as a NUL-terminated text in `out`. */
static sp_status read_text(const sp_gguf *file, const char *key, size_t i, sp_buf *out) {
    sp_gguf_text text;
    if (!sp_gguf_text_at(file, key, i, &text))
        return sp_fail(SP_ERR_FORMAT, "%s[%zu] is not a text", key, i);
    if (memchr(text.data, 0, text.len))
        return sp_fail(SP_ERR_FORMAT, "%s[%zu] has a zero byte", key, i);
    sp_buf_clear(out);
    sp_buf_append(out, text.data, text.len);
    return SP_OK;
}

static sp_status add_token(json_t *vocabulary, const char *text, size_t id) {
    if (json_object_get(vocabulary, text))
        return sp_fail(SP_ERR_FORMAT, KEY("tokens") " has '%.40s' twice, the second time at %zu",
                       text, id);
    if (json_object_set_new(vocabulary, text, json_integer((json_int_t)id)))
        return sp_fail(SP_ERR_FORMAT, KEY("tokens") "[%zu] is not UTF-8", id);
    return SP_OK;
}

/* The tokens as {text: id}. */
static sp_status read_vocabulary(const sp_gguf *file, json_t *vocabulary) {
    size_t count = sp_gguf_array_count(file, KEY("tokens"));
    if (!count) return sp_fail(SP_ERR_FORMAT, "has no " KEY("tokens"));
    sp_buf text = {0};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++) {
        st = read_text(file, KEY("tokens"), i, &text);
        if (!st) st = add_token(vocabulary, text.data, i);
    }
    sp_buf_free(&text);
    return st;
}

static sp_status read_merges(const sp_gguf *file, json_t *merges) {
    size_t count = sp_gguf_array_count(file, KEY("merges"));
    if (!count) return sp_fail(SP_ERR_FORMAT, "has no " KEY("merges"));
    sp_buf text = {0};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++) {
        st = read_text(file, KEY("merges"), i, &text);
        if (!st && json_array_append_new(merges, json_string(text.data)))
            st = sp_fail(SP_ERR_FORMAT, KEY("merges") "[%zu] is not UTF-8", i);
    }
    sp_buf_free(&text);
    return st;
}

/* Added tokens are those that llama.cpp finds in the text: unknown, control and user-defined. */
static sp_status read_added(const sp_gguf *file, json_t *added) {
    sp_buf text = {0};
    sp_status st = SP_OK;
    size_t count = sp_gguf_array_count(file, KEY("tokens"));
    for (size_t i = 0; !st && i < count; i++) {
        int64_t type;
        if (!sp_gguf_int_at(file, KEY("token_type"), i, &type)) continue;
        if (type != UNKNOWN && type != CONTROL && type != USER_DEFINED) continue;
        st = read_text(file, KEY("tokens"), i, &text);
        sp_json_token token = {text.data, (json_int_t)i};
        if (!st) json_array_append_new(added, sp_json_added_token(token, type != USER_DEFINED));
    }
    sp_buf_free(&text);
    return st;
}

/* The token of an id under a key, in `text`; without text if the file does not name one. */
static sp_status find_token(const sp_gguf *file, const char *key, sp_buf *text,
                            sp_json_token *out) {
    int64_t id;
    *out = (sp_json_token){0};
    if (!sp_gguf_find_int(file, key, &id)) return SP_OK;
    if (id < 0 || (uint64_t)id >= sp_gguf_array_count(file, KEY("tokens")))
        return sp_fail(SP_ERR_FORMAT, "%s is %lld, which is no token", key, (long long)id);
    sp_status st = read_text(file, KEY("tokens"), (size_t)id, text);
    if (!st) *out = (sp_json_token){text->data, id};
    return st;
}

static bool flag(const sp_gguf *file, const char *key, bool fallback) {
    int64_t value;
    return sp_gguf_find_int(file, key, &value) ? value != 0 : fallback;
}

static sp_status set_template(const sp_gguf *file, bool begins, bool ends, json_t *root) {
    sp_buf first_text = {0}, last_text = {0};
    sp_json_token first = {0}, last = {0};
    sp_status st = SP_OK;
    if (flag(file, KEY("add_bos_token"), begins))
        st = find_token(file, KEY("bos_token_id"), &first_text, &first);
    if (!st && flag(file, KEY("add_eos_token"), ends))
        st = find_token(file, KEY("eos_token_id"), &last_text, &last);
    if (!st) json_object_set_new(root, "post_processor", sp_json_template(first, last));
    sp_buf_free(&first_text);
    sp_buf_free(&last_text);
    return st;
}

static sp_status find_pre(const sp_gguf *file, const sp_gguf_pre **out) {
    sp_gguf_text name = sp_gguf_find_text(file, KEY("pre"));
    char *text = sp_strndup(name.data ? name.data : "", name.len);
    sp_status st = sp_gguf_pre_find(text, out);
    free(text);
    return st;
}

/* Byte-level BPE. */
static sp_status fill_gpt2(const sp_gguf *file, json_t *root) {
    const sp_gguf_pre *pre;
    sp_status st = find_pre(file, &pre);
    if (st) return st;
    json_t *vocabulary = json_object(), *merges = json_array();
    json_object_set_new(root, "model",
                        json_pack("{s:s, s:o, s:o, s:b}", "type", "BPE", "vocab", vocabulary,
                                  "merges", merges, "ignore_merges", (int)pre->whole_words_first));
    json_object_set_new(root, "normalizer", sp_gguf_pre_normalizer(pre));
    json_object_set_new(root, "pre_tokenizer", sp_gguf_pre_tokenizer(pre));
    json_object_set_new(root, "decoder", sp_json_byte_level_decoder());
    if ((st = read_vocabulary(file, vocabulary))) return st;
    if ((st = read_merges(file, merges))) return st;
    return set_template(file, pre->begins, false, root);
}

typedef struct model_kind {
    const char *name;
    sp_status (*fill)(const sp_gguf *file, json_t *root);
} model_kind;

static const model_kind kinds[] = {{"gpt2", fill_gpt2}};

static sp_status fill(const sp_gguf *file, json_t *root) {
    sp_gguf_text name = sp_gguf_find_text(file, KEY("model"));
    if (!name.data) return sp_fail(SP_ERR_FORMAT, "has no tokenizer (" KEY("model") ")");
    json_t *added = json_array();
    json_object_set_new(root, "added_tokens", added);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != name.len || memcmp(kinds[i].name, name.data, name.len) != 0)
            continue;
        sp_status st = kinds[i].fill(file, root);
        return st ? st : read_added(file, added);
    }
    return sp_fail(SP_ERR_FORMAT,
                   KEY("model") " is '%.*s'; gpt2, llama and t5 are read, for others put the "
                                "model's tokenizer.json into its folder",
                   name.len < 40 ? (int)name.len : 40, name.data);
}

sp_status sp_tokenizer_from_gguf(const sp_gguf *file, sp_tokenizer **out) {
    *out = NULL;
    json_t *root = json_pack("{s:s, s:n, s:n}", "version", "1.0", "truncation", "padding");
    sp_status st = fill(file, root);
    if (st)
        st = sp_fail_in(st, "%s", sp_gguf_path(file));
    else
        st = sp_tokenizer_from_json(root, sp_gguf_path(file), out);
    json_decref(root);
    return st;
}
