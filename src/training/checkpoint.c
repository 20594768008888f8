#include "training/checkpoint.h"

#include <stdlib.h>
#include <string.h>

static char *tensor_path(const char *kind, const char *name) {
    return sp_format("/checkpoint/%s/%s", kind, name);
}

static sp_status write_array(sp_h5 *file, const char *kind, const char *name, const float *data,
                             size_t count) {
    if (count == 0) return SP_OK;
    char *path = tensor_path(kind, name);
    sp_status st = sp_h5_write_floats(file, path, 1, &count, data);
    free(path);
    return st;
}

static sp_status read_array(sp_h5 *file, const char *kind, const char *name, float *data,
                            size_t count) {
    if (count == 0) return SP_OK;
    char *path = tensor_path(kind, name);
    sp_status st = sp_h5_load_floats(file, path, data, count);
    free(path);
    return st;
}

static size_t value_count(const sp_param *p) {
    return (size_t)(p->var.rows * p->var.cols);
}

sp_status sp_checkpoint_put(sp_h5 *file, const char *kind, const sp_param *p, const float *data) {
    return write_array(file, kind, p->name, data, value_count(p));
}

sp_status sp_checkpoint_get(sp_h5 *file, const char *kind, const sp_param *p, float *data) {
    return read_array(file, kind, p->name, data, value_count(p));
}

sp_status sp_checkpoint_write(sp_h5 *file, const char *identity, const sp_optimizer *o,
                              const sp_counter *counters) {
    sp_status st = sp_h5_set_text(file, "/checkpoint", "identity", identity);
    if (!st) st = sp_h5_set_text(file, "/checkpoint", "optimizer", o->options.optimizer);
    if (!st) st = sp_h5_set_int(file, "/checkpoint", "step", o->step);
    for (; !st && counters->name; counters++)
        st = sp_h5_set_int(file, "/checkpoint", counters->name, *counters->value);
    for (size_t i = 0; !st && i < o->count; i++) {
        const sp_param *p = o->params[i];
        const sp_moments *m = &o->moments[i];
        st = sp_checkpoint_put(file, "weight", p, p->var.data);
        if (!st) st = write_array(file, "first", p->name, m->first, m->first_count);
        if (!st) st = write_array(file, "second", p->name, m->second, m->second_count);
    }
    return st;
}

/* The attribute `name` must be what this training expects. */
static sp_status check_text(sp_h5 *file, const char *name, const char *expected) {
    char *stored = NULL;
    sp_status st = sp_h5_get_text(file, "/checkpoint", name, &stored);
    if (!st && strcmp(stored, expected) != 0)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: is the checkpoint of another training; delete it to start anew",
                     sp_h5_path(file));
    free(stored);
    return st;
}

sp_status sp_checkpoint_read(sp_h5 *file, const char *identity, sp_optimizer *o,
                             const sp_counter *counters) {
    int64_t step = 0;
    sp_status st = check_text(file, "identity", identity);
    if (!st) st = check_text(file, "optimizer", o->options.optimizer);
    if (!st) st = sp_h5_get_int(file, "/checkpoint", "step", &step);
    for (; !st && counters->name; counters++)
        st = sp_h5_get_int(file, "/checkpoint", counters->name, counters->value);
    for (size_t i = 0; !st && i < o->count; i++) {
        sp_param *p = o->params[i];
        sp_moments *m = &o->moments[i];
        st = sp_checkpoint_get(file, "weight", p, p->var.data);
        if (!st) st = read_array(file, "first", p->name, m->first, m->first_count);
        if (!st) st = read_array(file, "second", p->name, m->second, m->second_count);
    }
    if (!st) o->step = (long)step;
    return st;
}
