/* The finished runs of a study, grouped into rows (one entry at one grid point, all its seeds). */
#ifndef SP_EXPERIMENT_RESULTS_H
#define SP_EXPERIMENT_RESULTS_H

#include "experiment/grid.h"
#include "experiment/runlog.h"
#include "experiment/scheduler.h"

typedef struct sp_row {
    const sp_run_spec *run;  /* the first one; its seed is not the row's */
    char *title;             /* "Prefix-tuning length 10" */
    size_t first, count;     /* its runs in the list */
    size_t finished, failed; /* the others are missing */
} sp_row;

typedef struct sp_results {
    const sp_spec *spec;
    const sp_run_list *runs;
    sp_run_state *states; /* [runs->count] */
    sp_runlog *logs;      /* [runs->count]; empty for missing runs */
    sp_row *rows;
    size_t row_count;
} sp_results;

/* Reads the run files of `folder`; borrows spec and runs. SP_ERR_FORMAT for a damaged file. */
sp_status sp_results_load(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_results *out);
void sp_results_free(sp_results *results);

/* Mean and sample standard deviation (n - 1; 0 for one value) of n values; NaN mean for none. */
typedef struct sp_summary {
    double mean, deviation;
    size_t n;
} sp_summary;
sp_summary sp_summarise(const double *values, size_t n);

/* Over the finished runs of a row. `group` is "all" or a category. */
sp_summary sp_row_test(const sp_results *results, const sp_row *row, const char *group,
                       const char *metric);
sp_summary sp_row_attribute(const sp_results *results, const sp_row *row, const char *name);

#endif
