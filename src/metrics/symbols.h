/* Texts as sequences of numbers, so that metrics compare integers: characters (code points), or
 * words numbered by a set of known words. */
#ifndef SP_METRICS_SYMBOLS_H
#define SP_METRICS_SYMBOLS_H

#include "metrics/ngrams.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Growable. Start from {0}. */
typedef struct sp_symbols {
    uint32_t *data;
    size_t len, cap;
} sp_symbols;

void sp_symbols_push(sp_symbols *list, uint32_t symbol);
void sp_symbols_free(sp_symbols *list);

/* Replaces the content of `out` by the characters of `text`. A byte b that is not UTF-8 becomes
 * U+DC00 + b, which no valid text contains. */
void sp_characters(const char *text, sp_symbols *out);

/* White space as Python's str.split() takes it: Unicode's, and the separators U+001C to U+001F. */
bool sp_is_white_space(uint32_t character);

/* What words the set does not know become in sp_find_words; equal to no known word. */
#define SP_UNKNOWN_WORD UINT32_MAX

/* Replace the content of `out` by the numbers of the words between white space in `text`.
 * sp_add_words puts new words into `known`, which borrows them from `text`. */
void sp_add_words(const sp_symbols *text, sp_ngrams *known, sp_symbols *out);
void sp_find_words(const sp_symbols *text, const sp_ngrams *known, sp_symbols *out);

#endif
