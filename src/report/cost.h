/* What methods cost, and a score that weighs it: a table of the report. */
#ifndef SP_REPORT_COST_H
#define SP_REPORT_COST_H

#include "report/results.h"
#include "report/sheet.h"

/* PEFT soft cost penalties (PEFT-Bench, arXiv 2511.21285): the score times (1 + M/C)^-b for each
 * cost M [SP_COST_KINDS] with reference C and exponent b. NaN if a cost that counts (b above 0) is
 * NaN. `references` are above 0. */
double sp_pscp(double score, const double *costs, const double *references,
               const double *exponents);

/* The PSCP of each finished run, as the spec's `report: cost` weighs its score: out
 * [results->runs->count], NaN for a run that has not finished or whose costs are not known.
 * SP_ERR_DATA without `cost`, SP_ERR_FORMAT for a damaged run file in `folder`. */
sp_status sp_pscp_of_runs(const sp_results *results, const char *folder, double *out);

/* One line a row of `results` with a finished run, as the spec's `report: cost` asks: trained and
 * kept parameters, storage, time, memory, FLOPs of inference, the score with its deviation over
 * seeds, PSCP. FLOPs are counted from the model's config and the shapes in the run files of
 * `folder`; where the model is not found they are left out, which a note says. Without `cost` the
 * sheet is empty. SP_ERR_FORMAT for a damaged run file. Release with sp_sheet_free, also after a
 * failure. */
sp_status sp_cost_sheet(const sp_results *results, const char *folder, sp_sheet *out);

#endif
