/* The report of a study: <folder>/table.{md,csv,tex} claims.md and claims.csv if the spec
 * has claims, examples.txt,
 * <folder>/figures/, and all of it as one page, report.html. */
#ifndef SP_REPORT_REPORT_H
#define SP_REPORT_REPORT_H

#include "report/results.h"

/* Writes all files; appends the Markdown tables to `markdown`, and adds to *drawn how many figures
 * there are now (each may be NULL). A figure without data has no files. What has not run or
 * has failed is shown as such. SP_ERR_IO, SP_ERR_FORMAT, SP_ERR_MISSING (no gnuplot; all but
 * the figures is written). */
sp_status sp_report_write(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_buf *markdown, size_t *drawn);

#endif
