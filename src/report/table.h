/* The table of a study: one line per entry and grid point, one column per metric and group, the
 * best of each column in bold, what is missing or failed named below, and the papers' numbers in
 * blocks of their own. */
#ifndef SP_REPORT_TABLE_H
#define SP_REPORT_TABLE_H

#include "report/results.h"
#include "report/sheet.h"

/* Each starts `out`, which the caller frees. */

/* The table to be read. */
void sp_table_sheet(const sp_results *results, sp_sheet *out);
/* The table for programs (its CSV): names, counts, means and deviations in columns of their own;
 * empty where there is none. */
void sp_table_data(const sp_results *results, sp_sheet *out);
/* A block of published numbers. */
void sp_paper_sheet(const sp_spec *spec, const sp_paper *paper, sp_sheet *out);

#endif
