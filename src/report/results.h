/* The finished runs of a study, grouped into rows (one entry at one grid point, all its
 * seeds and subsamples). */
#ifndef SP_REPORT_RESULTS_H
#define SP_REPORT_RESULTS_H

#include "experiment/grid.h"
#include "experiment/runlog.h"
#include "scheduling/run_status.h"

typedef struct sp_row {
    const sp_run_spec *run;  /* the first one; its seed and subsample are not the row's */
    char *title;             /* "Prefix-tuning length 10" */
    size_t first, count;     /* its runs in the list */
    size_t finished, failed; /* the others are missing */
} sp_row;

typedef struct sp_results {
    const sp_spec *spec;
    const sp_run_list *runs;
    sp_run_state *states; /* [runs->count] */
    sp_runlog *logs;      /* [runs->count]; empty for missing runs */
    sp_yaml **settings;   /* [runs->count]: the resolved specs */
    sp_row *rows;
    size_t row_count;
    sp_score *scores; /* columns of the table: the spec's, or, if it names none, what runs have */
    size_t score_count;
} sp_results;

/* Reads the run files of `folder`; borrows spec and runs. SP_ERR_FORMAT for a damaged file. */
sp_status sp_results_load(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_results *out);
void sp_results_free(sp_results *results);

/* The text at a path of a run's resolved spec; "entry" is the key under `methods:`. NULL if the run
 * has no such setting. */
const char *sp_results_setting(const sp_results *results, size_t run, const char *path);

/* "test.GROUP.METRIC", or "dev.best.SERIES": the value on dev at the step whose state was kept. NaN
 * if the run is not finished or has no such number. */
double sp_results_score(const sp_results *results, size_t run, const char *score);

/* "BLEU (unseen)", "BLEU on dev"; owned by the caller. */
char *sp_score_title(const char *score);

/* Mean and sample standard deviation (n - 1; 0 for one value) of n values; NaN mean for none. */
typedef struct sp_summary {
    double mean, deviation;
    size_t n;
} sp_summary;
sp_summary sp_summarise(const double *values, size_t n);

/* Over the finished runs of a row; runs without the number do not count. */
sp_summary sp_row_score(const sp_results *results, const sp_row *row, const char *score);
sp_summary sp_row_attribute(const sp_results *results, const sp_row *row, const char *name);

#endif
