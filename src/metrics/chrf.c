#include "metrics/metric.h"
#include "metrics/ngrams.h"
#include "metrics/symbols.h"

enum { ORDERS = 6 };
static const double BETA = 2; /* recall weighs beta times as much as precision */

typedef struct chrf_counts {
    size_t hypothesis[ORDERS], reference[ORDERS], matches[ORDERS];
} chrf_counts;

/* Characters but for white space. */
static void read_characters(const char *text, sp_symbols *out) {
    sp_characters(text, out);
    size_t kept = 0;
    for (size_t i = 0; i < out->len; i++)
        if (!sp_is_white_space(out->data[i])) out->data[kept++] = out->data[i];
    out->len = kept;
}

/* F-beta of precision and recall, both averaged over the orders that either side has n-grams of
 * (Popovic 2015, section 2), in [0, 1]. */
static double f_score(const chrf_counts *c) {
    double precision = 0, recall = 0;
    int orders = 0;
    for (int n = 0; n < ORDERS; n++) {
        if (c->hypothesis[n] == 0 || c->reference[n] == 0) continue;
        precision += (double)c->matches[n] / (double)c->hypothesis[n];
        recall += (double)c->matches[n] / (double)c->reference[n];
        orders++;
    }
    if (precision + recall == 0) return 0;
    precision /= orders, recall /= orders;
    return (1 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall);
}

static chrf_counts compare(sp_ngrams *ngrams, size_t hypothesis_length, const sp_symbols *ref) {
    chrf_counts c = {0};
    sp_ngrams_compare(ngrams, ref->data, ref->len, ORDERS);
    for (size_t i = 0; i < ngrams->len; i++) {
        const sp_ngram *g = &ngrams->items[i];
        c.matches[g->order - 1] += g->reference < g->hypothesis ? g->reference : g->hypothesis;
    }
    for (size_t n = 1; n <= ORDERS; n++) {
        c.reference[n - 1] = sp_ngrams_in(ref->len, n);
        /* An order that the reference is too short for cannot count as a miss. */
        if (c.reference[n - 1]) c.hypothesis[n - 1] = sp_ngrams_in(hypothesis_length, n);
    }
    return c;
}

typedef struct chrf_workspace {
    sp_symbols hypothesis, reference;
    sp_ngrams ngrams;
} chrf_workspace;

/* The counts against the reference with the best score, the first of equals. */
static chrf_counts count_text(chrf_workspace *w, const sp_scored_text *text) {
    sp_ngrams_clear(&w->ngrams);
    read_characters(text->hypothesis, &w->hypothesis);
    sp_ngrams_take(&w->ngrams, w->hypothesis.data, w->hypothesis.len, ORDERS);
    chrf_counts best = {0};
    double best_score = -1;
    for (size_t r = 0; r < text->reference_count; r++) {
        read_characters(text->references[r], &w->reference);
        chrf_counts counts = compare(&w->ngrams, w->hypothesis.len, &w->reference);
        double score = f_score(&counts);
        if (score > best_score) best = counts, best_score = score;
    }
    return best;
}

static double score_chrf(const sp_scored_text *texts, size_t count) {
    chrf_counts sums = {0};
    chrf_workspace w = {0};
    for (size_t i = 0; i < count; i++) {
        chrf_counts c = count_text(&w, &texts[i]);
        for (int n = 0; n < ORDERS; n++) {
            sums.hypothesis[n] += c.hypothesis[n];
            sums.reference[n] += c.reference[n];
            sums.matches[n] += c.matches[n];
        }
    }
    sp_symbols_free(&w.hypothesis), sp_symbols_free(&w.reference);
    sp_ngrams_free(&w.ngrams);
    return 100 * f_score(&sums);
}

const sp_metric sp_metric_chrf = {.name = "chrf",
                                  .title = "chrF",
                                  .task = SP_GENERATION,
                                  .decimals = 1,
                                  .higher_is_better = true,
                                  .score = score_chrf};
