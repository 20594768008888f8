/* A set of n-grams of symbols with the counts that clipped matching needs: how often an n-gram
 * stands in the hypothesis and in a reference (Papineni et al. 2002, section 2.1). */
#ifndef SP_METRICS_NGRAMS_H
#define SP_METRICS_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_ngram {
    const uint32_t *symbols; /* [order], borrowed */
    uint32_t order;
    uint32_t hypothesis; /* occurrences in the hypothesis, or in all texts taken */
    uint32_t reference;  /* occurrences in the reference compared last */
    uint32_t clipped;    /* the largest min(hypothesis, reference) over all references compared */
    uint32_t hash, slot;
} sp_ngram;

/* Items are in the order of their first sight, so an item's index is its number. Start from {0}. */
typedef struct sp_ngrams {
    sp_ngram *items;
    size_t len, cap;
    uint32_t *slots; /* open addressing; index of the item + 1, 0 when free */
    size_t slot_count;
} sp_ngrams;

/* The item for symbols[order], added with zero counts if new; valid until the next addition. The
 * symbols are borrowed until sp_ngrams_clear. */
sp_ngram *sp_ngrams_add(sp_ngrams *set, const uint32_t *symbols, size_t order);
/* NULL if not there. */
const sp_ngram *sp_ngrams_find(const sp_ngrams *set, const uint32_t *symbols, size_t order);

/* Adds the n-grams of orders 1 to `orders` of a hypothesis (or, where a metric counts references as
 * a whole, of a reference) and raises their `hypothesis`; `symbols` is borrowed. */
void sp_ngrams_take(sp_ngrams *set, const uint32_t *symbols, size_t len, size_t orders);
/* Counts those of the n-grams that also stand in a reference: fills `reference` and `clipped`. */
void sp_ngrams_compare(sp_ngrams *set, const uint32_t *symbols, size_t len, size_t orders);

/* How many n-grams of one order a text of `len` symbols has. */
static inline size_t sp_ngrams_in(size_t len, size_t order) {
    return len < order ? 0 : len - order + 1;
}

void sp_ngrams_clear(sp_ngrams *set); /* empty, memory kept */
void sp_ngrams_free(sp_ngrams *set);

#endif
