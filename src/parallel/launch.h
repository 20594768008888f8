/* What mpirun says to the processes it starts, known from their environment without loading MPI. */
#ifndef SP_PARALLEL_LAUNCH_H
#define SP_PARALLEL_LAUNCH_H

#include <stdbool.h>

typedef struct sp_launch {
    int rank, size;             /* of all processes; 0 of 1 without mpirun */
    int local_rank, local_size; /* of those on this machine */
} sp_launch;

/* Of Open MPI's mpirun. */
sp_launch sp_launch_read(void);
/* Whether mpirun started this process, be it alone. */
bool sp_launched(void);

/* Where mpirun has bound this process to no CPUs of its own (--oversubscribe, --bind-to none; known
 * by its having all CPUs that mpirun has), keeps it on its share of them: each of the n ranks on
 * this machine on 1/n of the CPUs, or on one if there are fewer CPUs than ranks. */
void sp_launch_share_cpus(const sp_launch *launch);

#endif
