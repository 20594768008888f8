/* Wall-clock seconds since an arbitrary start, monotonic; and whether the user asked to stop. */
#ifndef SP_CORE_CLOCK_H
#define SP_CORE_CLOCK_H

#include <stdbool.h>

double sp_now(void);

/* After sp_watch_interrupts, the first SIGINT, SIGTERM or (the terminal is closed; unless it was
 * ignored before, as with nohup) SIGHUP makes sp_interrupted() true so that long
 * work saves a checkpoint and returns SP_ERR_INTERRUPTED; a second one ends the process at once. */
void sp_watch_interrupts(void);
/* For a process whose parent passes the signals on and counts them: any number of these
 * signals only makes sp_interrupted() true. */
void sp_heed_interrupts(void);
bool sp_interrupted(void);

/* Largest resident set of this process so far, in bytes. */
double sp_peak_rss(void);

#endif
