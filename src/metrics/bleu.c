#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/ngrams.h"

#include <math.h>

enum { ORDERS = 4 };

/* Sums over the corpus (Papineni et al. 2002, section 2.3). */
typedef struct bleu_sums {
    size_t matches[ORDERS], totals[ORDERS];
    size_t hypothesis_length, reference_length;
} bleu_sums;

static size_t distance(size_t a, size_t b) {
    return a > b ? a - b : b - a;
}

/* Whether `length` is closer to the hypothesis than `best`; of two as close, the shorter one is. */
static bool is_closer(size_t length, size_t best, size_t hypothesis) {
    size_t d = distance(length, hypothesis), d_best = distance(best, hypothesis);
    return d < d_best || (d == d_best && length < best);
}

/* Compares with every reference; returns the length of the one closest in length. */
static size_t compare_references(sp_ngrams *ngrams, const sp_word_text *text) {
    size_t closest = text->references[0].len;
    for (size_t r = 0; r < text->reference_count; r++) {
        const sp_words *reference = &text->references[r];
        sp_ngrams_compare(ngrams, reference->ids, reference->len, ORDERS);
        if (is_closer(reference->len, closest, text->hypothesis.len)) closest = reference->len;
    }
    return closest;
}

static void add_text(sp_ngrams *ngrams, const sp_word_text *text, bleu_sums *sums) {
    size_t length = text->hypothesis.len;
    sp_ngrams_clear(ngrams);
    sp_ngrams_take(ngrams, text->hypothesis.ids, length, ORDERS);
    sums->hypothesis_length += length;
    sums->reference_length += compare_references(ngrams, text);
    for (size_t n = 1; n <= ORDERS; n++) sums->totals[n - 1] += sp_ngrams_in(length, n);
    for (size_t i = 0; i < ngrams->len; i++)
        sums->matches[ngrams->items[i].order - 1] += ngrams->items[i].clipped;
}

static bleu_sums sum_texts(const sp_scored_text *texts, size_t count, sp_tokenize *tokenize) {
    sp_corpus corpus;
    sp_corpus_read(texts, count, tokenize, &corpus);
    bleu_sums sums = {0};
    sp_ngrams ngrams = {0};
    for (size_t i = 0; i < count; i++) add_text(&ngrams, &corpus.texts[i], &sums);
    sp_ngrams_free(&ngrams);
    sp_corpus_free(&corpus);
    return sums;
}

static double brevity_penalty(const bleu_sums *s) {
    if (s->hypothesis_length >= s->reference_length) return 1;
    return exp(1 - (double)s->reference_length / (double)s->hypothesis_length);
}

/* The k-th order without a match counts as 1/2^k matches (Chen & Cherry 2014, smoothing 3). */
static double smoothed_precision(const bleu_sums *s) {
    double sum_of_logs = 0, missing = 1;
    for (int n = 0; n < ORDERS; n++) {
        double matches = (double)s->matches[n];
        if (s->matches[n] == 0) matches = 1 / (missing *= 2);
        sum_of_logs += log(matches / (double)s->totals[n]);
    }
    return exp(sum_of_logs / ORDERS);
}

static double plain_precision(const bleu_sums *s) {
    for (int n = 0; n < ORDERS; n++)
        if (s->matches[n] == 0) return 0;
    return smoothed_precision(s);
}

static double score_bleu(const sp_scored_text *texts, size_t count) {
    bleu_sums sums = sum_texts(texts, count, sp_tokenize_13a);
    /* Without a single match, or without a 4-gram anywhere, sacrebleu gives 0. */
    if (sums.matches[0] == 0 || sums.totals[ORDERS - 1] == 0) return 0;
    return 100 * brevity_penalty(&sums) * smoothed_precision(&sums);
}

static double score_unsmoothed(const sp_scored_text *texts, size_t count, sp_tokenize *tokenize) {
    bleu_sums sums = sum_texts(texts, count, tokenize);
    if (sums.hypothesis_length == 0) return 0;
    return 100 * brevity_penalty(&sums) * plain_precision(&sums);
}

static double score_webnlg(const sp_scored_text *texts, size_t count) {
    return score_unsmoothed(texts, count, sp_tokenize_webnlg);
}

static double score_e2e(const sp_scored_text *texts, size_t count) {
    return score_unsmoothed(texts, count, sp_tokenize_13a_lower);
}

const sp_metric sp_metric_bleu = {.name = "bleu",
                                  .title = "BLEU",
                                  .task = SP_GENERATION,
                                  .decimals = 1,
                                  .higher_is_better = true,
                                  .score = score_bleu};
const sp_metric sp_metric_bleu_webnlg = {.name = "bleu-webnlg",
                                         .title = "BLEU-WebNLG",
                                         .task = SP_GENERATION,
                                         .decimals = 1,
                                         .higher_is_better = true,
                                         .score = score_webnlg};
const sp_metric sp_metric_bleu_e2e = {.name = "bleu-e2e",
                                      .title = "BLEU-E2E",
                                      .task = SP_GENERATION,
                                      .decimals = 1,
                                      .higher_is_better = true,
                                      .score = score_e2e};
