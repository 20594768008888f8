#include "metrics/tokenizers.h"

#include <string.h>

typedef bool character_class(uint32_t c);

static bool is_digit(uint32_t c) {
    return c >= '0' && c <= '9';
}
static bool is_no_digit(uint32_t c) {
    return !is_digit(c);
}
static bool is_point(uint32_t c) {
    return c == '.' || c == ',';
}
static bool is_dash(uint32_t c) {
    return c == '-';
}

static bool is_lone_symbol(uint32_t c) {
    if (c < 0x21 || c > 0x7E || is_point(c) || is_dash(c) || c == '\'') return false;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !letter && !is_digit(c);
}

static bool starts_with(const sp_symbols *text, size_t at, const char *word) {
    for (; *word; at++, word++)
        if (at >= text->len || text->data[at] != (unsigned char)*word) return false;
    return true;
}

static size_t find(const sp_symbols *text, size_t at, const char *word) {
    while (at < text->len && !starts_with(text, at, word)) at++;
    return at;
}

/* Replaces each `word` by `by`, which is not longer. */
static void replace(sp_symbols *text, const char *word, const char *by) {
    size_t at = find(text, 0, word), kept = at;
    while (at < text->len) {
        if (starts_with(text, at, word)) {
            for (const char *c = by; *c; c++) text->data[kept++] = (unsigned char)*c;
            at += strlen(word);
        } else {
            text->data[kept++] = text->data[at++];
        }
    }
    text->len = kept;
}

static void strip_end(sp_symbols *text) {
    while (text->len && sp_is_white_space(text->data[text->len - 1])) text->len--;
}

static void unescape(sp_symbols *text) {
    replace(text, "<skipped>", "");
    replace(text, "-\n", "");
    replace(text, "\n", " ");
    replace(text, "&quot;", "\"");
    replace(text, "&amp;", "&");
    replace(text, "&lt;", "<");
    replace(text, "&gt;", ">");
}

static void space_symbols(const sp_symbols *text, sp_symbols *out) {
    out->len = 0;
    sp_symbols_push(out, ' ');
    for (size_t i = 0; i < text->len; i++) {
        bool alone = is_lone_symbol(text->data[i]);
        if (alone) sp_symbols_push(out, ' ');
        sp_symbols_push(out, text->data[i]);
        if (alone) sp_symbols_push(out, ' ');
    }
    sp_symbols_push(out, ' ');
}

/* Spaces out every pair ab with a in `first` and b in `second`, from left to right and without
 * overlap: "a b " or, with `before`, " a b". */
static void space_pairs(const sp_symbols *text, character_class *first, character_class *second,
                        bool before, sp_symbols *out) {
    out->len = 0;
    for (size_t i = 0; i < text->len; i++) {
        uint32_t a = text->data[i];
        bool pair = i + 1 < text->len && first(a) && second(text->data[i + 1]);
        if (pair && before) sp_symbols_push(out, ' ');
        sp_symbols_push(out, a);
        if (!pair) continue;
        sp_symbols_push(out, ' ');
        sp_symbols_push(out, text->data[++i]);
        if (!before) sp_symbols_push(out, ' ');
    }
}

/* Uses up `text`. */
static void split(sp_symbols *text, sp_symbols *out) {
    strip_end(text);
    unescape(text);
    space_symbols(text, out);
    space_pairs(out, is_no_digit, is_point, false, text);
    space_pairs(text, is_point, is_no_digit, true, out);
    space_pairs(out, is_digit, is_dash, false, text);
    sp_symbols swap = *out;
    *out = *text;
    sp_symbols_free(&swap);
}

void sp_tokenize_13a(const char *text, sp_symbols *out) {
    sp_symbols characters = {0};
    sp_characters(text, &characters);
    split(&characters, out);
}

void sp_tokenize_13a_lower(const char *text, sp_symbols *out) {
    sp_symbols characters = {0}, lower = {0};
    sp_characters(text, &characters);
    sp_lower(&characters, &lower);
    sp_symbols_free(&characters);
    split(&lower, out);
}
