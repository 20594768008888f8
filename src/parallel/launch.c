#include "parallel/launch.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* A whole number of the environment that is at least `least`; else `fallback`. */
static int number(const char *name, int least, int fallback) {
    const char *text = getenv(name);
    char *end;
    if (!text || !*text) return fallback;
    long value = strtol(text, &end, 10);
    return *end || value < least || value > 1 << 24 ? fallback : (int)value;
}

bool sp_launched(void) {
    return number("OMPI_COMM_WORLD_SIZE", 1, 0) > 0;
}

sp_launch sp_launch_read(void) {
    return (sp_launch){.rank = number("OMPI_COMM_WORLD_RANK", 0, 0),
                       .size = number("OMPI_COMM_WORLD_SIZE", 1, 1),
                       .local_rank = number("OMPI_COMM_WORLD_LOCAL_RANK", 0, 0),
                       .local_size = number("OMPI_COMM_WORLD_LOCAL_SIZE", 1, 1)};
}

void sp_launch_share_cpus(const sp_launch *launch) {
    cpu_set_t mine, all, share;
    if (launch->local_size < 2 || sched_getaffinity(0, sizeof mine, &mine) ||
        sched_getaffinity(getppid(), sizeof all, &all) || !CPU_EQUAL(&mine, &all))
        return;
    CPU_ZERO(&share);
    int count = CPU_COUNT(&mine), place = 0;
    int most = launch->local_size < count ? count / launch->local_size : 1;
    int first = launch->local_rank * most % count;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &mine)) continue;
        if (place >= first && place < first + most) CPU_SET(cpu, &share);
        place++;
    }
    sched_setaffinity(0, sizeof share, &share);
}
