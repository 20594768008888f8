#include "metrics/ngrams.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 }; /* a power of two, as is every later size */

/* The hash of an n-gram extends that of its first n - 1 symbols. */
static uint32_t extend_hash(uint32_t hash, uint32_t symbol) {
    hash = (hash ^ symbol) * 0x9E3779B1u;
    return hash ^ (hash >> 15);
}

static uint32_t hash_symbols(const uint32_t *symbols, size_t order) {
    uint32_t hash = 0;
    for (size_t i = 0; i < order; i++) hash = extend_hash(hash, symbols[i]);
    return hash;
}

/* The slot that holds the n-gram, or the free one where it belongs. */
static uint32_t find_slot(const sp_ngrams *set, const uint32_t *symbols, size_t order,
                          uint32_t hash) {
    uint32_t mask = (uint32_t)(set->slot_count - 1);
    for (uint32_t slot = hash & mask;; slot = (slot + 1) & mask) {
        if (!set->slots[slot]) return slot;
        const sp_ngram *item = &set->items[set->slots[slot] - 1];
        if (item->hash == hash && item->order == order &&
            memcmp(item->symbols, symbols, order * sizeof *symbols) == 0)
            return slot;
    }
}

static sp_ngram *find_hashed(const sp_ngrams *set, const uint32_t *symbols, size_t order,
                             uint32_t hash) {
    if (!set->slot_count) return NULL;
    uint32_t item = set->slots[find_slot(set, symbols, order, hash)];
    return item ? &set->items[item - 1] : NULL;
}

/* At most half of the slots are taken, so that a search is short. */
static void grow(sp_ngrams *set) {
    free(set->slots);
    set->slot_count = set->slot_count ? 2 * set->slot_count : FIRST_SLOTS;
    set->slots = sp_alloc(set->slot_count, sizeof *set->slots);
    set->cap = set->slot_count / 2;
    set->items = sp_realloc(set->items, set->cap, sizeof *set->items);
    for (size_t i = 0; i < set->len; i++) {
        sp_ngram *item = &set->items[i];
        item->slot = find_slot(set, item->symbols, item->order, item->hash);
        set->slots[item->slot] = (uint32_t)(i + 1);
    }
}

static sp_ngram *add_hashed(sp_ngrams *set, const uint32_t *symbols, size_t order, uint32_t hash) {
    sp_ngram *item = find_hashed(set, symbols, order, hash);
    if (item) return item;
    if (set->len == set->cap) grow(set);
    uint32_t slot = find_slot(set, symbols, order, hash);
    item = &set->items[set->len++];
    *item = (sp_ngram){.symbols = symbols, .order = (uint32_t)order, .hash = hash, .slot = slot};
    set->slots[slot] = (uint32_t)set->len;
    return item;
}

sp_ngram *sp_ngrams_add(sp_ngrams *set, const uint32_t *symbols, size_t order) {
    return add_hashed(set, symbols, order, hash_symbols(symbols, order));
}

const sp_ngram *sp_ngrams_find(const sp_ngrams *set, const uint32_t *symbols, size_t order) {
    return find_hashed(set, symbols, order, hash_symbols(symbols, order));
}

void sp_ngrams_take(sp_ngrams *set, const uint32_t *symbols, size_t len, size_t orders) {
    for (size_t first = 0; first < len; first++) {
        uint32_t hash = 0;
        for (size_t n = 1; n <= orders && first + n <= len; n++) {
            hash = extend_hash(hash, symbols[first + n - 1]);
            add_hashed(set, symbols + first, n, hash)->hypothesis++;
        }
    }
}

void sp_ngrams_compare(sp_ngrams *set, const uint32_t *symbols, size_t len, size_t orders) {
    for (size_t i = 0; i < set->len; i++) set->items[i].reference = 0;
    for (size_t first = 0; first < len; first++) {
        uint32_t hash = 0;
        for (size_t n = 1; n <= orders && first + n <= len; n++) {
            hash = extend_hash(hash, symbols[first + n - 1]);
            sp_ngram *item = find_hashed(set, symbols + first, n, hash);
            if (!item) break; /* then no longer n-gram from here is in the hypothesis either */
            item->reference++;
            if (item->reference > item->clipped && item->reference <= item->hypothesis)
                item->clipped = item->reference;
        }
    }
}

void sp_ngrams_clear(sp_ngrams *set) {
    for (size_t i = 0; i < set->len; i++) set->slots[set->items[i].slot] = 0;
    set->len = 0;
}

void sp_ngrams_free(sp_ngrams *set) {
    free(set->items);
    free(set->slots);
    *set = (sp_ngrams){0};
}
