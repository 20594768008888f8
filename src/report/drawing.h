/* From the runs of a study to what gnuplot draws: lines of points with means and deviations. */
#ifndef SP_REPORT_DRAWING_H
#define SP_REPORT_DRAWING_H

#include "report/look.h"
#include "report/results.h"

/* The values of several runs at one x. */
typedef struct sp_point {
    double x, mean, deviation;
} sp_point;

typedef struct sp_line {
    char *label;
    sp_look look;
    sp_point *points; /* by x */
    size_t count;
} sp_line;

/* A place on the x axis that gets a mark. */
typedef struct sp_tick {
    double x;
    char *text;
} sp_tick;

typedef struct sp_drawing {
    sp_line *lines;
    size_t line_count;
    sp_line *baselines; /* one point each: what has no place on the x axis is a horizontal line */
    size_t baseline_count;
    sp_tick *ticks; /* by x; none: gnuplot chooses */
    size_t tick_count;
    double x_low, x_high; /* of a line figure; 0, 0 for others */
} sp_drawing;

/* Collects the finished runs that pass the figure's filter; numbers that are not finite are left
 * out. No lines if there is nothing to draw. Release with sp_drawing_free. */
void sp_drawing_make(const sp_results *results, const sp_figure *figure, sp_drawing *out);

/* A run in a figure of its own making. */
typedef struct sp_curve {
    const char *label;
    const sp_runlog *log;
} sp_curve;

/* A line for each of the runs that have the series `y` ("train.loss", "dev.bleu"). */
void sp_drawing_of_curves(const sp_curve *curves, size_t count, const char *y, sp_drawing *out);

void sp_drawing_free(sp_drawing *drawing);

#endif
