/* Ranks over MPI. A module of its own, loaded only under mpirun (ranks.c): the library costs time
 * and memory at every start. MPI ends all ranks when an operation fails (MPI_ERRORS_ARE_FATAL, the
 * default), so nothing is checked here. */
#include "parallel/channel.h"

#include <mpi.h>

sp_channel_open sp_channel_join;

static void exchange(void *self, const float *mine, float *theirs, size_t count) {
    (void)self;
    MPI_Alltoall(mine, (int)count, MPI_FLOAT, theirs, (int)count, MPI_FLOAT, MPI_COMM_WORLD);
}

static void gather(void *self, const void *mine, void *all, size_t bytes) {
    (void)self;
    MPI_Allgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD);
}

static void wait_for_all(void *self) {
    (void)self;
    MPI_Barrier(MPI_COMM_WORLD);
}

static void leave(void *self) {
    (void)self;
    MPI_Finalize();
}

sp_channel *sp_channel_join(void) {
    static sp_channel channel = {
        .exchange = exchange, .gather = gather, .wait = wait_for_all, .close = leave};
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &channel.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &channel.size);
    return &channel;
}
