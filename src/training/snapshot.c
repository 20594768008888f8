#include "training/snapshot.h"

#include <stdlib.h>
#include <string.h>

static size_t value_count(const sp_param *p) {
    return (size_t)(p->var.rows * p->var.cols);
}

void sp_snapshot_init(sp_snapshot *s, sp_param **params, size_t count) {
    *s = (sp_snapshot){.params = params, .count = count};
    s->copies = sp_alloc(count, sizeof *s->copies);
    for (size_t i = 0; i < count; i++) s->copies[i] = sp_alloc_floats(value_count(params[i]));
}

void sp_snapshot_free(sp_snapshot *s) {
    for (size_t i = 0; i < s->count; i++) free(s->copies[i]);
    free(s->copies);
    *s = (sp_snapshot){0};
}

void sp_snapshot_take(sp_snapshot *s) {
    for (size_t i = 0; i < s->count; i++)
        memcpy(s->copies[i], s->params[i]->var.data, value_count(s->params[i]) * sizeof(float));
}

void sp_snapshot_restore(const sp_snapshot *s) {
    for (size_t i = 0; i < s->count; i++)
        memcpy(s->params[i]->var.data, s->copies[i], value_count(s->params[i]) * sizeof(float));
}

sp_status sp_snapshot_write(const sp_snapshot *s, sp_h5 *file) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < s->count; i++)
        st = sp_checkpoint_put(file, "best", s->params[i], s->copies[i]);
    return st;
}

sp_status sp_snapshot_read(sp_snapshot *s, sp_h5 *file) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < s->count; i++)
        st = sp_checkpoint_get(file, "best", s->params[i], s->copies[i]);
    return st;
}
