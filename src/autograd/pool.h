/* Float buffers that are given back and taken again within a step: sizes repeat (tokens x width),
 * so a freed buffer serves the next request of its size. */
#ifndef SP_AUTOGRAD_POOL_H
#define SP_AUTOGRAD_POOL_H

#include "core/memory.h"

typedef struct sp_buffer {
    float *data; /* 64-byte aligned */
    struct sp_pool_size *size;
    int holders;            /* how many still need the contents; 0: free */
    struct sp_buffer *next; /* the next free one of this size */
} sp_buffer;

/* Start from {0}. */
typedef struct sp_pool {
    sp_arena arena;
    struct sp_pool_size *sizes;
    size_t held, peak; /* floats that somebody holds: now, and at most since the last reset */
} sp_pool;

/* A buffer of at least `floats` floats with one holder; uninitialised. */
sp_buffer *sp_pool_take(sp_pool *pool, size_t floats);
/* One holder less; the last one frees the buffer. In a build with sanitizers its contents become
 * NaN and reading it is an error. */
void sp_pool_drop(sp_pool *pool, sp_buffer *buffer);

/* All buffers are gone; the memory is kept for the next step. */
void sp_pool_reset(sp_pool *pool);
void sp_pool_free(sp_pool *pool);

#endif
