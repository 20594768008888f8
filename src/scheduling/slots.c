#include "scheduling/slots.h"

sp_slots sp_slots_usable(void) {
    sp_slots slots;
    CPU_ZERO(&slots.all);
    if (sched_getaffinity(0, sizeof slots.all, &slots.all)) CPU_SET(0, &slots.all);
    slots.free = slots.all;
    return slots;
}

int sp_slots_free(const sp_slots *slots) {
    return CPU_COUNT(&slots->free);
}

cpu_set_t sp_slots_take(sp_slots *slots, int count) {
    cpu_set_t taken;
    CPU_ZERO(&taken);
    for (int cpu = 0; cpu < CPU_SETSIZE && count > 0; cpu++) {
        if (!CPU_ISSET(cpu, &slots->free)) continue;
        CPU_CLR(cpu, &slots->free);
        CPU_SET(cpu, &taken);
        count--;
    }
    return taken;
}

void sp_slots_give_back(sp_slots *slots, const cpu_set_t *taken) {
    CPU_OR(&slots->free, &slots->free, taken);
}
