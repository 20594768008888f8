#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/ngrams.h"

#include <math.h>

enum { ORDERS = 5 };

/* Sums over the corpus, order by order: the reference that counts may be another for each. */
typedef struct nist_sums {
    double information[ORDERS];
    size_t totals[ORDERS];
    size_t hypothesis_length, reference_length;
} nist_sums;

/* N-grams of all references and how often each stands in them. */
typedef struct reference_counts {
    sp_ngrams ngrams;
    size_t words;
} reference_counts;

static void count_references(const sp_corpus *corpus, reference_counts *out) {
    for (size_t i = 0; i < corpus->count; i++)
        for (size_t r = 0; r < corpus->texts[i].reference_count; r++) {
            const sp_words *reference = &corpus->texts[i].references[r];
            sp_ngrams_take(&out->ngrams, reference->ids, reference->len, ORDERS);
            out->words += reference->len;
        }
}

/* log2 of (count of the n-gram without its last word / count of the n-gram); for a single word the
 * former is the number of all words (Doddington 2002, equation 2). The n-gram is in a reference.
 * The quotient of two logarithms rounds as nltk's, which decides between references. */
static double information(const reference_counts *all, const sp_ngram *g) {
    double whole = sp_ngrams_find(&all->ngrams, g->symbols, g->order)->hypothesis;
    double start = (double)all->words;
    if (g->order > 1) start = sp_ngrams_find(&all->ngrams, g->symbols, g->order - 1)->hypothesis;
    return log(start / whole) / log(2);
}

/* The information of the n-grams that a hypothesis shares with one reference, by order. */
static void shared_information(const reference_counts *all, sp_ngrams *hypothesis,
                               const sp_words *reference, double out[ORDERS]) {
    for (int n = 0; n < ORDERS; n++) out[n] = 0;
    sp_ngrams_compare(hypothesis, reference->ids, reference->len, ORDERS);
    for (size_t i = 0; i < hypothesis->len; i++) {
        const sp_ngram *g = &hypothesis->items[i];
        if (!g->reference) continue;
        double count = g->reference < g->hypothesis ? g->reference : g->hypothesis;
        out[g->order - 1] += count * information(all, g);
    }
}

/* Each order takes the reference that shares most with the hypothesis, of equals the longest. */
static void add_text(const reference_counts *all, sp_ngrams *ngrams, const sp_word_text *text,
                     nist_sums *sums) {
    double best[ORDERS] = {0};
    size_t length[ORDERS] = {0};
    sp_ngrams_clear(ngrams);
    sp_ngrams_take(ngrams, text->hypothesis.ids, text->hypothesis.len, ORDERS);
    for (size_t r = 0; r < text->reference_count; r++) {
        const sp_words *reference = &text->references[r];
        double shared[ORDERS];
        shared_information(all, ngrams, reference, shared);
        for (int n = 0; n < ORDERS; n++) {
            bool longer = shared[n] == best[n] && reference->len > length[n];
            if (shared[n] > best[n] || longer) best[n] = shared[n], length[n] = reference->len;
        }
    }
    for (size_t n = 0; n < ORDERS; n++) {
        sums->information[n] += best[n];
        sums->totals[n] += sp_ngrams_in(text->hypothesis.len, n + 1);
        sums->hypothesis_length += text->hypothesis.len;
        sums->reference_length += length[n];
    }
}

/* 1/2 where the hypotheses are 2/3 as long as the references (Doddington 2002, equation 3). */
static double length_penalty(const nist_sums *s) {
    if (s->hypothesis_length >= s->reference_length) return 1;
    double ratio = (double)s->hypothesis_length / (double)s->reference_length;
    double beta = log(0.5) / (log(1.5) * log(1.5));
    return exp(beta * log(ratio) * log(ratio));
}

static double score_nist(const sp_scored_text *texts, size_t count) {
    sp_corpus corpus;
    sp_corpus_read(texts, count, sp_tokenize_13a_lower, &corpus);
    reference_counts all = {0};
    count_references(&corpus, &all);
    nist_sums sums = {0};
    sp_ngrams ngrams = {0};
    for (size_t i = 0; i < count; i++) add_text(&all, &ngrams, &corpus.texts[i], &sums);
    sp_ngrams_free(&ngrams);
    sp_ngrams_free(&all.ngrams);
    sp_corpus_free(&corpus);
    if (sums.hypothesis_length == 0 || sums.reference_length == 0) return 0;
    double score = 0;
    for (int n = 0; n < ORDERS; n++)
        if (sums.totals[n]) score += sums.information[n] / (double)sums.totals[n];
    return score * length_penalty(&sums);
}

const sp_metric sp_metric_nist = {.name = "nist",
                                  .title = "NIST",
                                  .task = SP_GENERATION,
                                  .decimals = 2,
                                  .higher_is_better = true,
                                  .score = score_nist};
