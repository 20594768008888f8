/* Figures: gnuplot, run without a shell on a script of plots/. */
#ifndef SP_REPORT_GNUPLOT_H
#define SP_REPORT_GNUPLOT_H

#include "core/memory.h"
#include "core/status.h"

/* Appends name='text'; and a line end, quotes doubled as gnuplot reads them; but not one at the
 * very start. */
void sp_gnuplot_assign(sp_buf *settings, const char *name, const char *text);

/* Writes a figure and what it was drawn from: <stem>.dat, which is `data`; <stem>.gp, which is
 * `settings` (assignments, of what the script of the kind expects), the one style of all figures
 * and plots/<kind>.gp, and draws the figure again when it is run in its folder; and <stem>.FORMAT
 * for each of `formats` (svg, png, pdf; NULL at the end). SP_ERR_MISSING if gnuplot is not
 * installed, with data and script written by then; SP_ERR_IO with what it prints. */
sp_status sp_gnuplot_figure(const char *stem, const char *kind, const char *settings,
                            const sp_buf *data, const char *const *formats);

#endif
