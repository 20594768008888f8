/* Checkpoints that cannot be read, as a loss of power leaves them on some disks. */
#ifndef SP_SCHEDULING_SET_ASIDE_H
#define SP_SCHEDULING_SET_ASIDE_H

#include "experiment/run.h"

/* Looks whether the run's checkpoint, if there is one, is whole (sp_h5_check). One that is not gets
 * ".damaged" added to its name, in place of an earlier one, so that the run begins anew, and
 * *message says so (owned by the caller; else NULL). SP_ERR_IO. */
sp_status sp_set_damaged_aside(const sp_run_spec *run, const char *folder, char **message);

#endif
