/* tokenizer.json: every size and id is checked against the file before it is used. */
#include "core/file.h"
#include "text/tokenizer_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static sp_status read_model(sp_tokenizer *tokenizer, const json_t *model) {
    const sp_token_model_kind *kind;
    sp_status st = sp_token_model_find(model, &kind);
    bool bytes = !st && kind->takes_bytes && sp_pre_tokenizer_gives_bytes(tokenizer->pre_tokenizer);
    if (!st) st = kind->read(model, &tokenizer->vocabulary, bytes, &tokenizer->model);
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
    if ((st = sp_pre_tokenizer_read(json_object_get(root, "pre_tokenizer"),
                                    &tokenizer->pre_tokenizer)))
        return st;
    if ((st = read_model(tokenizer, model))) return st;
    if ((st = sp_added_tokens_read(&tokenizer->added, added, tokenizer->normalizer,
                                   &tokenizer->vocabulary)))
        return st;
    if ((st = sp_vocabulary_trim(&tokenizer->vocabulary))) return st;
    if ((st = sp_post_processor_read(&tokenizer->post_processor,
                                     json_object_get(root, "post_processor"),
                                     tokenizer->vocabulary.size)))
        return st;
    return sp_token_decoder_read(json_object_get(root, "decoder"), &tokenizer->decoder);
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
