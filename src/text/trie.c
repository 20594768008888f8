#include "text/trie.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static int in_order(const void *a, const void *b) {
    const sp_trie_entry *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The entries [from, to) that share the path to a node. */
typedef struct range {
    size_t from, to;
} range;

static sp_trie_node *add_node(sp_trie *trie, range **ranges, range of, unsigned char byte) {
    if (trie->count == trie->cap) {
        trie->cap = trie->cap ? 2 * trie->cap : 1024;
        trie->nodes = sp_realloc(trie->nodes, trie->cap, sizeof *trie->nodes);
        *ranges = sp_realloc(*ranges, trie->cap, sizeof **ranges);
    }
    (*ranges)[trie->count] = of;
    sp_trie_node *node = &trie->nodes[trie->count++];
    *node = (sp_trie_node){.value = -1, .byte = byte};
    return node;
}

/* Adds the children of a node at `depth`, all next to each other. */
static void add_children(sp_trie *trie, range **ranges, size_t at, size_t depth,
                         const sp_trie_entry *entries) {
    range all = (*ranges)[at];
    if (all.from < all.to && entries[all.from].len == depth)
        trie->nodes[at].value = entries[all.from++].value;
    trie->nodes[at].first = (uint32_t)trie->count;
    while (all.from < all.to) {
        unsigned char byte = (unsigned char)entries[all.from].text[depth];
        range below = {all.from, all.from};
        while (below.to < all.to && (unsigned char)entries[below.to].text[depth] == byte)
            below.to++;
        add_node(trie, ranges, below, byte);
        trie->nodes[at].count++;
        all.from = below.to;
    }
}

void sp_trie_build(sp_trie *trie, sp_trie_entry *entries, size_t count) {
    range *ranges = NULL;
    *trie = (sp_trie){0};
    if (count) qsort(entries, count, sizeof *entries, in_order);
    add_node(trie, &ranges, (range){0, count}, 0);
    size_t done = 0;
    for (size_t depth = 0, end; done < trie->count; depth++)
        for (end = trie->count; done < end; done++)
            add_children(trie, &ranges, done, depth, entries);
    free(ranges);
}

void sp_trie_free(sp_trie *trie) {
    free(trie->nodes);
    *trie = (sp_trie){0};
}

const sp_trie_node *sp_trie_step(const sp_trie *trie, const sp_trie_node *node,
                                 unsigned char byte) {
    const sp_trie_node *children = trie->nodes + node->first;
    size_t low = 0, high = node->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (children[middle].byte == byte) return &children[middle];
        if (children[middle].byte < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
