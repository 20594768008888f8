/* What a process still has to do with each run of its list, which other processes share. */
#ifndef SP_SCHEDULING_AGENDA_H
#define SP_SCHEDULING_AGENDA_H

#include "experiment/grid.h"

#include <sys/stat.h>

typedef enum sp_item_state {
    SP_ITEM_OPEN,      /* for whoever locks it first */
    SP_ITEM_AGAIN,     /* failed here and will be tried again: this process keeps its lock */
    SP_ITEM_AT_WORK,   /* here */
    SP_ITEM_ELSEWHERE, /* another process has its lock */
    SP_ITEM_TWIN,      /* has the id of an earlier run of the list and ends with that */
    SP_ITEM_OVER
} sp_item_state;

typedef struct sp_item {
    const sp_run_spec *run;
    int place; /* in the list, from 1 */
    sp_item_state state;
    int lock;            /* -1: not held here */
    int threads;         /* 0: not known yet */
    int tries;           /* that ended */
    double seconds_left; /* of a run elsewhere; negative: unknown */
    struct stat file;    /* the run's file as it was at the start; zeros: there was none */
    bool has_twins;
    const struct sp_item *first; /* of a twin */
} sp_item;

/* How the runs ended, as far as they did. */
typedef struct sp_schedule {
    size_t done, skipped; /* trained by this call; found finished at its start */
    size_t elsewhere;     /* finished meanwhile by other processes */
    size_t failed;        /* now, here or elsewhere */
    size_t cancelled;     /* one by one: left alone by this call */
} sp_schedule;

typedef struct sp_agenda {
    const char *folder;
    sp_item *items; /* [count], in the order of the list */
    size_t count;
    sp_schedule *out;
} sp_agenda;

/* Looks at every run; those that are finished are over. Release with sp_agenda_close, also after
 * SP_ERR_FORMAT (damaged run file). `folder` and `out` are kept. */
sp_status sp_agenda_open(const sp_run_list *runs, const char *folder, sp_schedule *out,
                         sp_agenda *agenda);
/* Gives all locks back. */
void sp_agenda_close(sp_agenda *agenda);

/* The first open run, else the first one to be tried again; NULL: none. */
sp_item *sp_agenda_next(const sp_agenda *agenda);
sp_item *sp_agenda_find(const sp_agenda *agenda, const char *id);
size_t sp_agenda_count(const sp_agenda *agenda, sp_item_state state);

/* Locks an open run. If item->lock is then -1, there is nothing to do here: another process is at
 * it, or it has finished, or failed there meanwhile. What failed before this call is tried again.
 * SP_ERR_IO, SP_ERR_FORMAT. */
sp_status sp_agenda_take(sp_agenda *agenda, sp_item *item);
/* The run is open again. */
void sp_agenda_release(sp_agenda *agenda, sp_item *item);
/* The run is over, and counted in `counter` of agenda->out, with its twins; its lock is released.
 * Twins of a run that is done were skipped. */
void sp_agenda_end(sp_agenda *agenda, sp_item *item, size_t *counter);

/* Looks how the runs elsewhere are; those whose process died are open again. */
sp_status sp_agenda_look_around(sp_agenda *agenda);

#endif
