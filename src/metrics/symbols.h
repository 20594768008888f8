/* Texts as sequences of characters (code points), so that metrics compare integers. */
#ifndef SP_METRICS_SYMBOLS_H
#define SP_METRICS_SYMBOLS_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Growable. Start from {0}. */
typedef struct sp_symbols {
    uint32_t *data;
    size_t len, cap;
} sp_symbols;

void sp_symbols_grow(sp_symbols *list); /* makes room for one more at least */
static inline void sp_symbols_push(sp_symbols *list, uint32_t symbol) {
    if (list->len == list->cap) sp_symbols_grow(list);
    list->data[list->len++] = symbol;
}
void sp_symbols_free(sp_symbols *list);

/* Replaces the content of `out` by the characters of `text`. A byte b that is not UTF-8 becomes
 * U+DC00 + b, which no valid text contains. */
void sp_characters(const char *text, sp_symbols *out);
/* Appends the bytes that sp_characters made the symbol from. */
void sp_put_character(uint32_t symbol, sp_buf *out);

/* White space as Python's str.split() takes it: Unicode's, and the separators U+001C to U+001F. */
bool sp_is_white_space(uint32_t character);

/* Replaces the content of `out` by the text in lower case as Python's str.lower() gives it: simple
 * mappings, but for a capital I with a dot, which becomes two characters, and a capital sigma at
 * the end of a word, which becomes a final one. */
void sp_lower(const sp_symbols *text, sp_symbols *out);

#endif
