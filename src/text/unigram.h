/* The Unigram language model (Kudo 2018, section 3.2): of all ways to cut a piece into tokens, the
 * one whose log-probabilities have the largest sum. */
#ifndef SP_TEXT_UNIGRAM_H
#define SP_TEXT_UNIGRAM_H

#include "core/memory.h"
#include "text/trie.h"
#include "text/vocabulary.h"

typedef struct sp_unigram {
    const sp_vocabulary *vocabulary; /* the tokenizer's */
    sp_trie trie;
    double *scores; /* log-probabilities by id */
    double unknown_score;
    int unknown;       /* -1: none */
    bool has_bytes;    /* what is unknown is spelt with the tokens of its bytes */
    int byte_ids[256]; /* of <0x00> to <0xFF>, -1 where there is none */
} sp_unigram;

/* How a piece is best cut up to a place of it. */
typedef struct sp_unigram_step {
    double score;
    int start, id; /* of the last token; start -1: not reached */
} sp_unigram_step;

/* Working memory of one caller; starts as {0}. */
typedef struct sp_unigram_scratch {
    sp_unigram_step *steps;
    size_t cap;
    sp_ints cuts; /* places, from the end of the piece to its start */
} sp_unigram_scratch;

#endif
