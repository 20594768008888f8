/* Byte-pair encoding of one word (Sennrich et al. 2016, section 3.2): merges of two neighbouring
 * tokens into one, the earliest merge of the list first, leftmost first. */
#ifndef SP_TEXT_BPE_H
#define SP_TEXT_BPE_H

#include "core/memory.h"
#include "text/vocabulary.h"

#include <stdbool.h>

enum { SP_BPE_CACHE = 1 << 16 };

typedef struct sp_bpe {
    int byte_ids[256];   /* -1 where a byte has neither a token nor an unknown token */
    sp_pair_map pairs;   /* pairs that merge */
    int *ranks, *merged; /* by pair index: place in the list, and the id that replaces the pair */
    size_t cap;
    const sp_vocabulary *vocabulary; /* the tokenizer's; tokens in byte-level symbols */
    bool whole_words_first;          /* a word that is a token needs no merges ("ignore_merges") */
    /* Words seen before. A slot is filled once and never changed, so that threads share it without
     * a lock. */
    struct sp_cached_word *_Atomic *cache;
} sp_bpe;

/* Working memory of one caller; starts as {0}. */
typedef struct sp_bpe_scratch {
    struct sp_bpe_symbol *symbols;
    struct sp_bpe_candidate *heap;
    size_t symbol_cap, heap_len, heap_cap;
    sp_buf text;
} sp_bpe_scratch;

/* A new one, without merges. Release with sp_bpe_free. */
sp_bpe *sp_bpe_new(const sp_vocabulary *vocabulary);
void sp_bpe_add_merge(sp_bpe *bpe, int left, int right, int rank, int merged);
void sp_bpe_free(sp_bpe *bpe);

/* Appends the ids of a word's bytes. Any bytes are allowed; time is O(len log len). */
void sp_bpe_encode(const sp_bpe *bpe, sp_bpe_scratch *scratch, const char *word, size_t len,
                   sp_ints *out);
void sp_bpe_scratch_free(sp_bpe_scratch *scratch);

#endif
