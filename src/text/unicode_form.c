/* Unicode's normal forms (Unicode Standard Annex 15), of the parts of a text that are UTF-8. */
#include "text/normalizers.h"

#include <stdlib.h>
#include <utf8proc.h>

/* Appends the normal form of valid text. */
static void append_form(const char *text, size_t len, utf8proc_option_t form, sp_buf *out) {
    utf8proc_uint8_t *mapped;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len,
                                      &mapped, UTF8PROC_STABLE | form);
    if (n < 0) sp_panic("utf8proc: %s", utf8proc_errmsg(n));
    sp_buf_append(out, mapped, (size_t)n);
    free(mapped);
}

/* Length of the UTF-8 at the start of the text. */
static size_t valid_length(const char *text, size_t len) {
    size_t at = 0;
    while (at < len) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &c);
        if (n <= 0) break;
        at += (size_t)n;
    }
    return at;
}

static sp_status apply_form(const char *text, size_t len, utf8proc_option_t form, sp_buf *out) {
    for (size_t at = 0; at < len;) {
        size_t valid = valid_length(text + at, len - at);
        if (valid) append_form(text + at, valid, form, out);
        at += valid;
        if (at < len) sp_buf_putc(out, text[at++]);
    }
    return SP_OK;
}

static sp_status apply_nfc(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    return apply_form(text, len, UTF8PROC_COMPOSE, out);
}

const sp_normalizer_kind sp_normalizer_nfc = {.type = "NFC", .apply = apply_nfc};
