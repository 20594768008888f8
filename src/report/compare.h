/* Finished runs side by side: where their settings differ, their scores, and tests of every two of
 * them on the same test examples. */
#ifndef SP_REPORT_COMPARE_H
#define SP_REPORT_COMPARE_H

#include "experiment/runlog.h"
#include "format/yaml.h"
#include "report/predictions.h"
#include "report/sheet.h"

typedef struct sp_compared_run {
    char *path;
    char
        *title; /* told apart from the others by label, settings, or place: "LoRA", "LoRA seed 2" */
    sp_runlog log;
    sp_yaml *settings;
    sp_predictions predictions;
    double score; /* of the metric, over all test examples */
} sp_compared_run;

/* Run a against run b: score of a less that of b. */
typedef struct sp_compared_pair {
    size_t a, b;
    double difference, low, high; /* with its 95 % percentile interval */
    double p, adjusted;           /* two-sided; after Holm's correction over the pairs */
} sp_compared_pair;

typedef struct sp_comparison {
    sp_compared_run *runs;
    size_t count;
    const sp_metric *metric;
    size_t examples, resamples;
    sp_compared_pair *pairs;
    size_t pair_count;
} sp_comparison;

enum { SP_MOST_COMPARED = 50 };

/* Reads run files [count], 2 to SP_MOST_COMPARED, and tests every two of them by a paired bootstrap
 * over the test examples (docs/methods.md, "Claims"): all runs see the same resamples. `metric`
 * NULL: the first, in the order of `softprompt score`, that all runs have. SP_ERR_USAGE for a
 * metric they do not all have, SP_ERR_DATA for a run that is not finished, or was tested on other
 * examples than the first; SP_ERR_MISSING, SP_ERR_FORMAT for a file. Release with
 * sp_comparison_free, also after a failure. */
sp_status sp_compare(const char *const *paths, size_t count, const char *metric,
                     sp_comparison *out);
void sp_comparison_free(sp_comparison *comparison);

/* What differs, then all scores: a column for each run. */
void sp_comparison_sheet(const sp_comparison *comparison, sp_sheet *out);
/* The tests: a row for each pair. */
void sp_comparison_tests(const sp_comparison *comparison, sp_sheet *out);

#endif
