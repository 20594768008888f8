/* The texts of a score as words, and words as numbers, so that metrics compare integers. */
#ifndef SP_METRICS_CORPUS_H
#define SP_METRICS_CORPUS_H

#include "metrics/metric.h"
#include "metrics/tokenizers.h"
#include "text/word_map.h"

/* A text: its words by number. */
typedef struct sp_words {
    const uint32_t *ids; /* [len] */
    size_t len;
} sp_words;

typedef struct sp_word_text {
    sp_words hypothesis;
    const sp_words *references; /* [reference_count] */
    size_t reference_count;     /* at least 1: a text without references has an empty one */
} sp_word_text;

typedef struct sp_corpus {
    sp_word_text *texts;
    size_t count;
    sp_word_map vocabulary; /* a word's number is its index in vocabulary.words */
    sp_symbols ids;         /* of all texts, one behind the other */
    sp_words *all;          /* hypotheses and references in the order of `ids` */
} sp_corpus;

/* Cuts all texts; equal words have equal numbers throughout. Release with sp_corpus_free. */
void sp_corpus_read(const sp_scored_text *texts, size_t count, sp_tokenize *tokenize,
                    sp_corpus *out);
void sp_corpus_free(sp_corpus *corpus);

/* The number of a word, which is added if it is new. */
uint32_t sp_word_id(sp_word_map *vocabulary, const char *word, size_t len);

#endif
