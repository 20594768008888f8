/* Ends a run that takes more time or memory than it may. */
#ifndef SP_SCHEDULING_WATCHDOG_H
#define SP_SCHEDULING_WATCHDOG_H

#include "experiment/limits.h"
#include "scheduling/worker.h"

typedef struct sp_watchdog {
    const sp_limits *limits;
    double started, memory_due;
    double out_of_time; /* when it was asked to stop; 0: it was not */
    double bytes;       /* that were too many; 0: they were not */
} sp_watchdog;

/* For a run that starts now; `limits` is kept. */
sp_watchdog sp_watchdog_start(const sp_limits *limits);

/* To be called several times a second. A run out of time is asked to stop, which leaves a
 * checkpoint, and killed if it does not in a minute; one with too much memory is killed. */
void sp_watchdog_look(sp_watchdog *w, const sp_worker *worker);

/* Whether a run that failed with `st` was ended so; then SP_ERR_FAILED with limit and remedy is the
 * last failure. */
bool sp_watchdog_explain(const sp_watchdog *w, sp_status st);

#endif
