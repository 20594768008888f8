/* A study in progress, seen from outside: what its runs are doing, read again and again from files
 * that other processes replace and remove. */
#ifndef SP_REPORT_VIEW_H
#define SP_REPORT_VIEW_H

#include "experiment/grid.h"
#include "scheduling/run_status.h"

typedef struct sp_viewed_run {
    sp_run_status status;
    bool damaged;       /* its run file cannot be read */
    sp_runlog log;      /* series: of the finished run, or of the checkpoint of one at work */
    double log_seconds; /* when the file of `log` was written, as files have it; 0: none yet */
    sp_column losses;   /* of a run at work, for its sparkline: each step once */
    long loss_step;     /* of the last of them */
} sp_viewed_run;

typedef struct sp_view {
    const sp_run_list *runs;
    const char *folder, *study; /* of the study; its name */
    sp_viewed_run *items;       /* [runs->count] */
    size_t counts[SP_RUN_STATES];
    double started; /* clock of the first look */
} sp_view;

/* Borrows the texts and the list. Release with sp_view_free. */
void sp_view_start(const sp_run_list *runs, const char *folder, const char *study, sp_view *out);
/* Reads all again. A file that is missing, being replaced or damaged is no error. */
void sp_view_look(sp_view *view);
/* Whether every run is finished or failed and nobody is at work. */
bool sp_view_is_over(const sp_view *view);
void sp_view_free(sp_view *view);

/* Appends a screen of at most `rows` lines of at most `columns` characters (0: any number): how
 * many runs are where, and each run at work with step, loss, its course as a sparkline, dev score
 * and time left; then the last failures. */
void sp_view_screen(const sp_view *view, int rows, int columns, sp_buf *out);
/* The same as one plain line, without its end. */
void sp_view_line(const sp_view *view, sp_buf *out);

/* Draws the learning curves of finished runs and those at work: sp_plot_curves. */
sp_status sp_view_draw(const sp_view *view, const char *path, bool *drawn);

/* Appends values [count] as `width` block characters or fewer, the lowest empty, the highest full;
 * of more values each character is a mean. Values that are not finite are left out. */
void sp_sparkline(const double *values, size_t count, size_t width, sp_buf *out);

#endif
