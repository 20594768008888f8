/* The scores of finished runs, taken apart by test example, so that they can be had for a resampled
 * test set without looking at the texts again. */
#ifndef SP_REPORT_CLAIM_CELLS_H
#define SP_REPORT_CLAIM_CELLS_H

#include "experiment/assets.h"
#include "report/results.h"

/* Test examples that one or more runs were tested on. */
typedef struct sp_test_set {
    char *dataset;
    const char *name; /* of its card, in the assets */
    int limit;
    sp_task task;
    sp_split split;
    const sp_label *labels; /* of the data set, in the assets */
    size_t *group;          /* [split.count]: which of the groups, from 0 */
    size_t group_count;
} sp_test_set;

/* A score of one run, or of the majority vote of several. */
typedef struct sp_cell {
    size_t run; /* the first one */
    char *score;
    bool vote;
    size_t set;              /* the test set's place; SP_NO_SET: the value is all there is */
    const sp_metric *metric; /* NULL without a set */
    size_t *examples;        /* [count]: places in the set's split, those of the score's group */
    size_t count;
    double *sums;          /* [count, metric->sums], or NULL */
    sp_scored_text *texts; /* [count] for a metric without sums; then */
    sp_strings hypotheses; /* of the whole set, which `texts` borrows */
    double value;          /* every example once */
} sp_cell;

#define SP_NO_SET SIZE_MAX

/* Start with sp_cells_start; cells of a run are made once and kept. */
typedef struct sp_cells {
    const sp_results *results;
    const char *folder;
    sp_assets *assets;
    sp_test_set *sets;
    size_t set_count;
    sp_cell *items;
    size_t count;
    double *pscp; /* [runs of the results]; NULL: not asked for yet */
} sp_cells;

/* `out` borrows all of them. Release with sp_cells_free. */
void sp_cells_start(const sp_results *results, const char *folder, sp_assets *assets,
                    sp_cells *out);
void sp_cells_free(sp_cells *cells);

/* The place of the cell with the score of finished runs [count] (indices into results->runs): of
 * one, or of their vote. SP_ERR_DATA if a run has no such score or was tested on other texts than
 * the data set has now, SP_ERR_MISSING, SP_ERR_FORMAT for its file or the data. */
sp_status sp_cells_find(sp_cells *cells, const size_t *runs, size_t count, bool vote,
                        const char *score, size_t *out);

/* How often a test set is drawn anew; fewer times for a metric without sums, which looks at all
 * texts each time. */
enum { SP_RESAMPLES = 2000, SP_FEW_RESAMPLES = 400 };

/* The score where example i of the test set stands counts[i] times. */
double sp_cell_score(const sp_cell *cell, const uint32_t *counts);

#endif
