/* Normalizers that work letter by letter: lower case, accents, and BERT's. */
#include "text/json_part.h"
#include "text/normalizers.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

/* Appends what `put` makes of each character; broken bytes stay. */
static void map_letters(const char *text, size_t len, void (*put)(sp_buf *out, int c),
                        sp_buf *out) {
    for (size_t at = 0, width; at < len; at += width) {
        int c;
        width = sp_utf8_next(text + at, len - at, &c);
        if (c < 0)
            sp_buf_putc(out, text[at]);
        else
            put(out, c);
    }
}

static void put_lower(sp_buf *out, int c) {
    if (c >= 0x80)
        sp_put_lower(out, c);
    else
        sp_buf_putc(out, (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c));
}

static void put_unless_mark(sp_buf *out, int c) {
    if (!sp_is_mark(c)) sp_utf8_put(out, c);
}

static sp_status lowercase(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    map_letters(text, len, put_lower, out);
    return SP_OK;
}

static sp_status strip_accents(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    map_letters(text, len, put_unless_mark, out);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_lowercase = {.type = "Lowercase", .apply = lowercase};
const sp_normalizer_kind sp_normalizer_strip_accents = {.type = "StripAccents",
                                                        .apply = strip_accents};

/* ---- BertNormalizer: the steps of BERT's BasicTokenizer (Devlin et al. 2019) ---- */

typedef struct bert {
    bool clean, chinese, strip, lower;
} bert;

static sp_status read_bert(const json_t *part, void **settings) {
    bert *b = sp_alloc(1, sizeof *b);
    b->clean = sp_part_flag(part, "clean_text", true);
    b->chinese = sp_part_flag(part, "handle_chinese_chars", true);
    b->lower = sp_part_flag(part, "lowercase", true);
    b->strip = sp_part_flag(part, "strip_accents", b->lower);
    *settings = b;
    return SP_OK;
}

static void put_clean(sp_buf *out, int c) {
    if (c == '\t' || c == '\n' || c == '\r' || (sp_is_white(c) && !sp_is_other(c)))
        sp_buf_putc(out, ' ');
    else if (c != 0xfffd && !sp_is_other(c))
        sp_utf8_put(out, c);
}

/* The blocks of CJK ideographs that BERT knows; "extension E" begins where it says. */
static bool is_chinese(int c) {
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
           (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b81f) ||
           (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0x2f800 && c <= 0x2fa1f);
}

static void put_chinese(sp_buf *out, int c) {
    if (is_chinese(c)) sp_buf_putc(out, ' ');
    sp_utf8_put(out, c);
    if (is_chinese(c)) sp_buf_putc(out, ' ');
}

static void put_unless_nonspacing(sp_buf *out, int c) {
    if (!sp_is_nonspacing(c)) sp_utf8_put(out, c);
}

static bool is_ascii(const char *text, size_t len) {
    unsigned char all = 0;
    for (size_t i = 0; i < len; i++) all |= (unsigned char)text[i];
    return all < 0x80;
}

static void normalize_ascii(const bert *b, const char *text, size_t len, sp_buf *out) {
    size_t start = out->len;
    sp_buf_append(out, text, len);
    char *to = out->data + start;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (b->clean && (c == '\t' || c == '\n' || c == '\r')) c = ' ';
        if (b->clean && sp_is_other(c)) continue;
        *to++ = (char)(b->lower && c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    out->len = (size_t)(to - out->data);
}

static sp_status normalize_bert(const void *settings, const char *text, size_t len, sp_buf *out) {
    const bert *b = settings;
    if (is_ascii(text, len)) {
        if (len) normalize_ascii(b, text, len, out);
        return SP_OK;
    }
    sp_buf a = {0}, c = {0}, *from = &a, *to = &c, *spare;
    void (*const steps[])(sp_buf *, int) = {
        b->clean ? put_clean : NULL, b->chinese ? put_chinese : NULL,
        b->strip ? put_unless_nonspacing : NULL, b->lower ? put_lower : NULL};
    sp_buf_append(from, text, len);
    for (int i = 0; i < 4; i++) {
        if (!steps[i]) continue;
        if (steps[i] == put_unless_nonspacing) {
            sp_buf_clear(to);
            sp_unicode_form(from->data, from->len, UTF8PROC_DECOMPOSE, to);
            spare = from, from = to, to = spare;
        }
        sp_buf_clear(to);
        map_letters(from->data, from->len, steps[i], to);
        spare = from, from = to, to = spare;
    }
    sp_buf_append(out, from->data, from->len);
    sp_buf_free(&a), sp_buf_free(&c);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_bert = {
    .type = "BertNormalizer", .read = read_bert, .free = free, .apply = normalize_bert};
