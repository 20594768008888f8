#include "training/packed.h"

void sp_packed_clear(sp_packed *p) {
    p->ids.len = p->wanted.len = p->targets.len = p->positions.len = p->asked.len = 0;
    p->offsets.len = 0;
    sp_ints_push(&p->offsets, 0);
}

void sp_packed_free(sp_packed *p) {
    sp_ints_free(&p->ids);
    sp_ints_free(&p->wanted);
    sp_ints_free(&p->targets);
    sp_ints_free(&p->positions);
    sp_ints_free(&p->offsets);
    sp_ints_free(&p->asked);
}

void sp_packed_add(sp_packed *p, const int *ids, size_t n, size_t first_scored) {
    for (size_t i = 0; i + 1 < n; i++) {
        if (i + 1 >= first_scored) {
            sp_ints_push(&p->wanted, (int)p->ids.len);
            sp_ints_push(&p->targets, ids[i + 1]);
        }
        sp_ints_push(&p->ids, ids[i]);
    }
    sp_ints_push(&p->offsets, (int)p->ids.len);
    sp_ints_push(&p->asked, (int)first_scored - 1);
}

void sp_packed_add_whole(sp_packed *p, const int *ids, size_t n, const int *rows, size_t count) {
    int start = (int)p->ids.len;
    for (size_t i = 0; i < count; i++) {
        sp_ints_push(&p->wanted, start + rows[i]);
        sp_ints_push(&p->targets, -1);
    }
    sp_ints_append(&p->ids, ids, n);
    sp_ints_push(&p->offsets, (int)p->ids.len);
    sp_ints_push(&p->asked, rows[count - 1]);
}

int sp_packed_sequences(const sp_packed *p) {
    return (int)p->offsets.len - 1;
}

long sp_packed_tokens(const sp_packed *p) {
    return (long)p->ids.len;
}

long sp_packed_scored(const sp_packed *p) {
    return (long)p->targets.len;
}

/* Tokens count from 0; those that see the prefix, from the steering's first position. */
static void place(sp_packed *p, const sp_steering *steering) {
    p->positions.len = 0;
    for (int s = 0; s < sp_packed_sequences(p); s++) {
        int count = p->offsets.data[s + 1] - p->offsets.data[s];
        int from = steering && steering->infix ? p->asked.data[s] : 0;
        int shift = steering ? steering->first_position : 0;
        for (int i = 0; i < count; i++) sp_ints_push(&p->positions, i < from ? i : shift + i);
    }
}

sp_context sp_packed_context(sp_packed *p, const sp_steering *steering) {
    place(p, steering);
    bool all = p->wanted.len == p->ids.len;
    return (sp_context){.sequences = sp_packed_sequences(p),
                        .offsets = p->offsets.data,
                        .positions = p->positions.data,
                        .steering = steering,
                        .prefix_from = steering && steering->infix ? p->asked.data : NULL,
                        .wanted = all ? NULL : p->wanted.data,
                        .wanted_count = (long)p->wanted.len};
}
