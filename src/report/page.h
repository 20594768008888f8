/* The report of a study as one HTML page that needs nothing else: no network, no script. It is
 * well-formed XML too. */
#ifndef SP_REPORT_PAGE_H
#define SP_REPORT_PAGE_H

#include "report/results.h"
#include "report/sheet.h"

/* A drawn figure: <folder>/figures/NAME.svg and its sisters. */
typedef struct sp_page_figure {
    const char *name, *title; /* "": no title */
} sp_page_figure;

/* What the rest of the report has made already; borrowed. */
typedef struct sp_page {
    const sp_sheet *sheets;
    size_t sheet_count;
    const sp_page_figure *figures;
    size_t figure_count;
    const char *no_figures; /* why there are none; NULL if nothing is wrong */
    const char *examples;   /* texts that runs generated, or "" */
} sp_page;

/* Appends the page: what was run, the sheets, the figures as inline SVG, the examples, every run
 * with its state, its times and a link to its file relative to `folder`, where it ran, the settings
 * that all runs share and those in which the lines of the table differ, and the spec as written.
 * SP_ERR_MISSING, SP_ERR_IO. */
sp_status sp_page_write(const sp_results *results, const char *folder, const sp_page *page,
                        sp_buf *out);

#endif
