/* Running gnuplot on a script of plots/ without a shell. */
#ifndef SP_EXPERIMENT_GNUPLOT_H
#define SP_EXPERIMENT_GNUPLOT_H

#include "core/memory.h"
#include "core/status.h"

/* Appends name='text'; with quotes doubled, as gnuplot reads them; but not one at the very start.
 */
void sp_gnuplot_assign(sp_buf *settings, const char *name, const char *text);

/* Runs the script with the settings, `format` (svg, png, pdf) and `out`, a temporary name that then
 * becomes `path`. SP_ERR_MISSING if gnuplot is not installed; SP_ERR_IO with what it prints. */
sp_status sp_gnuplot_draw(const char *settings, const char *script, const char *format,
                          const char *path);

#endif
