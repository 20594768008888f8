#include "metrics/metric.h"
#include "metrics/ngrams.h"
#include "metrics/symbols.h"

#include <string.h>

enum { ORDERS = 6 };
static const double BETA = 2; /* recall weighs beta times as much as precision */

/* Numbers that a double holds exactly. */
typedef struct chrf_counts {
    double hypothesis[ORDERS], reference[ORDERS], matches[ORDERS];
} chrf_counts;
enum { SUMS = sizeof(chrf_counts) / sizeof(double) };

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
        precision += c->matches[n] / c->hypothesis[n];
        recall += c->matches[n] / c->reference[n];
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
        c.reference[n - 1] = (double)sp_ngrams_in(ref->len, n);
        /* An order that the reference is too short for cannot count as a miss. */
        if (c.reference[n - 1] > 0)
            c.hypothesis[n - 1] = (double)sp_ngrams_in(hypothesis_length, n);
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

static void measure_chrf(const sp_scored_text *texts, size_t count, double *out) {
    chrf_workspace w = {0};
    for (size_t i = 0; i < count; i++) {
        chrf_counts c = count_text(&w, &texts[i]);
        memcpy(out + i * SUMS, &c, sizeof c);
    }
    sp_symbols_free(&w.hypothesis), sp_symbols_free(&w.reference);
    sp_ngrams_free(&w.ngrams);
}

static double combine_chrf(const double *numbers, size_t count) {
    (void)count;
    chrf_counts sums;
    memcpy(&sums, numbers, sizeof sums);
    return 100 * f_score(&sums);
}

static double score_chrf(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_chrf, texts, count);
}

const sp_metric sp_metric_chrf = {.name = "chrf",
                                  .title = "chrF",
                                  .task = SP_GENERATION,
                                  .decimals = 1,
                                  .higher_is_better = true,
                                  .score = score_chrf,
                                  .sums = SUMS,
                                  .measure = measure_chrf,
                                  .combine = combine_chrf};
