#include "metrics/symbols.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void sp_symbols_push(sp_symbols *list, uint32_t symbol) {
    if (list->len == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->data = sp_realloc(list->data, list->cap, sizeof *list->data);
    }
    list->data[list->len++] = symbol;
}

void sp_symbols_free(sp_symbols *list) {
    free(list->data);
    *list = (sp_symbols){0};
}

void sp_characters(const char *text, sp_symbols *out) {
    out->len = 0;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    const utf8proc_uint8_t *end = at + strlen(text);
    while (at < end) {
        utf8proc_int32_t character;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, end - at, &character);
        bool valid = bytes > 0;
        sp_symbols_push(out, valid ? (uint32_t)character : 0xDC00u + *at);
        at += valid ? bytes : 1;
    }
}

bool sp_is_white_space(uint32_t c) {
    if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0D) || c >= 0x1C;
    switch (c) {
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return true;
    default:
        return c >= 0x2000 && c <= 0x200A;
    }
}

/* Moves *at to the start of the next word and returns its length, 0 at the end. */
static size_t next_word(const sp_symbols *text, size_t *at) {
    while (*at < text->len && sp_is_white_space(text->data[*at])) (*at)++;
    size_t end = *at;
    while (end < text->len && !sp_is_white_space(text->data[end])) end++;
    return end - *at;
}

void sp_add_words(const sp_symbols *text, sp_ngrams *known, sp_symbols *out) {
    out->len = 0;
    for (size_t at = 0, len; (len = next_word(text, &at)); at += len) {
        const sp_ngram *word = sp_ngrams_add(known, text->data + at, len);
        sp_symbols_push(out, (uint32_t)(word - known->items));
    }
}

void sp_find_words(const sp_symbols *text, const sp_ngrams *known, sp_symbols *out) {
    out->len = 0;
    for (size_t at = 0, len; (len = next_word(text, &at)); at += len) {
        const sp_ngram *word = sp_ngrams_find(known, text->data + at, len);
        sp_symbols_push(out, word ? (uint32_t)(word - known->items) : SP_UNKNOWN_WORD);
    }
}
