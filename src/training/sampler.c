#include "training/sampler.h"

#include "core/memory.h"
#include "core/random.h"

#include <stdbool.h>
#include <stdlib.h>

/* Keeps the seeds of epochs apart; any odd number far from small seeds does. */
static const uint64_t EPOCH_STRIDE = 1000003;

/* Batches among which items are dealt out. */
enum { WINDOW = 16 };

/* ---- batches of even size ---- */

/* An item to be dealt out. */
typedef struct sized {
    int item, size;
} sized;

/* The part of a batch that lies in this epoch. */
typedef struct hand {
    size_t room, held, first; /* items it takes, has; place of its first one in the order */
    int64_t sum;              /* of their sizes */
} hand;

static int by_falling_size(const void *a, const void *b) {
    const sized *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->item - y->item;
}

/* Whether hand a, for the items it takes in all, has less than b. */
static bool has_less(const hand *a, const hand *b) {
    return a->sum * (int64_t)b->room < b->sum * (int64_t)a->room;
}

/* Each item, the largest first, goes to the hand that has least (Graham 1969) of those with room.
 * Of equals the first takes it, so the hands are shuffled: no place in the order gets the largest
 * items every time. */
static void deal(const sp_sampler *s, sized *items, size_t count, hand *hands, size_t hand_count,
                 sp_rng *rng) {
    qsort(items, count, sizeof *items, by_falling_size);
    sp_rng_shuffle(rng, hands, hand_count, sizeof *hands);
    for (size_t i = 0; i < count; i++) {
        hand *least = NULL;
        for (hand *h = hands; h < hands + hand_count; h++)
            if (h->held < h->room && (!least || has_less(h, least))) least = h;
        s->order[least->first + least->held++] = items[i].item;
        least->sum += items[i].size;
    }
}

/* Deals out the items of the batches that start at place `first` of the order, of which the first
 * one takes `room`; returns the place after them. */
static size_t deal_window(const sp_sampler *s, size_t first, size_t room, sized *items,
                          sp_rng *rng) {
    hand hands[WINDOW];
    size_t count = 0, place = first;
    for (; count < WINDOW && place < s->count; count++) {
        if (room > s->count - place) room = s->count - place;
        hands[count] = (hand){.room = room, .first = place};
        place += room;
        room = s->batch;
    }
    for (size_t i = first; i < place; i++)
        items[i - first] = (sized){s->order[i], s->sizes[s->order[i]]};
    deal(s, items, place - first, hands, count, rng);
    return place;
}

static void balance(const sp_sampler *s, sp_rng *rng) {
    size_t begun = (size_t)s->epoch % s->batch * (s->count % s->batch) % s->batch;
    size_t room = s->batch - begun; /* of the batch that began in the last epoch, or a whole one */
    sized *items = sp_alloc(WINDOW * s->batch, sizeof *items);
    for (size_t place = 0; place < s->count; room = s->batch)
        place = deal_window(s, place, room, items, rng);
    free(items);
}

/* ---- the order ---- */

void sp_sampler_resume(sp_sampler *s) {
    for (size_t i = 0; i < s->count; i++) s->order[i] = (int)i;
    sp_rng rng = sp_rng_make(s->seed + (uint64_t)s->epoch * EPOCH_STRIDE, s->purpose);
    sp_rng_shuffle(&rng, s->order, s->count, sizeof *s->order);
    if (s->sizes) balance(s, &rng);
}

void sp_sampler_balance(sp_sampler *s, const int *sizes, size_t batch) {
    s->sizes = sizes;
    s->batch = batch;
    sp_sampler_resume(s);
}

void sp_sampler_init(sp_sampler *s, size_t count, uint64_t seed, const char *purpose) {
    *s = (sp_sampler){.seed = seed, .purpose = purpose, .count = count};
    s->order = sp_alloc(count, sizeof *s->order);
    sp_sampler_resume(s);
}

size_t sp_sampler_next(sp_sampler *s) {
    if (s->cursor < 0 || s->cursor >= (int64_t)s->count) { /* a checkpoint may hold any number */
        s->cursor = 0;
        s->epoch++;
        sp_sampler_resume(s);
    }
    return (size_t)s->order[s->cursor++];
}

void sp_sampler_free(sp_sampler *s) {
    free(s->order);
    *s = (sp_sampler){0};
}
