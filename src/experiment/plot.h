/* Figures of a study, drawn by gnuplot from plots/<kind>.gp as svg, png and pdf, with the data and
 * the command that draws them again beside. A figure is one column of a paper wide (8.5 cm) with
 * type of 8 points; looks: look.h. */
#ifndef SP_EXPERIMENT_PLOT_H
#define SP_EXPERIMENT_PLOT_H

#include "experiment/drawing.h"

/* Draws lines that are there already: sp_gnuplot_figure. */
sp_status sp_plot_drawing(const sp_drawing *drawing, const sp_figure *figure, const char *stem,
                          const char *const *formats);

/* Writes <folder>/<figure name>.{dat,gp,svg,png,pdf}. *drawn is false (and no file written) if no
 * finished run has data for it. SP_ERR_MISSING if gnuplot is not installed. */
sp_status sp_plot(const sp_results *results, const sp_figure *figure, const char *folder,
                  bool *drawn);

#endif
