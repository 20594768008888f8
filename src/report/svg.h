/* gnuplot's SVG files as parts of an HTML page. */
#ifndef SP_REPORT_SVG_H
#define SP_REPORT_SVG_H

#include "core/memory.h"

/* Appends the <svg> element of a file: without prolog, fixed size and gnuplot's own title, with
 * `label` for those who do not see it, and with `prefix` before every id and every reference to
 * one, so that several figures can stand in one page. False, with nothing appended, if the text has
 * no whole <svg> element. */
bool sp_svg_inline(const char *svg, const char *prefix, const char *label, sp_buf *out);

#endif
