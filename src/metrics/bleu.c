#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/ngrams.h"

#include <math.h>
#include <string.h>

enum { ORDERS = 4 };

/* What a text has, and what adds up over the corpus (Papineni et al. 2002, section 2.3): numbers
 * that a double holds exactly. */
typedef struct bleu_sums {
    double matches[ORDERS], totals[ORDERS];
    double hypothesis_length, reference_length;
} bleu_sums;
enum { SUMS = sizeof(bleu_sums) / sizeof(double) };

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

static bleu_sums measure_text(sp_ngrams *ngrams, const sp_word_text *text) {
    bleu_sums sums = {0};
    size_t length = text->hypothesis.len;
    sp_ngrams_clear(ngrams);
    sp_ngrams_take(ngrams, text->hypothesis.ids, length, ORDERS);
    sums.hypothesis_length = (double)length;
    sums.reference_length = (double)compare_references(ngrams, text);
    for (size_t n = 1; n <= ORDERS; n++) sums.totals[n - 1] = (double)sp_ngrams_in(length, n);
    for (size_t i = 0; i < ngrams->len; i++)
        sums.matches[ngrams->items[i].order - 1] += ngrams->items[i].clipped;
    return sums;
}

static void measure_texts(const sp_scored_text *texts, size_t count, sp_tokenize *tokenize,
                          double *out) {
    sp_corpus corpus;
    sp_corpus_read(texts, count, tokenize, &corpus);
    sp_ngrams ngrams = {0};
    for (size_t i = 0; i < count; i++) {
        bleu_sums sums = measure_text(&ngrams, &corpus.texts[i]);
        memcpy(out + i * SUMS, &sums, sizeof sums);
    }
    sp_ngrams_free(&ngrams);
    sp_corpus_free(&corpus);
}

static bleu_sums as_sums(const double *numbers) {
    bleu_sums sums;
    memcpy(&sums, numbers, sizeof sums);
    return sums;
}

static double brevity_penalty(const bleu_sums *s) {
    if (s->hypothesis_length >= s->reference_length) return 1;
    return exp(1 - s->reference_length / s->hypothesis_length);
}

/* The k-th order without a match counts as 1/2^k matches (Chen & Cherry 2014, smoothing 3). */
static double smoothed_precision(const bleu_sums *s) {
    double sum_of_logs = 0, missing = 1;
    for (int n = 0; n < ORDERS; n++) {
        double matches = s->matches[n];
        if (s->matches[n] == 0) matches = 1 / (missing *= 2);
        sum_of_logs += log(matches / s->totals[n]);
    }
    return exp(sum_of_logs / ORDERS);
}

static double plain_precision(const bleu_sums *s) {
    for (int n = 0; n < ORDERS; n++)
        if (s->matches[n] == 0) return 0;
    return smoothed_precision(s);
}

static double combine_smoothed(const double *numbers, size_t count) {
    (void)count;
    bleu_sums sums = as_sums(numbers);
    /* Without a single match, or without a 4-gram anywhere, sacrebleu gives 0. */
    if (sums.matches[0] == 0 || sums.totals[ORDERS - 1] == 0) return 0;
    return 100 * brevity_penalty(&sums) * smoothed_precision(&sums);
}

static double combine_plain(const double *numbers, size_t count) {
    (void)count;
    bleu_sums sums = as_sums(numbers);
    if (sums.hypothesis_length == 0) return 0;
    return 100 * brevity_penalty(&sums) * plain_precision(&sums);
}

static void measure_13a(const sp_scored_text *texts, size_t count, double *out) {
    measure_texts(texts, count, sp_tokenize_13a, out);
}

static void measure_webnlg(const sp_scored_text *texts, size_t count, double *out) {
    measure_texts(texts, count, sp_tokenize_webnlg, out);
}

static void measure_e2e(const sp_scored_text *texts, size_t count, double *out) {
    measure_texts(texts, count, sp_tokenize_13a_lower, out);
}

static double score_bleu(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_bleu, texts, count);
}

static double score_webnlg(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_bleu_webnlg, texts, count);
}

static double score_e2e(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_bleu_e2e, texts, count);
}

const sp_metric sp_metric_bleu = {.name = "bleu",
                                  .title = "BLEU",
                                  .task = SP_GENERATION,
                                  .decimals = 1,
                                  .higher_is_better = true,
                                  .score = score_bleu,
                                  .sums = SUMS,
                                  .measure = measure_13a,
                                  .combine = combine_smoothed};
const sp_metric sp_metric_bleu_webnlg = {.name = "bleu-webnlg",
                                         .title = "BLEU-WebNLG",
                                         .task = SP_GENERATION,
                                         .decimals = 1,
                                         .higher_is_better = true,
                                         .score = score_webnlg,
                                         .sums = SUMS,
                                         .measure = measure_webnlg,
                                         .combine = combine_plain};
const sp_metric sp_metric_bleu_e2e = {.name = "bleu-e2e",
                                      .title = "BLEU-E2E",
                                      .task = SP_GENERATION,
                                      .decimals = 1,
                                      .higher_is_better = true,
                                      .score = score_e2e,
                                      .sums = SUMS,
                                      .measure = measure_e2e,
                                      .combine = combine_plain};
