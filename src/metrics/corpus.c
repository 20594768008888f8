#include "metrics/corpus.h"

#include <stdlib.h>

uint32_t sp_word_id(sp_word_map *vocabulary, const char *word, size_t len) {
    const sp_word *entry = sp_word_map_add(vocabulary, word, len);
    return (uint32_t)(entry - vocabulary->words);
}

typedef struct reader {
    sp_corpus *corpus;
    sp_tokenize *tokenize;
    sp_symbols characters;
    sp_buf word;
} reader;

static void end_word(reader *r) {
    if (!r->word.len) return;
    sp_symbols_push(&r->corpus->ids, sp_word_id(&r->corpus->vocabulary, r->word.data, r->word.len));
    sp_buf_clear(&r->word);
}

/* Only the length is known until the ids of all texts are there. */
static sp_words read_text(reader *r, const char *text) {
    size_t before = r->corpus->ids.len;
    r->tokenize(text, &r->characters);
    for (size_t i = 0; i < r->characters.len; i++) {
        if (sp_is_white_space(r->characters.data[i]))
            end_word(r);
        else
            sp_put_character(r->characters.data[i], &r->word);
    }
    end_word(r);
    return (sp_words){NULL, r->corpus->ids.len - before};
}

static size_t references_of(const sp_scored_text *text) {
    return text->reference_count ? text->reference_count : 1;
}

static void read_all(reader *r, const sp_scored_text *texts) {
    sp_words *next = r->corpus->all;
    for (size_t i = 0; i < r->corpus->count; i++) {
        *next++ = read_text(r, texts[i].hypothesis);
        for (size_t k = 0; k < references_of(&texts[i]); k++)
            *next++ = read_text(r, texts[i].reference_count ? texts[i].references[k] : "");
    }
}

/* Makes everything point to the ids, which move no more. */
static void connect(sp_corpus *corpus, const sp_scored_text *texts) {
    const uint32_t *ids = corpus->ids.data;
    sp_words *next = corpus->all;
    for (size_t i = 0; i < corpus->count; i++) {
        size_t references = references_of(&texts[i]);
        for (size_t k = 0; k < 1 + references; k++) {
            next[k].ids = ids;
            ids += next[k].len;
        }
        corpus->texts[i] = (sp_word_text){next[0], next + 1, references};
        next += 1 + references;
    }
}

void sp_corpus_read(const sp_scored_text *texts, size_t count, sp_tokenize *tokenize,
                    sp_corpus *out) {
    *out = (sp_corpus){.count = count};
    size_t all = 0;
    for (size_t i = 0; i < count; i++) all += 1 + references_of(&texts[i]);
    out->texts = sp_alloc(count, sizeof *out->texts);
    out->all = sp_alloc(all, sizeof *out->all);
    sp_symbols_push(&out->ids, 0); /* so that a corpus without words has an array as well */
    out->ids.len = 0;
    reader r = {.corpus = out, .tokenize = tokenize};
    read_all(&r, texts);
    connect(out, texts);
    sp_symbols_free(&r.characters);
    sp_buf_free(&r.word);
}

void sp_corpus_free(sp_corpus *corpus) {
    free(corpus->texts);
    free(corpus->all);
    sp_symbols_free(&corpus->ids);
    sp_word_map_free(&corpus->vocabulary);
    *corpus = (sp_corpus){0};
}
