#include "cli/mpirun.h"

#include <stdlib.h>
#include <string.h>

sp_status sp_mpirun_start(sp_mpirun *m) {
    *m = (sp_mpirun){.active = sp_launched(), .launch = sp_launch_read()};
    if (!m->active) return SP_OK;
    sp_launch_share_cpus(&m->launch);
    return sp_ranks_available();
}

bool sp_mpirun_leads(const sp_mpirun *m) {
    return m->launch.rank == 0;
}

sp_status sp_mpirun_join(sp_mpirun *m) {
    return m->active && !m->ranks ? sp_ranks_join(&m->ranks) : SP_OK;
}

void sp_mpirun_order(const sp_mpirun *m, const sp_run_list *runs, sp_run_list *order) {
    size_t size = (size_t)m->launch.size, first = (size_t)m->launch.rank % size, next = 0;
    *order = (sp_run_list){.items = sp_alloc(runs->count, sizeof *order->items),
                           .count = runs->count,
                           .capacity = runs->count};
    for (size_t turn = 0; turn < size; turn++)
        for (size_t i = (first + turn) % size; i < runs->count; i += size)
            order->items[next++] = runs->items[i];
}

/* Every rank has seen the end of all runs, its own and those of the others. */
static void add_up(sp_ranks *ranks, sp_schedule *done) {
    sp_buf mine = {0}, all = {0};
    size_t *lengths = sp_alloc((size_t)ranks->size, sizeof *lengths);
    sp_buf_append(&mine, done, sizeof *done);
    sp_ranks_gather(ranks, &mine, &all, lengths);
    size_t ended = done->done + done->skipped + done->elsewhere;
    sp_schedule sum = {.skipped = done->skipped};
    for (int r = 0; r < ranks->size; r++) {
        sp_schedule of_rank;
        memcpy(&of_rank, all.data + (size_t)r * sizeof of_rank, sizeof of_rank);
        sum.done += of_rank.done;
        if (of_rank.skipped < sum.skipped) sum.skipped = of_rank.skipped;
        if (of_rank.failed > sum.failed) sum.failed = of_rank.failed;
        if (of_rank.cancelled > sum.cancelled) sum.cancelled = of_rank.cancelled;
    }
    sum.elsewhere = ended > sum.done + sum.skipped ? ended - sum.done - sum.skipped : 0;
    *done = sum;
    sp_buf_free(&mine), sp_buf_free(&all);
    free(lengths);
}

/* Worse than runs that failed, then the failure of the rank that can tell, then any. */
static sp_status settle(sp_ranks *ranks, sp_status st, bool own) {
    sp_status worst = sp_ranks_settle(ranks, st == SP_ERR_FAILED ? SP_OK : st);
    if (!worst) worst = sp_ranks_settle(ranks, own ? st : SP_OK);
    return worst ? worst : sp_ranks_settle(ranks, st);
}

sp_status sp_mpirun_collect(sp_mpirun *m, sp_status st, bool own, sp_schedule *done) {
    if (!m->active) return st;
    char *message = sp_strdup(sp_error());
    sp_status joined = sp_mpirun_join(m);
    if (!joined) {
        add_up(m->ranks, done);
        if (st) sp_fail(st, "%s", message);
        joined = settle(m->ranks, st, own);
    }
    free(message);
    return joined;
}

sp_status sp_mpirun_end(sp_mpirun *m, sp_status st) {
    if (!m->active) return st;
    if (m->ranks) sp_ranks_leave(m->ranks);
    m->ranks = NULL;
    return sp_mpirun_leads(m) ? st : SP_OK;
}
