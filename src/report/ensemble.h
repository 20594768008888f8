/* Prompt ensembling (Prompt Tuning, Lester et al. 2021, section 6, Table 3): the majority vote of a
 * row's seeds beside their average and the best of them, from stored answers. */
#ifndef SP_REPORT_ENSEMBLE_H
#define SP_REPORT_ENSEMBLE_H

#include "report/results.h"
#include "report/sheet.h"

/* For a study whose spec has report: ensemble: true: a line for each row with two finished seeds or
 * more, three columns for each metric over all test examples. With subsamples, votes are taken
 * among the seeds of each, and the line has means over the subsamples. A section of the report.
 * SP_ERR_FORMAT for a damaged run file. */
sp_status sp_ensemble_sheet(const sp_results *results, const char *folder, sp_sheet *out);

#endif
