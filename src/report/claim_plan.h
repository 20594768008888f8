/* A claim's test over the runs of a study: which runs each atom stands for, point by point. */
#ifndef SP_REPORT_CLAIM_PLAN_H
#define SP_REPORT_CLAIM_PLAN_H

#include "report/claim_cells.h"

/* The matching runs of one row of the results: one setting, its seeds and subsamples. */
typedef struct sp_claim_row {
    size_t *runs;  /* [count]: indices into the list of runs */
    size_t *cells; /* [count]; of a vote [1], and of best [1]: that of the best run */
    size_t *units; /* [count]: which seed, or subsample, of the plan's */
    size_t count;
    bool complete; /* has all units, each as often */
} sp_claim_row;

typedef struct sp_planned_term {
    const sp_claim_term *term;
    sp_claim_row *rows;
    size_t row_count;
} sp_planned_term;

/* A side of a relation, or an expression at one value of the curve's setting. */
typedef struct sp_claim_point {
    double constant;
    sp_planned_term *terms;
    size_t term_count;
    const char *value; /* of the setting; lives in the results; NULL for a side */
} sp_claim_point;

typedef struct sp_claim_plan {
    sp_claim_point *points; /* of a relation: left, right */
    size_t point_count;
    size_t *runs; /* [run_count]: all runs, each once */
    size_t run_count;
    bool by_subsample; /* units are subsamples with all their seeds, else seeds */
    size_t unit_count, seed_count, subsample_count;
    size_t finished, failed; /* of the runs */
    char *problem;           /* why there is nothing to test (NULL: there is): no such runs */
} sp_claim_plan;

/* Finds the runs; cells are left for sp_claim_plan_fill. Release with sp_claim_plan_free. */
void sp_claim_plan_make(const sp_results *results, const sp_claim_test *test, sp_claim_plan *out);
/* Makes the cells; all runs must be finished. Errors as sp_cells_find. */
sp_status sp_claim_plan_fill(sp_claim_plan *plan, sp_cells *cells);
void sp_claim_plan_free(sp_claim_plan *plan);

/* What becomes of seeds in a replicate: see docs/methods.md. */
typedef struct sp_unit_draw {
    const double *weights; /* [unit_count], with mean 1: of means */
    const double *times;   /* [unit_count], adding up to unit_count: how often drawn, for spreads */
} sp_unit_draw;

/* The value of a point; `values` has that of every cell. `draw` NULL: each unit once. */
double sp_claim_point_value(const sp_claim_point *point, const double *values,
                            const sp_unit_draw *draw);

#endif
