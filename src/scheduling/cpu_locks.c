#include "scheduling/cpu_locks.h"

#include "core/file.h"
#include "core/host.h"

#include <stdlib.h>
#include <unistd.h>

static char *path_of(const sp_cpu_locks *locks, int cpu) {
    return sp_format("%s/at-work/cpu%d.%s", locks->folder, cpu, sp_host());
}

/* A CPU whose lock cannot be made at all is taken without. */
static bool lock_cpu(sp_cpu_locks *locks, int cpu) {
    char *path = path_of(locks, cpu);
    int fd;
    sp_status st = sp_lock_file(path, &fd);
    if (!st) locks->fds[cpu] = fd;
    free(path);
    return st != SP_ERR_BUSY;
}

static void unlock_cpu(sp_cpu_locks *locks, int cpu) {
    if (locks->fds[cpu] == 0) return;
    char *path = path_of(locks, cpu);
    unlink(path);
    sp_unlock_file(locks->fds[cpu]);
    locks->fds[cpu] = 0;
    free(path);
}

bool sp_cpu_locks_take(sp_cpu_locks *locks, sp_slots *slots, int count, cpu_set_t *taken) {
    CPU_ZERO(taken);
    for (int cpu = 0; cpu < CPU_SETSIZE && count > 0; cpu++) {
        if (!CPU_ISSET(cpu, &slots->free) || !lock_cpu(locks, cpu)) continue;
        CPU_CLR(cpu, &slots->free);
        CPU_SET(cpu, taken);
        count--;
    }
    if (count > 0) sp_cpu_locks_give_back(locks, slots, taken);
    return count == 0;
}

void sp_cpu_locks_give_back(sp_cpu_locks *locks, sp_slots *slots, const cpu_set_t *taken) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, taken)) unlock_cpu(locks, cpu);
    sp_slots_give_back(slots, taken);
}

void sp_cpu_locks_keep(const sp_cpu_locks *locks, const cpu_set_t *own) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (locks->fds[cpu] && !CPU_ISSET(cpu, own)) close(locks->fds[cpu]);
}
