/* The processes at work on a study. Each has a file <folder>/at-work/<pid>@<host>, whose lock it
 * holds as long as it lives; a line in that file is a request of another process to it. A request
 * is gone with the process it was for, so it never meets a later one. */
#ifndef SP_SCHEDULING_AT_WORK_H
#define SP_SCHEDULING_AT_WORK_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>

/* This process, on the list. */
typedef struct sp_at_work {
    char *folder, *name, *path;
    int lock;    /* -1: not on the list */
    size_t read; /* bytes of the requests that were seen */
} sp_at_work;

/* SP_ERR_IO; `out` is to be left all the same. */
sp_status sp_at_work_enter(const char *folder, sp_at_work *out);
void sp_at_work_leave(sp_at_work *self);

/* Appends the names ("<pid>@<host>") of the other processes at work; `self` may be NULL. Files of
 * dead ones are removed. */
void sp_at_work_others(const char *folder, const sp_at_work *self, sp_strings *out);
bool sp_at_work_is(const char *folder, const char *name);

/* "process 12 on host", owned by the caller. */
char *sp_at_work_describe(const char *name);

/* Asks a process to stop: all it does if `run` is NULL, else the run of that id. SP_ERR_IO. */
sp_status sp_at_work_ask(const char *folder, const char *name, const char *run);

/* The next request to this process: true with *run, owned by the caller, or NULL for all. */
bool sp_at_work_asked(sp_at_work *self, char **run);

#endif
