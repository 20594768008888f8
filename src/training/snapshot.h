/* A copy of a list of tensors as they were at some step: the best state of a training. */
#ifndef SP_TRAINING_SNAPSHOT_H
#define SP_TRAINING_SNAPSHOT_H

#include "training/checkpoint.h"

typedef struct sp_snapshot {
    sp_param **params; /* [count] borrowed */
    size_t count;
    float **copies; /* [count] */
} sp_snapshot;

/* Keeps `params` [count] by reference; the copies are zeros before the first sp_snapshot_take. */
void sp_snapshot_init(sp_snapshot *s, sp_param **params, size_t count);
void sp_snapshot_free(sp_snapshot *s);

void sp_snapshot_take(sp_snapshot *s);          /* tensors -> copies */
void sp_snapshot_restore(const sp_snapshot *s); /* copies -> tensors */

/* The copies as /checkpoint/best/<name>. Errors as sp_checkpoint_get. */
sp_status sp_snapshot_write(const sp_snapshot *s, sp_h5 *file);
sp_status sp_snapshot_read(sp_snapshot *s, sp_h5 *file);

#endif
