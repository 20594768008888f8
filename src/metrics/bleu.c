#include "metrics/metric.h"
#include "metrics/tokenize_13a.h"

#include <math.h>

enum { ORDERS = 4 };

/* Sums over the corpus (Papineni et al. 2002, section 2.3). */
typedef struct bleu_sums {
    size_t matches[ORDERS], totals[ORDERS];
    size_t hypothesis_length, reference_length;
} bleu_sums;

typedef struct bleu_workspace {
    sp_symbols hypothesis, hypothesis_words, reference, reference_words;
    sp_ngrams words, ngrams;
} bleu_workspace;

static size_t distance(size_t a, size_t b) {
    return a > b ? a - b : b - a;
}

/* Whether `length` is closer to the hypothesis than `best`; of two as close, the shorter one is. */
static bool is_closer(size_t length, size_t best, size_t hypothesis) {
    size_t d = distance(length, hypothesis), d_best = distance(best, hypothesis);
    return d < d_best || (d == d_best && length < best);
}

/* Compares with every reference; returns the length of the one closest in length. */
static size_t compare_references(bleu_workspace *w, const sp_scored_text *text) {
    size_t closest = 0;
    for (size_t r = 0; r < text->reference_count; r++) {
        sp_tokenize_13a(text->references[r], &w->reference);
        sp_find_words(&w->reference, &w->words, &w->reference_words);
        size_t length = w->reference_words.len;
        sp_ngrams_compare(&w->ngrams, w->reference_words.data, length, ORDERS);
        if (r == 0 || is_closer(length, closest, w->hypothesis_words.len)) closest = length;
    }
    return closest;
}

static void add_text(bleu_workspace *w, const sp_scored_text *text, bleu_sums *sums) {
    sp_ngrams_clear(&w->ngrams);
    sp_ngrams_clear(&w->words);
    sp_tokenize_13a(text->hypothesis, &w->hypothesis);
    sp_add_words(&w->hypothesis, &w->words, &w->hypothesis_words);
    size_t length = w->hypothesis_words.len;
    sp_ngrams_take(&w->ngrams, w->hypothesis_words.data, length, ORDERS);
    sums->hypothesis_length += length;
    sums->reference_length += compare_references(w, text);
    for (size_t n = 1; n <= ORDERS; n++) sums->totals[n - 1] += sp_ngrams_in(length, n);
    for (size_t i = 0; i < w->ngrams.len; i++)
        sums->matches[w->ngrams.items[i].order - 1] += w->ngrams.items[i].clipped;
}

static double brevity_penalty(const bleu_sums *s) {
    if (s->hypothesis_length >= s->reference_length) return 1;
    return exp(1 - (double)s->reference_length / (double)s->hypothesis_length);
}

/* The k-th order without a match counts as 1/2^k matches (Chen & Cherry 2014, smoothing 3). */
static double geometric_mean_of_precisions(const bleu_sums *s) {
    double sum_of_logs = 0, missing = 1;
    for (int n = 0; n < ORDERS; n++) {
        double matches = (double)s->matches[n];
        if (s->matches[n] == 0) matches = 1 / (missing *= 2);
        sum_of_logs += log(matches / (double)s->totals[n]);
    }
    return exp(sum_of_logs / ORDERS);
}

static double score_bleu(const sp_scored_text *texts, size_t count) {
    bleu_sums sums = {0};
    bleu_workspace w = {0};
    for (size_t i = 0; i < count; i++) add_text(&w, &texts[i], &sums);
    sp_symbols_free(&w.hypothesis), sp_symbols_free(&w.hypothesis_words);
    sp_symbols_free(&w.reference), sp_symbols_free(&w.reference_words);
    sp_ngrams_free(&w.words), sp_ngrams_free(&w.ngrams);
    /* Without a single match, or without a 4-gram anywhere, sacrebleu gives 0. */
    if (sums.matches[0] == 0 || sums.totals[ORDERS - 1] == 0) return 0;
    return 100 * brevity_penalty(&sums) * geometric_mean_of_precisions(&sums);
}

const sp_metric sp_metric_bleu = {
    .name = "bleu", .title = "BLEU", .higher_is_better = true, .score = score_bleu};
