/* The kinds of normalizers that normalizer.c lists; a new kind adds its line here and there. */
#ifndef SP_TEXT_NORMALIZERS_H
#define SP_TEXT_NORMALIZERS_H

#include "text/normalizer.h"

#include <utf8proc.h>

/* ---- unicode_form.c ---- */

extern const sp_normalizer_kind sp_normalizer_nfc, sp_normalizer_nfd, sp_normalizer_nfkc,
    sp_normalizer_nfkd;

/* Appends a normal form: UTF8PROC_COMPOSE or UTF8PROC_DECOMPOSE, with UTF8PROC_COMPAT or not. */
void sp_unicode_form(const char *text, size_t len, utf8proc_option_t form, sp_buf *out);

/* ---- letter_normalizers.c ---- */

extern const sp_normalizer_kind sp_normalizer_lowercase, sp_normalizer_strip_accents,
    sp_normalizer_bert;

/* ---- edit_normalizers.c ---- */

extern const sp_normalizer_kind sp_normalizer_strip, sp_normalizer_replace, sp_normalizer_prepend,
    sp_normalizer_byte_level;

#endif
