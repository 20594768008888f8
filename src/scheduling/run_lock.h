/* The lock of a run: whoever has it may do the run and write its files. It lives as long as one of
 * the processes that have its descriptor, so until both the process of the study and that of the
 * run are gone. */
#ifndef SP_SCHEDULING_RUN_LOCK_H
#define SP_SCHEDULING_RUN_LOCK_H

#include "experiment/run.h"

#include <stdbool.h>

/* SP_ERR_BUSY if another process has it, SP_ERR_IO as sp_lock_file. */
sp_status sp_run_lock(const sp_run_spec *run, const char *folder, int *fd);

/* Releases it. The lock's file of a run that is finished is removed first: from then on whoever
 * makes another one finds a finished run and leaves it alone. That of any other run stays. */
void sp_run_unlock(const sp_run_spec *run, const char *folder, int fd, bool finished);

bool sp_run_is_locked(const sp_run_spec *run, const char *folder);

#endif
