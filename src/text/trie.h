/* A trie of byte strings, each with an integer: finds all of them that a text begins with. */
#ifndef SP_TEXT_TRIE_H
#define SP_TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_trie_entry {
    const char *text;
    size_t len;
    int value; /* >= 0 */
} sp_trie_entry;

typedef struct sp_trie_node {
    uint32_t first; /* place of the first child; children are neighbours, in order of their byte */
    int value;      /* -1: no entry ends here */
    uint16_t count; /* of children */
    unsigned char byte;
} sp_trie_node;

typedef struct sp_trie {
    sp_trie_node *nodes; /* the root first */
    size_t count, cap;
} sp_trie;

/* From entries without repetition, which are sorted in place; their texts are not needed later.
 * Release with sp_trie_free. */
void sp_trie_build(sp_trie *trie, sp_trie_entry *entries, size_t count);
void sp_trie_free(sp_trie *trie);

/* The child of a node (starting from trie->nodes) by its byte, NULL if there is none. */
const sp_trie_node *sp_trie_step(const sp_trie *trie, const sp_trie_node *node, unsigned char byte);

#endif
