#include "text/trie.h"
#include "core/memory.h"

#include <stdlib.h>

static size_t add_child(sp_trie *trie, size_t node, unsigned char byte) {
    int is_new;
    size_t child = sp_pair_map_add(&trie->edges, (int)node, byte, &is_new) + 1;
    if (child >= trie->cap) {
        trie->cap = trie->cap ? trie->cap * 2 : 256;
        trie->values = sp_realloc(trie->values, trie->cap, sizeof *trie->values);
    }
    if (is_new) trie->values[child] = -1;
    return child;
}

void sp_trie_add(sp_trie *trie, const char *text, size_t len, int value) {
    size_t node = 0;
    for (size_t i = 0; i < len; i++) node = add_child(trie, node, (unsigned char)text[i]);
    if (!node) return;
    trie->starts[(unsigned char)*text] = true;
    if (trie->values[node] < 0) trie->values[node] = value;
}

long sp_trie_step(const sp_trie *trie, long node, unsigned char byte, int *value) {
    long child = sp_pair_map_find(&trie->edges, (int)node, byte) + 1;
    *value = child ? trie->values[child] : -1;
    return child;
}

int sp_trie_longest(const sp_trie *trie, const char *text, size_t len, size_t *found_len) {
    int longest = -1, value;
    long node = 0;
    if (!len || !trie->starts[(unsigned char)*text]) return -1;
    for (size_t i = 0; i < len; i++) {
        node = sp_trie_step(trie, node, (unsigned char)text[i], &value);
        if (!node) break;
        if (value < 0) continue;
        longest = value;
        *found_len = i + 1;
    }
    return longest;
}

void sp_trie_free(sp_trie *trie) {
    sp_pair_map_free(&trie->edges);
    free(trie->values);
    *trie = (sp_trie){0};
}
