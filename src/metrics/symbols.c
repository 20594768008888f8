#include "metrics/symbols.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
    FIRST_BEYOND_ASCII = 0x80,
    FIRST_BROKEN = 0xDC80,
    LAST_BROKEN = 0xDCFF,
    CAPITAL_DOTTED_I = 0x130,
    COMBINING_DOT = 0x307,
    CAPITAL_SIGMA = 0x3A3,
    FINAL_SIGMA = 0x3C2
};

void sp_symbols_grow(sp_symbols *list) {
    list->cap = list->cap ? 2 * list->cap : 64;
    list->data = sp_realloc(list->data, list->cap, sizeof *list->data);
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
        if (*at < FIRST_BEYOND_ASCII) {
            sp_symbols_push(out, *at++);
            continue;
        }
        utf8proc_int32_t character;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, end - at, &character);
        bool valid = bytes > 0;
        sp_symbols_push(out, valid ? (uint32_t)character : 0xDC00u + *at);
        at += valid ? bytes : 1;
    }
}

void sp_put_character(uint32_t symbol, sp_buf *out) {
    bool broken = symbol >= FIRST_BROKEN && symbol <= LAST_BROKEN;
    if (broken || symbol < FIRST_BEYOND_ASCII) {
        sp_buf_putc(out, (char)(symbol & 0xFF));
        return;
    }
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t len = utf8proc_encode_char((utf8proc_int32_t)symbol, bytes);
    sp_buf_append(out, bytes, (size_t)len);
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

static bool is_cased(uint32_t c) {
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT;
}

/* Unicode's Case_Ignorable: marks, modifiers, formats, and punctuation within words. */
static bool is_case_ignorable(uint32_t c) {
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        break;
    }
    static const uint32_t within_words[] = {'\'',   '.',    ':',    0xB7,   0x387,  0x55F,
                                            0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                            0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
    for (size_t i = 0; i < sizeof within_words / sizeof *within_words; i++)
        if (c == within_words[i]) return true;
    return false;
}

/* Unicode's Final_Sigma: a cased letter before it and none behind it. */
static bool ends_a_word(const sp_symbols *text, size_t at) {
    size_t before = at, behind = at + 1;
    while (before > 0 && is_case_ignorable(text->data[before - 1])) before--;
    if (before == 0 || !is_cased(text->data[before - 1])) return false;
    while (behind < text->len && is_case_ignorable(text->data[behind])) behind++;
    return behind == text->len || !is_cased(text->data[behind]);
}

void sp_lower(const sp_symbols *text, sp_symbols *out) {
    out->len = 0;
    for (size_t i = 0; i < text->len; i++) {
        uint32_t c = text->data[i];
        if (c < FIRST_BEYOND_ASCII) {
            sp_symbols_push(out, c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        } else if (c == CAPITAL_SIGMA && ends_a_word(text, i)) {
            sp_symbols_push(out, FINAL_SIGMA);
        } else if (c == CAPITAL_DOTTED_I) {
            sp_symbols_push(out, 'i');
            sp_symbols_push(out, COMBINING_DOT);
        } else {
            sp_symbols_push(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        }
    }
}
