#include "text/added_tokens.h"
#include "text/json_part.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

static sp_status read_token(sp_added_tokens *added, const json_t *entry,
                            sp_vocabulary *vocabulary) {
    const char *text = sp_part_text(entry, "content");
    const json_t *id = json_object_get(entry, "id");
    if (!text || !*text) return sp_fail(SP_ERR_FORMAT, "an added token has no content");
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    sp_status st = sp_vocabulary_set(vocabulary, text, value);
    if (st) return st;
    bool special = sp_part_flag(entry, "special", false);
    vocabulary->tokens[value].special = special;
    added->tokens[added->count++] =
        (sp_added_token){.text = sp_strdup(text),
                         .id = (int)value,
                         .single_word = sp_part_flag(entry, "single_word", false),
                         .strip_left = sp_part_flag(entry, "lstrip", false),
                         .strip_right = sp_part_flag(entry, "rstrip", false),
                         .normalized = sp_part_flag(entry, "normalized", !special),
                         .special = special};
    return SP_OK;
}

static sp_status add_to_trie(sp_added_tokens *added, int i, const sp_normalizer *normalizer) {
    const sp_added_token *token = &added->tokens[i];
    if (!token->normalized || !normalizer) {
        sp_trie_add(token->normalized ? &added->normal : &added->plain, token->text,
                    strlen(token->text), i);
        return SP_OK;
    }
    sp_buf form = {0};
    sp_status st = sp_normalize(normalizer, token->text, strlen(token->text), &form);
    if (!st) sp_trie_add(&added->normal, form.data, form.len, i);
    sp_buf_free(&form);
    return st;
}

/* Of two with the same form a special token is found, else the earlier one. */
static sp_status fill_tries(sp_added_tokens *added, const sp_normalizer *normalizer) {
    for (int special = 1; special >= 0; special--) {
        for (size_t i = 0; i < added->count; i++) {
            if (added->tokens[i].special != special) continue;
            sp_status st = add_to_trie(added, (int)i, normalizer);
            if (st) return st;
        }
    }
    return SP_OK;
}

sp_status sp_added_tokens_read(sp_added_tokens *added, const json_t *entries,
                               const sp_normalizer *normalizer, sp_vocabulary *vocabulary) {
    size_t i;
    json_t *entry;
    added->tokens = sp_alloc(json_array_size(entries) + 1, sizeof *added->tokens);
    json_array_foreach(entries, i, entry) {
        sp_status st = read_token(added, entry, vocabulary);
        if (st) return st;
    }
    return fill_tries(added, normalizer);
}

void sp_added_tokens_free(sp_added_tokens *added) {
    for (size_t i = 0; i < added->count; i++) free(added->tokens[i].text);
    free(added->tokens);
    sp_trie_free(&added->plain);
    sp_trie_free(&added->normal);
    *added = (sp_added_tokens){0};
}

int sp_added_token_id(const sp_added_tokens *added, const char *text) {
    for (size_t i = 0; i < added->count; i++)
        if (strcmp(added->tokens[i].text, text) == 0) return added->tokens[i].id;
    return -1;
}

static bool ends_in_word(const char *text, size_t len) {
    size_t start = len;
    while (start && len - start < 4 && ((unsigned char)text[--start] & 0xc0) == 0x80) continue;
    int c = -1;
    return start < len && sp_utf8_next(text + start, len - start, &c) == len - start &&
           sp_is_word(c);
}

static bool starts_with_word(const char *text, size_t len) {
    int c;
    if (!len) return false;
    sp_utf8_next(text, len, &c);
    return sp_is_word(c);
}

static size_t next_start(const sp_trie *trie, const char *text, size_t len, size_t at) {
    while (at < len && !trie->starts[(unsigned char)text[at]]) at++;
    return at;
}

bool sp_added_tokens_find(const sp_added_tokens *added, const sp_trie *trie, const char *text,
                          size_t len, size_t from, size_t done, sp_added_match *out) {
    if (!trie->edges.count) return false;
    size_t width = 1;
    for (size_t at = from; (at = next_start(trie, text, len, at)) < len; at += width) {
        int i = sp_trie_longest(trie, text + at, len - at, &width);
        if (i < 0) {
            width = 1;
            continue;
        }
        const sp_added_token *token = &added->tokens[i];
        size_t end = at + width;
        if (token->single_word &&
            (ends_in_word(text, at) || starts_with_word(text + end, len - end)))
            continue;
        *out = (sp_added_match){at, end, end, token->id};
        if (token->strip_left) {
            size_t start = sp_without_white_end(text, at);
            out->start = start < done ? done : start;
        }
        if (token->strip_right) out->end += sp_white_start(text + end, len - end);
        return true;
    }
    return false;
}
