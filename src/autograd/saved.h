/* What the backward pass of an activation reads: its input as it is, or where the tape keeps halves
 * (sp_tape.halves) a copy in bf16, so that the floats are given back after the block. */
#ifndef SP_AUTOGRAD_SAVED_H
#define SP_AUTOGRAD_SAVED_H

#include "autograd/tape.h"

typedef struct sp_saved {
    sp_var *floats; /* [n, d], or */
    sp_var *halves; /* bf16 [n, d] in the memory of a variable [n, d / 2 rounded up] */
} sp_saved;

/* Saves v [n, d] for the op's backward pass. */
sp_saved sp_save_input(sp_tape *t, sp_node *node, sp_var *v);

/* Room for rows of `inputs` variables like s with d columns for every thread, until the op ends;
 * NULL if none is needed. */
float *sp_saved_room(sp_tape *t, const sp_saved *s, int inputs, long d);
/* Row r [d]; `room` holds it if it has to be widened: the calling thread's, for input number i of
 * sp_saved_room. */
const float *sp_saved_row(const sp_saved *s, long r, long d, float *room, int i, int inputs);

#endif
