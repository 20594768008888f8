#include "core/memory.h"
#include "metrics/corpus.h"
#include "metrics/metric.h"
#include "metrics/ngrams.h"

#include <stdlib.h>
#include <string.h>

typedef struct rouge_workspace {
    sp_ngrams ngrams;
    size_t *row; /* of the table of common subsequences, [hypothesis length + 1] */
} rouge_workspace;

/* What the hypothesis and a reference have in common, of `in_hypothesis` and `in_reference`. */
typedef struct overlap {
    size_t common, in_hypothesis, in_reference;
} overlap;

typedef overlap measure(rouge_workspace *w, sp_words hypothesis, sp_words reference);

/* F1 = 2PR / (P + R) with P = common / hypothesis and R = common / reference. */
static double f1(overlap o) {
    return o.common ? 2 * (double)o.common / (double)(o.in_hypothesis + o.in_reference) : 0;
}

/* N-grams of one order, each as often as both have it (Lin 2004, section 2). */
static overlap count_ngrams(rouge_workspace *w, sp_words hypothesis, sp_words reference,
                            size_t order) {
    overlap o = {0, sp_ngrams_in(hypothesis.len, order), sp_ngrams_in(reference.len, order)};
    sp_ngrams_clear(&w->ngrams);
    sp_ngrams_take(&w->ngrams, hypothesis.ids, hypothesis.len, order);
    sp_ngrams_compare(&w->ngrams, reference.ids, reference.len, order);
    for (size_t i = 0; i < w->ngrams.len; i++) {
        const sp_ngram *g = &w->ngrams.items[i];
        if (g->order == order)
            o.common += g->reference < g->hypothesis ? g->reference : g->hypothesis;
    }
    return o;
}

static overlap count_words(rouge_workspace *w, sp_words hypothesis, sp_words reference) {
    return count_ngrams(w, hypothesis, reference, 1);
}

static overlap count_pairs(rouge_workspace *w, sp_words hypothesis, sp_words reference) {
    return count_ngrams(w, hypothesis, reference, 2);
}

/* The longest common subsequence (Lin 2004, section 3.1). */
static overlap common_subsequence(rouge_workspace *w, sp_words hypothesis, sp_words reference) {
    size_t *row = w->row = sp_realloc(w->row, hypothesis.len + 1, sizeof *w->row);
    memset(row, 0, (hypothesis.len + 1) * sizeof *row);
    for (size_t i = 0; i < reference.len; i++) {
        size_t diagonal = 0; /* row i - 1, column j - 1 */
        for (size_t j = 1; j <= hypothesis.len; j++) {
            size_t above = row[j];
            if (reference.ids[i] == hypothesis.ids[j - 1])
                row[j] = diagonal + 1;
            else if (row[j - 1] > above)
                row[j] = row[j - 1];
            diagonal = above;
        }
    }
    return (overlap){row[hypothesis.len], hypothesis.len, reference.len};
}

/* F1 of each text against its best reference: the score is 100 times the mean. */
static void measure_f1(const sp_scored_text *texts, size_t count, measure *compare, double *out) {
    sp_corpus corpus;
    sp_corpus_read(texts, count, sp_tokenize_rouge, &corpus);
    rouge_workspace w = {0};
    for (size_t i = 0; i < count; i++) {
        const sp_word_text *text = &corpus.texts[i];
        out[i] = 0;
        for (size_t r = 0; r < text->reference_count; r++) {
            double f = f1(compare(&w, text->hypothesis, text->references[r]));
            if (f > out[i]) out[i] = f;
        }
    }
    sp_ngrams_free(&w.ngrams);
    free(w.row);
    sp_corpus_free(&corpus);
}

static void measure_1(const sp_scored_text *texts, size_t count, double *out) {
    measure_f1(texts, count, count_words, out);
}

static void measure_2(const sp_scored_text *texts, size_t count, double *out) {
    measure_f1(texts, count, count_pairs, out);
}

static void measure_l(const sp_scored_text *texts, size_t count, double *out) {
    measure_f1(texts, count, common_subsequence, out);
}

static double score_rouge_1(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_rouge_1, texts, count);
}

static double score_rouge_2(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_rouge_2, texts, count);
}

static double score_rouge_l(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_rouge_l, texts, count);
}

const sp_metric sp_metric_rouge_1 = {.name = "rouge-1",
                                     .title = "ROUGE-1",
                                     .task = SP_GENERATION,
                                     .decimals = 1,
                                     .higher_is_better = true,
                                     .score = score_rouge_1,
                                     .sums = 1,
                                     .measure = measure_1,
                                     .combine = sp_metric_mean_percent};
const sp_metric sp_metric_rouge_2 = {.name = "rouge-2",
                                     .title = "ROUGE-2",
                                     .task = SP_GENERATION,
                                     .decimals = 1,
                                     .higher_is_better = true,
                                     .score = score_rouge_2,
                                     .sums = 1,
                                     .measure = measure_2,
                                     .combine = sp_metric_mean_percent};
const sp_metric sp_metric_rouge_l = {.name = "rouge-l",
                                     .title = "ROUGE-L",
                                     .task = SP_GENERATION,
                                     .decimals = 1,
                                     .higher_is_better = true,
                                     .score = score_rouge_l,
                                     .sums = 1,
                                     .measure = measure_l,
                                     .combine = sp_metric_mean_percent};
