/* The CPUs of this host, shared out among the processes at work on one study: each has a lock,
 * <folder>/at-work/cpu<n>.<host>, that who computes on it holds. So two processes that share a
 * study do not both take the first CPU. */
#ifndef SP_SCHEDULING_CPU_LOCKS_H
#define SP_SCHEDULING_CPU_LOCKS_H

#include "scheduling/slots.h"

#include <stdbool.h>

typedef struct sp_cpu_locks {
    const char *folder;   /* of the study */
    int fds[CPU_SETSIZE]; /* 0: not held */
} sp_cpu_locks;

/* Takes the `count` lowest CPUs that are free here and that no other process holds. False, and
 * nothing taken, if there are fewer. */
bool sp_cpu_locks_take(sp_cpu_locks *locks, sp_slots *slots, int count, cpu_set_t *taken);
void sp_cpu_locks_give_back(sp_cpu_locks *locks, sp_slots *slots, const cpu_set_t *taken);

/* In a fork's child: closes the descriptors of all CPUs but `own`. */
void sp_cpu_locks_keep(const sp_cpu_locks *locks, const cpu_set_t *own);

#endif
