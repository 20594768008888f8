/* The report of a study: <folder>/table.{md,csv,tex}, best.md and <folder>/figures/. */
#ifndef SP_EXPERIMENT_REPORT_H
#define SP_EXPERIMENT_REPORT_H

#include "experiment/results.h"

/* Writes all files; appends the Markdown tables to `markdown` (when not NULL). What has not run or
 * has failed is shown as such. SP_ERR_IO, SP_ERR_FORMAT, SP_ERR_MISSING (no gnuplot; the tables are
 * written by then). */
sp_status sp_report_write(const sp_spec *spec, const sp_run_list *runs, const char *folder,
                          sp_buf *markdown);

#endif
