/* Metrics of generated texts against references, and of predicted labels and tags against true
 * ones. Each equals the reference tool that its comment in metrics.def names; docs/methods.md lists
 * the differences. */
#ifndef SP_METRICS_METRIC_H
#define SP_METRICS_METRIC_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One output and the texts it is compared with: NUL-terminated UTF-8, borrowed. A byte that is not
 * UTF-8 counts as a character of its own. */
typedef struct sp_scored_text {
    const char *hypothesis;
    const char *const *references;
    size_t reference_count; /* may differ from text to text; 0 counts as one empty reference */
} sp_scored_text;

/* What a metric judges, and what a data set asks for: generated texts, the names of labels, or tags
 * of all words of a text. */
typedef enum sp_task { SP_GENERATION, SP_CLASSIFICATION, SP_TAGGING } sp_task;

typedef struct sp_metric {
    const char *name;  /* in specs, on the command line and in run logs: "rouge-l" */
    const char *title; /* in tables: "ROUGE-L" */
    sp_task task;
    int decimals; /* as printed in tables */
    bool higher_is_better;
    /* Makes ready what the metric reads besides the texts; NULL if there is nothing. Any thread may
     * call it, any number of times. SP_ERR_MISSING. */
    sp_status (*prepare)(void);
    /* The score of the whole corpus: 0 to 100 but for NIST and CIDEr (0 and up, as the papers print
     * them), TER (100 and up are possible) and MCC (-100 to 100). 0 where nothing can match: no
     * texts, only empty hypotheses or only empty references; for TER that is 100, or 0 where both
     * are empty. Never NaN. Safe to call from several threads. `prepare` must have succeeded. */
    double (*score)(const sp_scored_text *texts, size_t count);
    /* The same taken apart, so that a bootstrap need not look at the texts again: each text has
     * `sums` numbers, and the score is a function of their sums over the texts and of the number of
     * texts. 0, NULL and NULL for a metric that looks at the whole corpus at once. */
    size_t sums;
    void (*measure)(const sp_scored_text *texts, size_t count, double *out /* [count, sums] */);
    double (*combine)(const double *sums, size_t count);
} sp_metric;

enum { SP_METRIC_SUMS = 18 }; /* the most numbers a text has */

/* combine(sum of measure): what `score` of a metric with sums is. */
double sp_metric_add_up(const sp_metric *metric, const sp_scored_text *texts, size_t count);
/* A `combine`: 100 times the mean over the texts of their one number; 0 for no texts. */
double sp_metric_mean_percent(const double *sums, size_t count);

/* The metrics that metrics.def lists and describes: `extern const sp_metric sp_metric_NAME;`. */
#define SP_METRIC(name) extern const sp_metric sp_metric_##name;
#include "metrics/metrics.def"
#undef SP_METRIC

/* How many there are. */
enum {
#define SP_METRIC(name) SP_METRIC_PLACE_##name,
#include "metrics/metrics.def"
#undef SP_METRIC
    SP_METRIC_COUNT
};

/* In the order of the list. */
extern const sp_metric *const sp_metrics[SP_METRIC_COUNT];

/* NULL if there is none of that name. */
const sp_metric *sp_metric_find(const char *name);

/* The same with an error that names the nearest metric and all others. SP_ERR_SPEC. */
sp_status sp_metric_require(const char *name, const sp_metric **out);

/* Prepares all metrics of a task. SP_ERR_MISSING, as sp_metric.prepare. */
sp_status sp_metrics_prepare(sp_task task);

#endif
