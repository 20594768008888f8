/* Figures of a study, drawn by gnuplot from plots/<kind>.gp as svg, png and pdf, with the data and
 * the command that draws them again beside. A figure is one column of a paper wide (8.5 cm) with
 * type of 8 points; looks: look.h. */
#ifndef SP_REPORT_PLOT_H
#define SP_REPORT_PLOT_H

#include "report/drawing.h"

/* Draws the learning curves of runs (sp_drawing_of_curves) to a file of any name that ends with
 * .svg, .png or .pdf, with data and command beside it: the series of dev if every run has it, else
 * the training loss. *drawn is false, and no file written, without a value. SP_ERR_USAGE for
 * another ending, else as sp_gnuplot_figure. */
sp_status sp_plot_curves(const sp_curve *curves, size_t count, const char *dev, const char *path,
                         bool *drawn);
/* Whether a name ends so. */
sp_status sp_check_figure_path(const char *path);

/* Writes <folder>/<figure name>.{dat,gp,svg,png,pdf}. *drawn is false (and no file written) if no
 * finished run has data for it. SP_ERR_MISSING if gnuplot is not installed. */
sp_status sp_plot(const sp_results *results, const sp_figure *figure, const char *folder,
                  bool *drawn);

#endif
