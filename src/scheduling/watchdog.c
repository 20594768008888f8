#include "scheduling/watchdog.h"

#include "core/clock.h"

#include <stdlib.h>

/* For a checkpoint; and between two measurements of memory, which make the kernel walk the page
 * tables of the run. */
static const double GRACE_SECONDS = 60, MEMORY_SECONDS = 0.5;

sp_watchdog sp_watchdog_start(const sp_limits *limits) {
    return (sp_watchdog){.limits = limits, .started = sp_now()};
}

static void look_at_time(sp_watchdog *w, const sp_worker *worker, double now) {
    if (w->limits->seconds <= 0 || now - w->started < w->limits->seconds) return;
    if (w->out_of_time <= 0) {
        w->out_of_time = now;
        sp_worker_stop(worker);
    } else if (now - w->out_of_time > GRACE_SECONDS) {
        sp_worker_kill(worker);
    }
}

static void look_at_memory(sp_watchdog *w, const sp_worker *worker, double now) {
    if (w->limits->bytes <= 0 || w->bytes > 0 || now < w->memory_due) return;
    w->memory_due = now + MEMORY_SECONDS;
    double bytes = sp_private_bytes(worker->pid);
    if (bytes <= w->limits->bytes) return;
    w->bytes = bytes;
    sp_worker_kill(worker);
}

void sp_watchdog_look(sp_watchdog *w, const sp_worker *worker) {
    double now = sp_now();
    look_at_time(w, worker, now);
    look_at_memory(w, worker, now);
}

bool sp_watchdog_explain(const sp_watchdog *w, sp_status st) {
    bool stopped = st == SP_ERR_INTERRUPTED || st == SP_ERR_FAILED, memory = w->bytes > 0;
    if (!stopped || (!memory && w->out_of_time <= 0)) return false;
    char *limit = memory ? sp_limits_memory_text(w->limits) : sp_limits_time_text(w->limits);
    if (memory)
        sp_fail(SP_ERR_FAILED,
                "ended at its memory limit of %s; use a smaller batch, train.recompute or a larger "
                "--memory-limit",
                limit);
    else
        sp_fail(SP_ERR_FAILED,
                "stopped at its time limit of %s; run it again with a larger --time-limit to go on "
                "from its checkpoint",
                limit);
    free(limit);
    return true;
}
