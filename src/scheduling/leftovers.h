/* Files that processes which were killed left in a study's folder: half-written ones, and the
 * checkpoints of finished runs. */
#ifndef SP_SCHEDULING_LEFTOVERS_H
#define SP_SCHEDULING_LEFTOVERS_H

/* Removes those that nobody can be writing: of a run, if its lock can be taken; any other, if its
 * name is that of a process of this host which is no more. */
void sp_remove_leftovers(const char *folder);

#endif
