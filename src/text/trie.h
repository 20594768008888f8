/* A set of byte strings with a number each, which finds those that a text begins with. */
#ifndef SP_TEXT_TRIE_H
#define SP_TEXT_TRIE_H

#include "text/word_map.h"

#include <stdbool.h>

/* Starts as {0}. */
typedef struct sp_trie {
    sp_pair_map edges; /* (node, byte) -> child node - 1; node 0 is the root */
    int *values;       /* by node, -1 where no string ends */
    size_t cap;
    bool starts[256]; /* first bytes */
} sp_trie;

/* Adds a string that is not empty; one that is there keeps its number (>= 0). */
void sp_trie_add(sp_trie *trie, const char *text, size_t len, int value);
/* The node behind one more byte, from node 0 on; *value is the number of the string that ends
 * there, -1 if none does. 0: no string goes on like this. */
long sp_trie_step(const sp_trie *trie, long node, unsigned char byte, int *value);
/* The number of the longest string at the start of the text, and its length; -1 if there is none.
 */
int sp_trie_longest(const sp_trie *trie, const char *text, size_t len, size_t *found_len);
void sp_trie_free(sp_trie *trie);

#endif
