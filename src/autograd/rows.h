/* For the ops of this room: work that is split by rows over the threads. */
#ifndef SP_AUTOGRAD_ROWS_H
#define SP_AUTOGRAD_ROWS_H

#include "autograd/tape.h"

#include <string.h>

static inline float *sp_row(const sp_var *v, long r) {
    return v->data + r * v->ld;
}

/* Row r of a gradient from sp_grad_beta, defined: a kernel that adds may follow at once, while the
 * row is in the cache. */
static inline float *sp_grad_row(float *grad, float beta, const sp_var *v, long r) {
    float *row = grad + r * v->ld;
    if (beta == 0) memset(row, 0, (size_t)v->cols * sizeof(float));
    return row;
}

/* Sums over rows are split over the threads by columns, so that each is made in the order of the
 * rows whatever the threads. */
enum { SP_COLUMN_STRIP = 64 };

static inline long sp_strip_width(long start, long cols) {
    return cols - start < SP_COLUMN_STRIP ? cols - start : SP_COLUMN_STRIP;
}

/* target [1, n] += column sums of x (row r at x + r * ld). */
void sp_add_column_sums(const float *x, long rows, long n, long ld, float *target);

#endif
