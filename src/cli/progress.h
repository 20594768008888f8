/* Prints progress on standard error: on a terminal one line that is redrawn, else a plain line now
 * and then, of each run of a study for itself. */
#ifndef SP_CLI_PROGRESS_H
#define SP_CLI_PROGRESS_H

#include "core/progress.h"

#include <stdbool.h>

typedef struct sp_printer {
    bool quiet, terminal, line_open;
    double *last; /* [runs] when something was printed: of the run, on a terminal of any */
    int runs;
} sp_printer;

sp_printer sp_printer_start(bool quiet);
/* To be handed to long work; points at `printer`. */
sp_progress sp_printer_progress(sp_printer *printer);
/* Ends an open line; more may follow. */
void sp_printer_break(sp_printer *printer);
/* Ends an open line, so that what is printed next begins on its own, and releases the printer. */
void sp_printer_end(sp_printer *printer);

#endif
