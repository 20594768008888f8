/* Metrics of generated texts against references, and of predicted labels and tags against true
 * ones. Each equals the reference tool that its comment names; docs/methods.md lists the
 * differences. */
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

/* BLEU (Papineni et al. 2002), up to 4-grams, as sacrebleu's default: tokenizer 13a, case kept,
 * closest reference length, exponential smoothing of orders without a match. */
extern const sp_metric sp_metric_bleu;
/* NIST (Doddington 2002), up to 5-grams, as nltk's corpus_nist on lower-case tokens of 13a: each
 * text and order is compared with its best reference. */
extern const sp_metric sp_metric_nist;
/* METEOR (Lavie & Agarwal 2007), as nltk's meteor_score with the original Porter stemmer, on
 * lower-case tokens of 13a: exact words, stems and WordNet's synonyms; alpha 0.9, beta 3, gamma
 * 0.5; best reference, mean over the texts. Reads WordNet's dictionary. */
extern const sp_metric sp_metric_meteor;
/* ROUGE-1 and ROUGE-2 (Lin 2004, section 2) and ROUGE-L (section 3.1), as the rouge_score package
 * without stemming: F1 of single words, pairs of words and the longest common subsequence, of
 * lower-case ASCII words; best reference, mean over the texts. */
extern const sp_metric sp_metric_rouge_1, sp_metric_rouge_2, sp_metric_rouge_l;
/* CIDEr-D (Vedantam et al. 2015), which pycocoevalcap and the papers call CIDEr, up to 4-grams, on
 * lower-case tokens of 13a; document frequencies from the references scored; mean over references
 * and texts; 10 at most. */
extern const sp_metric sp_metric_cider;
/* TER (Snover et al. 2006), as sacrebleu's default: lower case, words between white space; edits
 * and shifts to the best reference over the mean length of the references, of the whole corpus. */
extern const sp_metric sp_metric_ter;
/* chrF2 (Popovic 2015), as sacrebleu's default: characters without white space, orders 1 to 6,
 * recall weighs twice; each text is compared with its best reference. */
extern const sp_metric sp_metric_chrf;
/* BLEU as the script of the WebNLG challenge 2017: lower case, all but letters, digits and "_"
 * stands alone, no smoothing (multi-bleu.perl). */
extern const sp_metric sp_metric_bleu_webnlg;
/* BLEU as the script of the E2E challenge: lower-case tokens of 13a, no smoothing (mteval-v13a). */
extern const sp_metric sp_metric_bleu_e2e;

/* The metrics of labels take the names of labels: the hypothesis is the predicted one, the first
 * reference the true one; equal bytes are equal labels. All as scikit-learn with zero_division=0,
 * over the labels that stand in the texts scored, predicted or true, and times 100. */
/* Share of right labels. */
extern const sp_metric sp_metric_accuracy;
/* Mean of the labels' F1, each alike or weighted by how often the label is the true one. */
extern const sp_metric sp_metric_macro_f1, sp_metric_weighted_f1;
/* Matthews' correlation coefficient for any number of labels (Gorodkin 2004, equation 8). */
extern const sp_metric sp_metric_mcc;

/* The metrics of tags take a text's tags separated by spaces: the hypothesis has the predicted
 * ones, the first reference the true ones. A tag that the hypothesis lacks is "O", one too many is
 * not looked at. Tags are IOB2 ("B-name", "I-name", "O"); as seqeval in its default mode, which is
 * that of conlleval, with zero_division=0, and times 100. */
/* Harmonic mean of the next two. */
extern const sp_metric sp_metric_span_f1;
/* Of all predicted entities the share that is right, first word, last word and type; of all true
 * entities the share that is found. An I- that continues nothing begins an entity. */
extern const sp_metric sp_metric_span_precision, sp_metric_span_recall;
/* Share of right tags. */
extern const sp_metric sp_metric_token_accuracy;

enum { SP_METRIC_COUNT = 19 };
/* Those of texts, then those of labels, then those of tags. */
extern const sp_metric *const sp_metrics[SP_METRIC_COUNT];

/* NULL if there is none of that name. */
const sp_metric *sp_metric_find(const char *name);

/* The same with an error that names the nearest metric and all others. SP_ERR_SPEC. */
sp_status sp_metric_require(const char *name, const sp_metric **out);

/* Prepares all metrics of a task. SP_ERR_MISSING, as sp_metric.prepare. */
sp_status sp_metrics_prepare(sp_task task);

#endif
