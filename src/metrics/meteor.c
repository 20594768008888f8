#include "core/memory.h"
#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/synonyms.h"

#include <libstemmer.h>
#include <limits.h>
#include <stdlib.h>
#include <utf8proc.h>

/* Lavie & Agarwal 2007, section 2: weight of precision, and shape and weight of the penalty. */
static const double ALPHA = 0.9, GAMMA = 0.5; /* the penalty's exponent, beta, is 3 */

/* Synonyms of a stem that occur in the corpus, [count] numbers. */
typedef struct synonyms {
    uint32_t *ids;
    size_t count, cap;
    bool known;
} synonyms;

typedef struct meteor_words {
    sp_word_map *vocabulary; /* the words of the corpus, then stems that are no words */
    uint32_t *stems;         /* by word */
    synonyms *synonyms;      /* by stem, found when they are first asked for */
} meteor_words;

/* ---- stems and synonyms ---- */

static bool is_utf8(const sp_word *word) {
    utf8proc_ssize_t at = 0, len = (utf8proc_ssize_t)word->len;
    while (at < len) {
        utf8proc_int32_t character;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)word->text + at, len - at, &character);
        if (bytes <= 0) return false;
        at += bytes;
    }
    return len < INT_MAX;
}

static uint32_t find_stem(struct sb_stemmer *stemmer, sp_word_map *vocabulary, uint32_t id) {
    const sp_word *word = &vocabulary->words[id];
    if (!is_utf8(word)) return id;
    const sb_symbol *stem = sb_stemmer_stem(stemmer, (const sb_symbol *)word->text, (int)word->len);
    if (!stem) sp_panic("libstemmer has no memory left");
    return sp_word_id(vocabulary, (const char *)stem, (size_t)sb_stemmer_length(stemmer));
}

static void stem_words(sp_word_map *vocabulary, meteor_words *out) {
    struct sb_stemmer *stemmer = sb_stemmer_new("porter", NULL);
    if (!stemmer) sp_panic("libstemmer has no stemmer 'porter'");
    size_t words = vocabulary->count;
    out->vocabulary = vocabulary;
    out->stems = sp_alloc(words, sizeof *out->stems);
    for (size_t i = 0; i < words; i++) out->stems[i] = find_stem(stemmer, vocabulary, (uint32_t)i);
    out->synonyms = sp_alloc(vocabulary->count, sizeof *out->synonyms);
    sb_stemmer_delete(stemmer);
}

static void free_words(meteor_words *words) {
    for (size_t i = 0; i < words->vocabulary->count; i++) free(words->synonyms[i].ids);
    free(words->synonyms);
    free(words->stems);
}

typedef struct synonym_list {
    const sp_word_map *vocabulary;
    synonyms *found;
} synonym_list;

static void add_synonym(void *user, const char *word, size_t len) {
    synonym_list *list = user;
    const sp_word *entry = sp_word_map_find(list->vocabulary, word, len);
    if (!entry) return;
    synonyms *s = list->found;
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 8;
        s->ids = sp_realloc(s->ids, s->cap, sizeof *s->ids);
    }
    s->ids[s->count++] = (uint32_t)(entry - list->vocabulary->words);
}

static const synonyms *synonyms_of(meteor_words *words, uint32_t stem) {
    synonyms *s = &words->synonyms[stem];
    if (!s->known) {
        const sp_word *word = &words->vocabulary->words[stem];
        synonym_list list = {words->vocabulary, s};
        sp_find_synonyms(word->text, word->len, add_synonym, &list);
        s->known = true;
    }
    return s;
}

/* ---- alignment ---- */

enum { UNALIGNED = -1 };

/* Which word of the reference each word of the hypothesis is aligned with. */
typedef struct alignment {
    long *target; /* [hypothesis length], UNALIGNED or a place in the reference */
    bool *taken;  /* [reference length] */
    size_t target_cap, taken_cap;
} alignment;

typedef bool is_match(meteor_words *words, uint32_t hypothesis, uint32_t reference);

static bool is_same_word(meteor_words *words, uint32_t hypothesis, uint32_t reference) {
    (void)words;
    return hypothesis == reference;
}

static bool has_same_stem(meteor_words *words, uint32_t hypothesis, uint32_t reference) {
    return words->stems[hypothesis] == words->stems[reference];
}

