/* A process of its own for one job. It inherits all that its parent has read so far as pages that
 * are copied only where one of them writes; runs on CPUs of its own; tells its parent how far it is
 * and how it ended; and takes nothing along when it crashes.
 *
 * The parent must not have started any thread, those of OpenMP included: a copy has one thread. */
#ifndef SP_SCHEDULING_WORKER_H
#define SP_SCHEDULING_WORKER_H

#include "core/memory.h"
#include "core/progress.h"
#include "core/status.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the process does; a failure reaches the parent with its message. */
typedef sp_status sp_job(void *user, const sp_progress *progress);

enum { SP_WORKER_WORD = 32, SP_WORKER_ERROR = 2048 };

/* In the parent. */
typedef struct sp_worker {
    pid_t pid;
    int socket; /* to be polled for news; -1: not started */
    bool reported;
    sp_status status;
    char error[SP_WORKER_ERROR];
    sp_buf text; /* the beginning of what it wrote on its standard error */
    char phase[SP_WORKER_WORD], dev_metric[SP_WORKER_WORD];
} sp_worker;

/* Starts the process on `cpus`. It closes `own` first, a descriptor that only the parent may hold
 * (-1: none); heeds SIGINT and SIGTERM (sp_heed_interrupts), and dies with its parent. What it
 * writes on standard error goes to the parent. SP_ERR_IO if there can be no further process. */
sp_status sp_worker_start(sp_worker *w, sp_job *job, void *user, const cpu_set_t *cpus, int own);

typedef enum sp_worker_news { SP_WORKER_PROGRESS, SP_WORKER_TALK, SP_WORKER_ENDED } sp_worker_news;

/* Waits for one piece of news. SP_WORKER_PROGRESS fills `state`, whose texts live in `w`.
 * After SP_WORKER_ENDED call sp_worker_end. */
sp_worker_news sp_worker_listen(sp_worker *w, sp_progress_state *state);

/* Asks it to stop; a job that trains makes a checkpoint first. */
void sp_worker_stop(const sp_worker *w);
/* Ends it at once. */
void sp_worker_kill(const sp_worker *w);

/* Waits for its end, and returns what the job did, with its message. A process that ended without a
 * word is SP_ERR_MEMORY or SP_ERR_INTERNAL with the line it wrote last; SP_ERR_FAILED if a signal
 * ended it, which is named. */
sp_status sp_worker_end(sp_worker *w);

#endif
