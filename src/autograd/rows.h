/* For the ops of this room: work that is split by rows over the threads. */
#ifndef SP_AUTOGRAD_ROWS_H
#define SP_AUTOGRAD_ROWS_H

#include "autograd/tape.h"

static inline float *sp_row(const sp_var *v, long r) {
    return v->data + r * v->ld;
}

/* target [1, n] += column sums of x (row r at x + r * ld), in row order whatever the threads. */
void sp_add_column_sums(const float *x, long rows, long n, long ld, float *target);

#endif
