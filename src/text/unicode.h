/* Classes of characters as Hugging Face's `tokenizers` has them. Its parts carry Unicode tables of
 * different ages (BERT's normalizer and punctuation: Unicode 8; normal forms and StripAccents: 9;
 * expressions: 16), which decide the ids of rare characters. */
#ifndef SP_TEXT_UNICODE_H
#define SP_TEXT_UNICODE_H

#include "core/memory.h"

#include <stdbool.h>

/* The character at the start of `len` > 0 bytes and its width; -1 and 1 for a byte that is not part
 * of valid UTF-8. */
size_t sp_utf8_next(const char *text, size_t len, int *c);
void sp_utf8_put(sp_buf *out, int c);

/* Appends a copy in which every maximal run of bytes that begins a character but does not complete
 * it, and every other broken byte, is U+FFFD (Unicode 15, section 3.9, table 3-8). */
void sp_utf8_repair(const char *text, size_t len, sp_buf *out);

bool sp_is_white(int c); /* White_Space */
/* Bytes of the text without white space at its end, and of the white space at its start. */
size_t sp_without_white_end(const char *text, size_t len);
size_t sp_white_start(const char *text, size_t len);

bool sp_is_numeric(int c);     /* categories N* */
bool sp_is_word(int c);        /* \w of expressions */
bool sp_is_punctuation(int c); /* categories P*, and ASCII's symbols */
bool sp_is_other(int c);       /* categories Cc, Cf, Co, which BERT's normalizer drops */
bool sp_is_nonspacing(int c);  /* category Mn, as BERT's normalizer strips it */
bool sp_is_mark(int c);        /* categories M*, as StripAccents does */

/* Appends the lower case of one character. */
void sp_put_lower(sp_buf *out, int c);

/* A character that the normal forms of `tokenizers` leave alone, being younger than their tables.
 */
bool sp_is_young(int c);

/* Appends the characters of a general category ("L", "Nd") that came with Unicode 15 and 16 as
 * ranges of a PCRE2 character class. */
void sp_young_ranges(const char *category, sp_buf *out);

#endif
