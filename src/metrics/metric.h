/* Metrics of generated text against references. Every score is on a 0 to 100 scale. */
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

typedef struct sp_metric {
    const char *name;  /* in specs, on the command line and in run logs: "rouge-l" */
    const char *title; /* in tables: "ROUGE-L" */
    bool higher_is_better;
    /* The score of the whole corpus, in [0, 100]. 0 where nothing can match: no texts, only empty
     * hypotheses or only empty references. Never NaN. Safe to call from several threads. */
    double (*score)(const sp_scored_text *texts, size_t count);
} sp_metric;

/* BLEU (Papineni et al. 2002), up to 4-grams, as sacrebleu's default: tokenizer 13a, case kept,
 * closest reference length, exponential smoothing of orders without a match. */
extern const sp_metric sp_metric_bleu;
/* chrF2 (Popovic 2015), as sacrebleu's default: characters without white space, orders 1 to 6,
 * recall weighs twice; each text is compared with its best reference. */
extern const sp_metric sp_metric_chrf;
/* ROUGE-L (Lin 2004, section 3.1), as the rouge_score package without stemming: F1 of the longest
 * common subsequence of lower-case ASCII words, best reference, mean over the texts. */
extern const sp_metric sp_metric_rouge_l;

enum { SP_METRIC_COUNT = 3 };
extern const sp_metric *const sp_metrics[SP_METRIC_COUNT];

/* NULL if there is none of that name. */
const sp_metric *sp_metric_find(const char *name);

/* The same with an error that names the nearest metric and all others. SP_ERR_SPEC. */
sp_status sp_metric_require(const char *name, const sp_metric **out);

#endif
