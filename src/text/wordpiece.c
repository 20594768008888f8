/* WordPiece (Wu et al. 2016; BERT): a word is cut into the longest tokens, from left to right; all
 * tokens but the first have a prefix. */
#include "text/json_part.h"
#include "text/token_model.h"
#include "text/trie.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

typedef struct wordpiece {
    sp_trie first, rest; /* tokens at the start of a word, and without their prefix behind it */
    int unknown;
    size_t longest_word; /* characters */
} wordpiece;

static void free_wordpiece(void *model) {
    wordpiece *w = model;
    sp_trie_free(&w->first);
    sp_trie_free(&w->rest);
    free(w);
}

static void fill_tries(wordpiece *w, const sp_vocabulary *vocabulary, const char *prefix) {
    size_t prefix_len = strlen(prefix);
    for (size_t i = 0; i < vocabulary->ids.count; i++) {
        const sp_word *token = &vocabulary->ids.words[i];
        sp_trie_add(&w->first, token->text, token->len, (int)token->value);
        if (token->len > prefix_len && memcmp(token->text, prefix, prefix_len) == 0)
            sp_trie_add(&w->rest, token->text + prefix_len, token->len - prefix_len,
                        (int)token->value);
    }
}

static sp_status read_wordpiece(const json_t *model, sp_vocabulary *vocabulary, bool bytes,
                                void **out) {
    (void)bytes;
    *out = NULL;
    const char *unknown = sp_part_text(model, "unk_token");
    const char *prefix = sp_part_text(model, "continuing_subword_prefix");
    const json_t *longest = json_object_get(model, "max_input_chars_per_word");
    if (!json_is_object(json_object_get(model, "vocab")))
        return sp_fail(SP_ERR_FORMAT, "the vocab of a WordPiece model is not an object");
    sp_status st = sp_vocabulary_read(vocabulary, json_object_get(model, "vocab"));
    if (st) return st;
    if (!unknown) unknown = "[UNK]";
    int id = sp_vocabulary_find(vocabulary, unknown, strlen(unknown));
    if (id < 0)
        return sp_fail(SP_ERR_FORMAT, "the unknown token '%.40s' is not in the vocabulary",
                       unknown);
    if (longest && json_integer_value(longest) < 1)
        return sp_fail(SP_ERR_FORMAT, "max_input_chars_per_word is not a number above 0");
    wordpiece *w = sp_alloc(1, sizeof *w);
    w->unknown = id;
    w->longest_word = longest ? (size_t)json_integer_value(longest) : 100;
    fill_tries(w, vocabulary, prefix ? prefix : "##");
    *out = w;
    return SP_OK;
}

static size_t count_characters(const char *text, size_t len) {
    size_t count = 0;
    for (size_t at = 0; at < len; count++) {
        int c;
        at += sp_utf8_next(text + at, len - at, &c);
    }
    return count;
}

static sp_status encode_word(const void *model, void *scratch, const char *word, size_t len,
                             sp_ints *out) {
    (void)scratch;
    const wordpiece *w = model;
    size_t start = out->len, width = 0;
    bool known = len <= w->longest_word || count_characters(word, len) <= w->longest_word;
    for (size_t at = 0; known && at < len; at += width) {
        int id = sp_trie_longest(at ? &w->rest : &w->first, word + at, len - at, &width);
        known = id >= 0;
        if (known) sp_ints_push(out, id);
    }
    if (!known) {
        out->len = start;
        sp_ints_push(out, w->unknown);
    }
    return SP_OK;
}

const sp_token_model_kind sp_token_model_wordpiece = {
    .type = "WordPiece", .read = read_wordpiece, .free = free_wordpiece, .encode = encode_word};
