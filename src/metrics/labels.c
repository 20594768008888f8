/* Metrics of predicted labels, as scikit-learn with zero_division=0. The labels of a score are all
 * that stand in it, predicted or true. */
#include "core/memory.h"
#include "metrics/corpus.h"
#include "metrics/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct label_counts {
    size_t correct, predicted, truth;
} label_counts;

typedef struct confusion {
    label_counts *labels; /* [label_count] */
    size_t label_count, texts, correct;
} confusion;

static confusion count_labels(const sp_scored_text *texts, size_t count) {
    confusion c = {.labels = sp_alloc(2 * count, sizeof *c.labels), .texts = count};
    sp_word_map names = {0};
    for (size_t i = 0; i < count; i++) {
        const char *hypothesis = texts[i].hypothesis;
        const char *reference = texts[i].reference_count ? texts[i].references[0] : "";
        uint32_t predicted = sp_word_id(&names, hypothesis, strlen(hypothesis));
        uint32_t truth = sp_word_id(&names, reference, strlen(reference));
        c.labels[predicted].predicted++;
        c.labels[truth].truth++;
        if (predicted != truth) continue;
        c.labels[truth].correct++;
        c.correct++;
    }
    c.label_count = names.count;
    sp_word_map_free(&names);
    return c;
}

/* 2PR / (P + R), 0 for a label that is never right. */
static double f1(const label_counts *l) {
    return 2 * (double)l->correct / (double)(l->predicted + l->truth);
}

static void measure_accuracy(const sp_scored_text *texts, size_t count, double *out) {
    for (size_t i = 0; i < count; i++) {
        const char *reference = texts[i].reference_count ? texts[i].references[0] : "";
        out[i] = strcmp(texts[i].hypothesis, reference) == 0;
    }
}

static double score_accuracy(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_accuracy, texts, count);
}

static double score_macro_f1(const sp_scored_text *texts, size_t count) {
    if (count == 0) return 0;
    confusion c = count_labels(texts, count);
    double sum = 0;
    for (size_t i = 0; i < c.label_count; i++) sum += f1(&c.labels[i]);
    free(c.labels);
    return 100 * sum / (double)c.label_count;
}

static double score_weighted_f1(const sp_scored_text *texts, size_t count) {
    if (count == 0) return 0;
    confusion c = count_labels(texts, count);
    double sum = 0;
    for (size_t i = 0; i < c.label_count; i++) sum += (double)c.labels[i].truth * f1(&c.labels[i]);
    free(c.labels);
    return 100 * sum / (double)count;
}

/* R_K of Gorodkin (2004), equation 8, which is Matthews' coefficient for two labels. */
static double score_mcc(const sp_scored_text *texts, size_t count) {
    confusion c = count_labels(texts, count);
    double all = (double)count, both = 0, predicted = 0, truth = 0;
    for (size_t i = 0; i < c.label_count; i++) {
        double p = (double)c.labels[i].predicted, t = (double)c.labels[i].truth;
        both += p * t, predicted += p * p, truth += t * t;
    }
    free(c.labels);
    double spread = (all * all - predicted) * (all * all - truth);
    return spread > 0 ? 100 * ((double)c.correct * all - both) / sqrt(spread) : 0;
}

const sp_metric sp_metric_accuracy = {.name = "accuracy",
                                      .title = "Accuracy",
                                      .task = SP_CLASSIFICATION,
                                      .decimals = 1,
                                      .higher_is_better = true,
                                      .score = score_accuracy,
                                      .sums = 1,
                                      .measure = measure_accuracy,
                                      .combine = sp_metric_mean_percent};
const sp_metric sp_metric_macro_f1 = {.name = "macro-f1",
                                      .title = "Macro F1",
                                      .task = SP_CLASSIFICATION,
                                      .decimals = 1,
                                      .higher_is_better = true,
                                      .score = score_macro_f1};
const sp_metric sp_metric_weighted_f1 = {.name = "weighted-f1",
                                         .title = "Weighted F1",
                                         .task = SP_CLASSIFICATION,
                                         .decimals = 1,
                                         .higher_is_better = true,
                                         .score = score_weighted_f1};
const sp_metric sp_metric_mcc = {.name = "mcc",
                                 .title = "MCC",
                                 .task = SP_CLASSIFICATION,
                                 .decimals = 1,
                                 .higher_is_better = true,
                                 .score = score_mcc};
