/* The byte-level alphabet of GPT-2: every byte is written as one printable Unicode character, so
 * that vocabularies are valid JSON text (Radford et al. 2019, section 2.2). */
#ifndef SP_TEXT_ALPHABET_H
#define SP_TEXT_ALPHABET_H

#include "core/memory.h"

/* The code point that stands for a byte: itself where printable, else 256, 257, ... in order. */
int sp_byte_symbol(unsigned char byte);

/* The byte a code point stands for, -1 if none. */
int sp_symbol_byte(int code_point);

/* Appends the symbols of `len` bytes as UTF-8. */
void sp_bytes_to_symbols(const char *bytes, size_t len, sp_buf *out);

/* Appends the bytes that the symbols of a token stand for; a token with a character outside the
 * alphabet stands for itself. */
void sp_symbols_to_bytes(const char *token, size_t len, sp_buf *out);

#endif
