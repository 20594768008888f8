/* Unicode's normal forms (Unicode Standard Annex 15), of the parts of a text that are UTF-8. */
#include "text/normalizers.h"
#include "text/unicode.h"

#include <stdlib.h>

/* Appends the normal form of valid text. */
static void append_form(const char *text, size_t len, utf8proc_option_t form, sp_buf *out) {
    utf8proc_uint8_t *mapped;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len,
                                      &mapped, UTF8PROC_STABLE | form);
    if (n < 0) sp_panic("utf8proc: %s", utf8proc_errmsg(n));
    sp_buf_append(out, mapped, (size_t)n);
    free(mapped);
}

static size_t ascii_length(const char *text, size_t len) {
    size_t at = 0;
    while (at < len && (unsigned char)text[at] < 0x80) at++;
    return at;
}

/* Bytes of the first part that has a form: up to a broken byte or a character that stays as it is,
 * whose width is *barrier (0: the text ends). */
static size_t part_length(const char *text, size_t len, size_t *barrier) {
    size_t at = 0;
    *barrier = 0;
    for (int c; at < len; at += *barrier) {
        *barrier = sp_utf8_next(text + at, len - at, &c);
        if (c < 0 || sp_is_young(c)) return at;
    }
    *barrier = 0;
    return at;
}

void sp_unicode_form(const char *text, size_t len, utf8proc_option_t form, sp_buf *out) {
    /* A character before a mark may be composed with it. */
    size_t plain = ascii_length(text, len);
    if (plain && plain < len) plain--;
    sp_buf_append(out, text, plain);
    for (size_t at = plain, barrier; at < len; at += barrier) {
        size_t part = part_length(text + at, len - at, &barrier);
        if (part) append_form(text + at, part, form, out);
        at += part;
        sp_buf_append(out, text + at, barrier);
    }
}

static sp_status apply_nfc(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    sp_unicode_form(text, len, UTF8PROC_COMPOSE, out);
    return SP_OK;
}

static sp_status apply_nfd(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    sp_unicode_form(text, len, UTF8PROC_DECOMPOSE, out);
    return SP_OK;
}

static sp_status apply_nfkc(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    sp_unicode_form(text, len, UTF8PROC_COMPOSE | UTF8PROC_COMPAT, out);
    return SP_OK;
}

static sp_status apply_nfkd(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    sp_unicode_form(text, len, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, out);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_nfc = {.type = "NFC", .apply = apply_nfc};
const sp_normalizer_kind sp_normalizer_nfd = {.type = "NFD", .apply = apply_nfd};
const sp_normalizer_kind sp_normalizer_nfkc = {.type = "NFKC", .apply = apply_nfkc};
const sp_normalizer_kind sp_normalizer_nfkd = {.type = "NFKD", .apply = apply_nfkd};
