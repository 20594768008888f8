#include "text/bpe.h"
#include "text/alphabet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_CACHED = 64 };

typedef struct sp_cached_word {
    size_t len, count;
    const char *text; /* behind the ids, in the same block */
    int ids[];
} sp_cached_word;

/* The symbols of a word are a list; a symbol that was merged into its left neighbour has id -1. */
typedef struct sp_bpe_symbol {
    int id, previous, next; /* places, -1 at the ends */
} sp_bpe_symbol;

/* A merge that may be done at place `at`; stale once the two ids there have changed. */
typedef struct sp_bpe_candidate {
    int rank, at, left, right, merged;
} sp_bpe_candidate;

sp_bpe *sp_bpe_new(const sp_vocabulary *vocabulary) {
    sp_bpe *bpe = sp_alloc(1, sizeof *bpe);
    bpe->vocabulary = vocabulary;
    for (int i = 0; i < 256; i++) bpe->byte_ids[i] = -1;
    bpe->cache = sp_alloc(SP_BPE_CACHE, sizeof *bpe->cache);
    return bpe;
}

void sp_bpe_add_merge(sp_bpe *bpe, int left, int right, int rank, int merged) {
    int is_new;
    size_t pair = sp_pair_map_add(&bpe->pairs, left, right, &is_new);
    if (pair >= bpe->cap) {
        bpe->cap = bpe->cap ? bpe->cap * 2 : 256;
        bpe->ranks = sp_realloc(bpe->ranks, bpe->cap, sizeof *bpe->ranks);
        bpe->merged = sp_realloc(bpe->merged, bpe->cap, sizeof *bpe->merged);
    }
    bpe->ranks[pair] = rank;
    bpe->merged[pair] = merged;
}

void sp_bpe_free(sp_bpe *bpe) {
    if (!bpe) return;
    for (int i = 0; i < SP_BPE_CACHE; i++) free(atomic_load(&bpe->cache[i]));
    free(bpe->cache), free(bpe->ranks), free(bpe->merged);
    sp_pair_map_free(&bpe->pairs);
    free(bpe);
}

void sp_bpe_scratch_free(sp_bpe_scratch *scratch) {
    free(scratch->symbols), free(scratch->heap);
    sp_buf_free(&scratch->text);
    *scratch = (sp_bpe_scratch){0};
}

static bool comes_before(const sp_bpe_candidate *a, const sp_bpe_candidate *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(sp_bpe_scratch *scratch, sp_bpe_candidate candidate) {
    if (scratch->heap_len == scratch->heap_cap) {
        scratch->heap_cap = scratch->heap_cap ? scratch->heap_cap * 2 : 64;
        scratch->heap = sp_realloc(scratch->heap, scratch->heap_cap, sizeof *scratch->heap);
    }
    sp_bpe_candidate *heap = scratch->heap;
    size_t at = scratch->heap_len++;
    for (; at && comes_before(&candidate, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = candidate;
}

static sp_bpe_candidate pop(sp_bpe_scratch *scratch) {
    sp_bpe_candidate *heap = scratch->heap, first = heap[0], last = heap[--scratch->heap_len];
    size_t at = 0, len = scratch->heap_len;
    for (size_t child; (child = 2 * at + 1) < len; at = child) {
        if (child + 1 < len && comes_before(&heap[child + 1], &heap[child])) child++;
        if (!comes_before(&heap[child], &last)) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return first;
}

static void propose(const sp_bpe *bpe, sp_bpe_scratch *scratch, int at) {
    const sp_bpe_symbol *symbols = scratch->symbols;
    if (at < 0 || symbols[at].next < 0) return;
    int left = symbols[at].id, right = symbols[symbols[at].next].id;
    long pair = sp_pair_map_find(&bpe->pairs, left, right);
    if (pair >= 0)
        push(scratch, (sp_bpe_candidate){bpe->ranks[pair], at, left, right, bpe->merged[pair]});
}

static void merge_at(sp_bpe_symbol *symbols, int at, int merged) {
    sp_bpe_symbol *left = &symbols[at], *right = &symbols[left->next];
    left->id = merged;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0) symbols[left->next].previous = at;
}

/* Fills the symbols with the bytes' ids; returns how many there are. */
static int spell(const sp_bpe *bpe, sp_bpe_scratch *scratch, const char *word, size_t len) {
    if (len > scratch->symbol_cap) {
        scratch->symbol_cap = len < 64 ? 64 : len;
        scratch->symbols =
            sp_realloc(scratch->symbols, scratch->symbol_cap, sizeof *scratch->symbols);
    }
    int count = 0;
    for (size_t i = 0; i < len; i++) {
        int id = bpe->byte_ids[(unsigned char)word[i]];
        if (id < 0) continue;
        scratch->symbols[count] = (sp_bpe_symbol){id, count - 1, count + 1};
        count++;
    }
    if (count) scratch->symbols[count - 1].next = -1;
    return count;
}

static void merge_word(const sp_bpe *bpe, sp_bpe_scratch *scratch, const char *word, size_t len,
                       sp_ints *out) {
    int count = spell(bpe, scratch, word, len);
    sp_bpe_symbol *symbols = scratch->symbols;
    scratch->heap_len = 0;
    for (int at = 0; at < count; at++) propose(bpe, scratch, at);
    while (scratch->heap_len) {
        sp_bpe_candidate best = pop(scratch);
        int at = best.at;
        if (symbols[at].id != best.left || symbols[at].next < 0 ||
            symbols[symbols[at].next].id != best.right)
            continue;
        merge_at(symbols, at, best.merged);
        propose(bpe, scratch, symbols[at].previous);
        propose(bpe, scratch, at);
    }
    for (int at = 0; at >= 0 && count; at = symbols[at].next) sp_ints_push(out, symbols[at].id);
}

static bool find_whole(const sp_bpe *bpe, sp_bpe_scratch *scratch, const char *word, size_t len,
                       sp_ints *out) {
    sp_buf_clear(&scratch->text);
    sp_bytes_to_symbols(word, len, &scratch->text);
    int id = sp_vocabulary_find(bpe->vocabulary, scratch->text.data, scratch->text.len);
    if (id >= 0) sp_ints_push(out, id);
    return id >= 0;
}

static sp_cached_word *make_cached(const char *word, size_t len, const int *ids, size_t count) {
    sp_cached_word *cached = sp_alloc(1, sizeof *cached + count * sizeof *ids + len);
    char *text = (char *)(cached->ids + count);
    memcpy(text, word, len);
    memcpy(cached->ids, ids, count * sizeof *ids);
    cached->len = len, cached->count = count, cached->text = text;
    return cached;
}

void sp_bpe_encode(const sp_bpe *bpe, sp_bpe_scratch *scratch, const char *word, size_t len,
                   sp_ints *out) {
    struct sp_cached_word *_Atomic *slot = &bpe->cache[sp_hash_bytes(word, len) % SP_BPE_CACHE];
    sp_cached_word *cached = atomic_load_explicit(slot, memory_order_acquire);
    if (cached && cached->len == len && memcmp(cached->text, word, len) == 0) {
        sp_ints_append(out, cached->ids, cached->count);
        return;
    }
    size_t start = out->len;
    if (!bpe->whole_words_first || !find_whole(bpe, scratch, word, len, out))
        merge_word(bpe, scratch, word, len, out);
    if (cached || len > LONGEST_CACHED || out->len == start) return;
    sp_cached_word *fresh = make_cached(word, len, out->data + start, out->len - start);
    sp_cached_word *empty = NULL;
    if (!atomic_compare_exchange_strong(slot, &empty, fresh)) free(fresh);
}
