/* Does a list of runs, one after the other, each by all ranks together (data-parallel). */
#ifndef SP_SCHEDULING_TOGETHER_H
#define SP_SCHEDULING_TOGETHER_H

#include "parallel/ranks.h"
#include "scheduling/scheduler.h"

/* As sp_schedule_runs, but in this process and its ranks, which all call this: a process of MPI
 * must not fork. So a crash ends all ranks, and only what they have in checkpoints stays. `jobs`,
 * `prepare` and `trial` of the job are not used. Rank 0 chooses the runs, holds their locks,
 * watches, and writes; runs that other processes are at work on are left to them. */
sp_status sp_together_runs(const sp_study_job *job, sp_ranks *ranks, sp_schedule *out);

#endif
