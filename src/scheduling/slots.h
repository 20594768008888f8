/* The CPUs that the runs of a study share out among themselves: each run has its own. */
#ifndef SP_SCHEDULING_SLOTS_H
#define SP_SCHEDULING_SLOTS_H

#include <sched.h>

typedef struct sp_slots {
    cpu_set_t all, free;
} sp_slots;

/* Those this process may run on. */
sp_slots sp_slots_usable(void);
/* How many are free. */
int sp_slots_free(const sp_slots *slots);
/* Takes the `count` lowest of the free ones, of which there must be as many. */
cpu_set_t sp_slots_take(sp_slots *slots, int count);
void sp_slots_give_back(sp_slots *slots, const cpu_set_t *taken);

#endif
