/* How ranks talk: what a module (mpi/open_mpi.c) or a test gives to ranks.c. All functions are
 * collective: every rank calls them in the same order with the same counts. They do not fail: a
 * library that cannot go on ends all ranks. */
#ifndef SP_PARALLEL_CHANNEL_H
#define SP_PARALLEL_CHANNEL_H

#include <stddef.h>

typedef struct sp_channel {
    /* Part r of `mine` [size, count] goes to rank r; part r of `theirs` [size, count] is what rank
     * r had for this one. */
    void (*exchange)(void *self, const float *mine, float *theirs, size_t count);
    /* `all` [size, bytes] receives every rank's `mine` [bytes], in rank order. */
    void (*gather)(void *self, const void *mine, void *all, size_t bytes);
    /* No rank goes on before all are here. */
    void (*wait)(void *self);
    /* The end; nothing is called afterwards. */
    void (*close)(void *self);
    void *self;
    int rank, size;
} sp_channel;

/* The one symbol of a module: joins the ranks that the launcher started. */
typedef sp_channel *sp_channel_open(void);
#define SP_CHANNEL_SYMBOL "sp_channel_join"

#endif
