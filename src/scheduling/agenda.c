#include "scheduling/agenda.h"

#include "scheduling/run_lock.h"
#include "scheduling/run_status.h"

#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

static int by_id(const void *a, const void *b) {
    const sp_item *const *x = a, *const *y = b;
    int order = strcmp((*x)->run->id, (*y)->run->id);
    return order ? order : (*x)->place - (*y)->place;
}

/* Two entries with equal settings share an id. */
static void find_twins(sp_agenda *agenda) {
    sp_item **sorted = sp_alloc(agenda->count, sizeof(sp_item *));
    for (size_t i = 0; i < agenda->count; i++) sorted[i] = &agenda->items[i];
    qsort(sorted, agenda->count, sizeof(sp_item *), by_id);
    for (size_t i = 1, first = 0; i < agenda->count; i++) {
        if (strcmp(sorted[i]->run->id, sorted[first]->run->id) != 0) {
            first = i;
            continue;
        }
        sorted[first]->has_twins = true;
        sorted[i]->first = sorted[first];
        sorted[i]->state = SP_ITEM_TWIN;
    }
    free(sorted);
}

static struct stat look_at_file(const sp_agenda *agenda, const sp_run_spec *run) {
    char *path = sp_run_path(run, agenda->folder);
    struct stat file = {0};
    if (stat(path, &file)) memset(&file, 0, sizeof file);
    free(path);
    return file;
}

/* A run file is never changed, only replaced. */
static bool is_replaced(const struct stat *before, const struct stat *now) {
    return before->st_ino != now->st_ino || before->st_size != now->st_size ||
           before->st_mtim.tv_sec != now->st_mtim.tv_sec ||
           before->st_mtim.tv_nsec != now->st_mtim.tv_nsec;
}

sp_status sp_agenda_open(const sp_run_list *runs, const char *folder, sp_schedule *out,
                         sp_agenda *agenda) {
    *agenda = (sp_agenda){.folder = folder, .count = runs->count, .out = out};
    agenda->items = sp_alloc(runs->count, sizeof *agenda->items);
    for (size_t i = 0; i < runs->count; i++)
        agenda->items[i] =
            (sp_item){.run = &runs->items[i], .place = (int)i + 1, .lock = -1, .seconds_left = -1};
    find_twins(agenda);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < agenda->count; i++) {
        sp_item *item = &agenda->items[i];
        sp_run_state state = SP_RUN_PENDING;
        if (item->state == SP_ITEM_TWIN) continue;
        item->file = look_at_file(agenda, item->run);
        st = sp_run_find_state(item->run, folder, &state);
        if (!st && state == SP_RUN_FINISHED) sp_agenda_end(agenda, item, &out->skipped);
    }
    return st;
}

void sp_agenda_close(sp_agenda *agenda) {
    for (size_t i = 0; i < agenda->count; i++)
        sp_run_unlock(agenda->items[i].run, agenda->folder, agenda->items[i].lock, false);
    free(agenda->items);
    *agenda = (sp_agenda){0};
}

static sp_item *first_in(const sp_agenda *agenda, sp_item_state state) {
    for (size_t i = 0; i < agenda->count; i++)
        if (agenda->items[i].state == state) return &agenda->items[i];
    return NULL;
}

sp_item *sp_agenda_next(const sp_agenda *agenda) {
    sp_item *open = first_in(agenda, SP_ITEM_OPEN);
    return open ? open : first_in(agenda, SP_ITEM_AGAIN);
}

sp_item *sp_agenda_find(const sp_agenda *agenda, const char *id) {
    for (size_t i = 0; i < agenda->count; i++)
        if (strcmp(agenda->items[i].run->id, id) == 0) return &agenda->items[i];
    return NULL;
}

size_t sp_agenda_count(const sp_agenda *agenda, sp_item_state state) {
    size_t count = 0;
    for (size_t i = 0; i < agenda->count; i++) count += agenda->items[i].state == state;
    return count;
}

/* ---- what happens to a run ---- */

static void end_twins(sp_agenda *agenda, const sp_item *item, size_t *counter) {
    for (size_t i = 0; i < agenda->count; i++) {
        sp_item *twin = &agenda->items[i];
        if (twin->state != SP_ITEM_TWIN || twin->first != item) continue;
        twin->state = SP_ITEM_OVER;
        ++*counter;
    }
}

void sp_agenda_end(sp_agenda *agenda, sp_item *item, size_t *counter) {
    sp_schedule *out = agenda->out;
    bool finished = counter == &out->done || counter == &out->skipped || counter == &out->elsewhere;
    item->state = SP_ITEM_OVER;
    ++*counter;
    if (item->has_twins) end_twins(agenda, item, counter == &out->done ? &out->skipped : counter);
    sp_run_unlock(item->run, agenda->folder, item->lock, finished);
    item->lock = -1;
}

void sp_agenda_release(sp_agenda *agenda, sp_item *item) {
    sp_run_unlock(item->run, agenda->folder, item->lock, false);
    item->lock = -1;
    item->state = SP_ITEM_OPEN;
}

sp_status sp_agenda_take(sp_agenda *agenda, sp_item *item) {
    if (item->lock >= 0) return SP_OK;
    sp_status st = sp_run_lock(item->run, agenda->folder, &item->lock);
    if (st == SP_ERR_BUSY) {
        item->state = SP_ITEM_ELSEWHERE;
        return SP_OK;
    }
    if (st) return st;
    /* Now nobody else changes the run's file. */
    struct stat file = look_at_file(agenda, item->run);
    sp_run_state state;
    if ((st = sp_run_find_state(item->run, agenda->folder, &state))) {
        sp_agenda_release(agenda, item);
        return st;
    }
    if (state == SP_RUN_FINISHED)
        sp_agenda_end(agenda, item, &agenda->out->elsewhere);
    else if (state == SP_RUN_FAILED && is_replaced(&item->file, &file))
        sp_agenda_end(agenda, item, &agenda->out->failed);
    return SP_OK;
}

sp_status sp_agenda_look_around(sp_agenda *agenda) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < agenda->count; i++) {
        sp_item *item = &agenda->items[i];
        if (item->state != SP_ITEM_ELSEWHERE) continue;
        if (sp_run_is_locked(item->run, agenda->folder))
            item->seconds_left = sp_run_progress_read(item->run, agenda->folder).seconds_left;
        else
            st = sp_agenda_take(agenda, item);
        if (!st && item->lock >= 0) sp_agenda_release(agenda, item);
    }
    return st;
}
