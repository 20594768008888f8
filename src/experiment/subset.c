#include "experiment/subset.h"

#include "core/random.h"

#include <stdlib.h>

typedef struct place {
    int label;
    size_t index;
} place;

static int compare_labels(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_indices(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Moves the `limit` places to keep to the front, evenly spaced in the order of the labels. */
static void choose_evenly(place *places, size_t count, size_t limit) {
    qsort(places, count, sizeof *places, compare_labels);
    for (size_t i = 0; i < limit; i++) places[i] = places[i * count / limit];
}

static void choose_at_random(place *places, size_t count, int draw) {
    sp_rng rng = sp_rng_make((uint64_t)draw, "subsample");
    sp_rng_shuffle(&rng, places, count, sizeof *places);
}

/* The examples of a task, in their order. */
static size_t find_places(const sp_split *split, int task, place *out) {
    size_t count = 0;
    for (size_t i = 0; i < split->count; i++)
        if (split->items[i].task == task) out[count++] = (place){split->items[i].label, i};
    return count;
}

/* Puts `limit` of the task's places, or all there are, to the front of `places`. */
static size_t choose(const sp_split *split, int task, size_t limit, int draw, place *places) {
    size_t count = find_places(split, task, places);
    if (limit >= count) return count;
    if (draw)
        choose_at_random(places, count, draw);
    else
        choose_evenly(places, count, limit);
    return limit;
}

void sp_split_keep(sp_split *split, size_t limit, int draw) {
    if (limit == 0 || limit >= split->count) return;
    int tasks = 0;
    for (size_t i = 0; i < split->count; i++)
        if (split->items[i].task >= tasks) tasks = split->items[i].task + 1;
    place *places = sp_alloc(split->count, sizeof *places);
    size_t chosen = 0; /* of `places`; behind them is room for all of the tasks that follow */
    for (int task = 0; task < tasks; task++)
        chosen += choose(split, task, limit, draw, places + chosen);
    qsort(places, chosen, sizeof *places, compare_indices);
    sp_split kept = {0};
    for (size_t i = 0; i < chosen; i++) {
        sp_example *from = &split->items[places[i].index];
        *sp_split_add(&kept) = *from;
        *from = (sp_example){0};
    }
    sp_split_free(split);
    *split = kept;
    free(places);
}
