/* The outcome of a hyper-parameter search: for each entry the grid point that does best on dev. */
#ifndef SP_REPORT_BEST_H
#define SP_REPORT_BEST_H

#include "report/results.h"
#include "report/sheet.h"

/* Starts `out`, which the caller frees: per entry the point with the best mean, over its seeds and
 * subsamples, of the spec's `best` series on dev at the step whose state was kept, and all points
 * that were tried. Lowest for a loss, highest for a quality. Points without a number (failed, not
 * run, NaN) are named as such and never win. */
void sp_best_sheet(const sp_results *results, sp_sheet *out);

#endif
