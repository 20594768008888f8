/* Ranks that are threads of the test: what MPI does between processes, through shared memory. */
#ifndef SP_TESTS_THREAD_RANKS_H
#define SP_TESTS_THREAD_RANKS_H

#include "parallel/ranks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 8 };

typedef struct rank_room {
    pthread_barrier_t door;
    int size;
    const void *mine[MOST_RANKS]; /* what each rank shows while all are in the room */
} rank_room;

typedef struct rank_seat {
    rank_room *room;
    sp_channel channel;
    void (*work)(sp_ranks *ranks, void *user);
    void *user;
} rank_seat;

static void seat_wait(void *self) {
    pthread_barrier_wait(&((rank_seat *)self)->room->door);
}

static void seat_exchange(void *self, const float *mine, float *theirs, size_t count) {
    rank_seat *seat = self;
    size_t rank = (size_t)seat->channel.rank;
    seat->room->mine[rank] = mine;
    seat_wait(self);
    for (size_t r = 0; r < (size_t)seat->room->size; r++)
        memcpy(theirs + r * count, (const float *)seat->room->mine[r] + rank * count,
               count * sizeof *theirs);
    seat_wait(self);
}

static void seat_gather(void *self, const void *mine, void *all, size_t bytes) {
    rank_seat *seat = self;
    seat->room->mine[seat->channel.rank] = mine;
    seat_wait(self);
    for (int r = 0; r < seat->room->size; r++)
        memcpy((char *)all + (size_t)r * bytes, seat->room->mine[r], bytes);
    seat_wait(self);
}

static void seat_close(void *self) {
    (void)self;
}

static void *sit(void *self) {
    rank_seat *seat = self;
    sp_ranks *ranks = sp_ranks_over(&seat->channel);
    seat->work(ranks, seat->user);
    sp_ranks_leave(ranks);
    return NULL;
}

/* Calls `work` on `size` ranks at once and waits for all. */
static void with_ranks(int size, void (*work)(sp_ranks *ranks, void *user), void *user) {
    rank_room room = {.size = size};
    rank_seat seats[MOST_RANKS];
    pthread_t threads[MOST_RANKS];
    pthread_barrier_init(&room.door, NULL, (unsigned)size);
    for (int r = 0; r < size; r++) {
        seats[r] = (rank_seat){.room = &room, .work = work, .user = user};
        seats[r].channel = (sp_channel){.exchange = seat_exchange,
                                        .gather = seat_gather,
                                        .wait = seat_wait,
                                        .close = seat_close,
                                        .self = &seats[r],
                                        .rank = r,
                                        .size = size};
        pthread_create(&threads[r], NULL, sit, &seats[r]);
    }
    for (int r = 0; r < size; r++) pthread_join(threads[r], NULL);
    pthread_barrier_destroy(&room.door);
}

#endif
