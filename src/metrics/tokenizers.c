#include "metrics/tokenizers.h"

#include <utf8proc.h>

static void read_lower(const char *text, sp_symbols *out) {
    sp_symbols characters = {0};
    sp_characters(text, &characters);
    sp_lower(&characters, out);
    sp_symbols_free(&characters);
}

/* What Python's regular expressions call a word character. */
static bool is_word_character(uint32_t c) {
    if (c == '_') return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    return letter || (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

void sp_tokenize_webnlg(const char *text, sp_symbols *out) {
    sp_symbols lower = {0};
    read_lower(text, &lower);
    out->len = 0;
    for (size_t i = 0; i < lower.len; i++) {
        bool alone = !is_word_character(lower.data[i]);
        if (alone) sp_symbols_push(out, ' ');
        sp_symbols_push(out, lower.data[i]);
        if (alone) sp_symbols_push(out, ' ');
    }
    sp_symbols_free(&lower);
}

void sp_tokenize_rouge(const char *text, sp_symbols *out) {
    read_lower(text, out);
    for (size_t i = 0; i < out->len; i++) {
        uint32_t c = out->data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word) out->data[i] = ' ';
    }
}

void sp_tokenize_ter(const char *text, sp_symbols *out) {
    read_lower(text, out);
}
