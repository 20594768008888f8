/* Checkpoints: parameters, optimizer moments and counters in an HDF5 file, so that a training goes
 * on bit for bit where it was. */
#ifndef SP_TRAINING_CHECKPOINT_H
#define SP_TRAINING_CHECKPOINT_H

#include "format/hdf5.h"
#include "training/optimizer.h"

/* One tensor, /checkpoint/<kind>/<name>, from and into `data` [p->var.rows, p->var.cols], which may
 * be the parameter's own or a copy of it. SP_ERR_FORMAT if the stored size differs. */
sp_status sp_checkpoint_put(sp_h5 *file, const char *kind, const sp_param *p, const float *data);
sp_status sp_checkpoint_get(sp_h5 *file, const char *kind, const sp_param *p, float *data);

/* Named whole numbers that describe the position in the data and the generators. */
typedef struct sp_counter {
    const char *name;
    int64_t *value;
} sp_counter;

/* Writes group /checkpoint. `identity` says what training this is (the run id). The list of
 * counters ends with a NULL name. */
sp_status sp_checkpoint_write(sp_h5 *file, const char *identity, const sp_optimizer *optimizer,
                              const sp_counter *counters);
/* Reads it back into the same structures. SP_ERR_FORMAT if the file is damaged or belongs to
 * another training; parameters may then be partly overwritten, so the run must not go on. */
sp_status sp_checkpoint_read(sp_h5 *file, const char *identity, sp_optimizer *optimizer,
                             const sp_counter *counters);

#endif