/* As nltk, which goes on with the stems and not with the words. */
static bool has_synonymous_stem(meteor_words *words, uint32_t hypothesis, uint32_t reference) {
    const synonyms *s = synonyms_of(words, words->stems[hypothesis]);
    for (size_t i = 0; i < s->count; i++)
        if (s->ids[i] == words->stems[reference]) return true;
    return false;
}

/* Aligns what is left, both texts from their ends; returns how many pairs it adds. */
static size_t align(meteor_words *words, sp_words hypothesis, sp_words reference, is_match *match,
                    alignment *a) {
    size_t pairs = 0;
    for (size_t i = hypothesis.len; i-- > 0;) {
        if (a->target[i] != UNALIGNED) continue;
        size_t j = reference.len;
        while (j > 0 && (a->taken[j - 1] || !match(words, hypothesis.ids[i], reference.ids[j - 1])))
            j--;
        if (j == 0) continue;
        a->target[i] = (long)j - 1;
        a->taken[j - 1] = true;
        pairs++;
    }
    return pairs;
}

static void clear_alignment(alignment *a, size_t hypothesis, size_t reference) {
    if (hypothesis > a->target_cap) {
        a->target_cap = 2 * hypothesis;
        a->target = sp_realloc(a->target, a->target_cap, sizeof *a->target);
    }
    if (reference > a->taken_cap) {
        a->taken_cap = 2 * reference;
        a->taken = sp_realloc(a->taken, a->taken_cap, sizeof *a->taken);
    }
    for (size_t i = 0; i < hypothesis; i++) a->target[i] = UNALIGNED;
    for (size_t j = 0; j < reference; j++) a->taken[j] = false;
}

/* Runs of aligned words that stand side by side in both texts. */
static size_t count_chunks(const alignment *a, size_t hypothesis) {
    size_t chunks = 0;
    for (size_t i = 0; i < hypothesis; i++) {
        if (a->target[i] == UNALIGNED) continue;
        bool goes_on =
            i > 0 && a->target[i - 1] != UNALIGNED && a->target[i - 1] + 1 == a->target[i];
        if (!goes_on) chunks++;
    }
    return chunks;
}

/* In [0, 1] (Lavie & Agarwal 2007, section 2). */
static double score_pair(meteor_words *words, sp_words hypothesis, sp_words reference,
                         alignment *a) {
    static is_match *const stages[] = {is_same_word, has_same_stem, has_synonymous_stem};
    size_t matches = 0;
    clear_alignment(a, hypothesis.len, reference.len);
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
        matches += align(words, hypothesis, reference, stages[s], a);
    if (!matches) return 0;
    double precision = (double)matches / (double)hypothesis.len;
    double recall = (double)matches / (double)reference.len;
    double mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall);
    double fragments = (double)count_chunks(a, hypothesis.len) / (double)matches;
    return (1 - GAMMA * fragments * fragments * fragments) * mean;
}

static double score_text(meteor_words *words, const sp_word_text *text, alignment *a) {
    double best = 0;
    for (size_t r = 0; r < text->reference_count; r++) {
        double score = score_pair(words, text->hypothesis, text->references[r], a);
        if (score > best) best = score;
    }
    return best;
}

static void measure_meteor(const sp_scored_text *texts, size_t count, double *out) {
    if (count == 0) return;
    if (sp_synonyms_load()) sp_panic("%s", sp_error());
    sp_corpus corpus;
    sp_corpus_read(texts, count, sp_tokenize_13a_lower, &corpus);
    meteor_words words;
    stem_words(&corpus.vocabulary, &words);
    alignment a = {0};
    for (size_t i = 0; i < count; i++) out[i] = score_text(&words, &corpus.texts[i], &a);
    free(a.target);
    free(a.taken);
    free_words(&words);
    sp_corpus_free(&corpus);
}

static double score_meteor(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_meteor, texts, count);
}

const sp_metric sp_metric_meteor = {.name = "meteor",
                                    .title = "METEOR",
                                    .task = SP_GENERATION,
                                    .decimals = 1,
                                    .higher_is_better = true,
                                    .prepare = sp_synonyms_load,
                                    .score = score_meteor,
                                    .sums = 1,
                                    .measure = measure_meteor,
                                    .combine = sp_metric_mean_percent};
