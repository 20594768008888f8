/* `softprompt run` under mpirun: who prints, in which order runs are looked at, and one exit code
 * for all ranks. Without mpirun all of this does nothing. */
#ifndef SP_CLI_MPIRUN_H
#define SP_CLI_MPIRUN_H

#include "parallel/launch.h"
#include "parallel/ranks.h"
#include "scheduling/scheduler.h"

typedef struct sp_mpirun {
    bool active; /* mpirun started this process */
    sp_launch launch;
    sp_ranks *ranks; /* NULL: not joined yet */
} sp_mpirun;

/* Reads what mpirun says and takes this rank's share of the CPUs. MPI is not loaded. SP_ERR_MISSING
 * if the program was built without it. */
sp_status sp_mpirun_start(sp_mpirun *m);

/* Whether this process prints. */
bool sp_mpirun_leads(const sp_mpirun *m);

/* Joins the ranks, after which this process must not fork. All ranks. */
sp_status sp_mpirun_join(sp_mpirun *m);

/* The list [runs->count] in the order in which this rank looks at it: its own part first, so that
 * ranks do not meet at the same run while there are others. `order` borrows; free order->items. */
void sp_mpirun_order(const sp_mpirun *m, const sp_run_list *runs, sp_run_list *order);

/* Waits for all ranks, which have done runs each for itself; `own` says whether a run failed in
 * this one. On all of them `done` becomes the whole, and what is returned the gravest that
 * happened. */
sp_status sp_mpirun_collect(sp_mpirun *m, sp_status st, bool own, sp_schedule *done);

/* The last call: what this process is to end with. The other ranks leave their failures to rank 0
 * and return SP_OK: mpirun ends all ranks when one fails. All ranks if they are joined. */
sp_status sp_mpirun_end(sp_mpirun *m, sp_status st);

#endif
