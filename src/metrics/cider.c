#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/ngrams.h"

#include <math.h>

enum { ORDERS = 4 };
static const double SIGMA = 6; /* of the Gaussian penalty, in words */

typedef struct cider_workspace {
    sp_ngrams documents; /* `hypothesis` of an n-gram: in how many texts' references it stands */
    double log_texts;
    sp_ngrams hypothesis, reference; /* of the pair at hand */
} cider_workspace;

/* Counts each text's n-grams once, however many of its references have them. */
static void count_documents(const sp_corpus *corpus, cider_workspace *w) {
    for (size_t i = 0; i < corpus->count; i++) {
        const sp_word_text *text = &corpus->texts[i];
        sp_ngrams_clear(&w->reference);
        for (size_t r = 0; r < text->reference_count; r++)
            sp_ngrams_take(&w->reference, text->references[r].ids, text->references[r].len, ORDERS);
        for (size_t k = 0; k < w->reference.len; k++)
            sp_ngrams_add(&w->documents, w->reference.items[k].symbols, w->reference.items[k].order)
                ->hypothesis++;
    }
}

/* Term frequency times inverse document frequency (Vedantam et al. 2015, equation 1). */
static double weight(const cider_workspace *w, const sp_ngram *g) {
    const sp_ngram *document = sp_ngrams_find(&w->documents, g->symbols, g->order);
    return g->hypothesis * (w->log_texts - (document ? log(document->hypothesis) : 0));
}

static void add_squares(const cider_workspace *w, const sp_ngrams *text, double squares[ORDERS]) {
    for (size_t i = 0; i < text->len; i++) {
        double x = weight(w, &text->items[i]);
        squares[text->items[i].order - 1] += x * x;
    }
}

/* Cosine of the weights of each order, a weight of the hypothesis counting at most as much as the
 * reference's, averaged over the orders (the same, equations 2 to 4, and appendix for CIDEr-D). */
static double similarity(cider_workspace *w, const double squares[ORDERS], sp_words reference) {
    double products[ORDERS] = {0}, reference_squares[ORDERS] = {0}, sum = 0;
    sp_ngrams_clear(&w->reference);
    sp_ngrams_take(&w->reference, reference.ids, reference.len, ORDERS);
    add_squares(w, &w->reference, reference_squares);
    for (size_t i = 0; i < w->reference.len; i++) {
        const sp_ngram *g = &w->reference.items[i];
        const sp_ngram *shared = sp_ngrams_find(&w->hypothesis, g->symbols, g->order);
        if (!shared) continue;
        double in_reference = weight(w, g);
        products[g->order - 1] += fmin(weight(w, shared), in_reference) * in_reference;
    }
    for (int n = 0; n < ORDERS; n++)
        if (squares[n] > 0 && reference_squares[n] > 0)
            sum += products[n] / sqrt(squares[n] * reference_squares[n]);
    return sum / ORDERS;
}

/* As pycocoevalcap, which counts pairs of words for the length. */
static double length_penalty(size_t hypothesis, size_t reference) {
    double delta = (double)sp_ngrams_in(hypothesis, 2) - (double)sp_ngrams_in(reference, 2);
    return exp(-delta * delta / (2 * SIGMA * SIGMA));
}

static double score_text(cider_workspace *w, const sp_word_text *text) {
    double squares[ORDERS] = {0}, sum = 0;
    sp_ngrams_clear(&w->hypothesis);
    sp_ngrams_take(&w->hypothesis, text->hypothesis.ids, text->hypothesis.len, ORDERS);
    add_squares(w, &w->hypothesis, squares);
    for (size_t r = 0; r < text->reference_count; r++)
        sum += similarity(w, squares, text->references[r]) *
               length_penalty(text->hypothesis.len, text->references[r].len);
    return 10 * sum / (double)text->reference_count;
}

static double score_cider(const sp_scored_text *texts, size_t count) {
    if (count == 0) return 0;
    sp_corpus corpus;
    sp_corpus_read(texts, count, sp_tokenize_13a_lower, &corpus);
    cider_workspace w = {.log_texts = log((double)count)};
    count_documents(&corpus, &w);
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += score_text(&w, &corpus.texts[i]);
    sp_ngrams_free(&w.documents);
    sp_ngrams_free(&w.hypothesis);
    sp_ngrams_free(&w.reference);
    sp_corpus_free(&corpus);
    return sum / (double)count;
}

const sp_metric sp_metric_cider = {.name = "cider",
                                   .title = "CIDEr",
                                   .task = SP_GENERATION,
                                   .decimals = 2,
                                   .higher_is_better = true,
                                   .score = score_cider};
