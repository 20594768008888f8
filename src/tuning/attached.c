#include "tuning/attached.h"

#include "tuning/part.h"
#include "tuning/prompt_file.h"

#include <stdlib.h>
#include <string.h>

static size_t var_floats(const sp_var *v) {
    return (size_t)(v->rows * v->cols);
}

static sp_low_rank *updates(sp_attached *a, const sp_model *m) {
    a->count = m->projection_count;
    if (!a->low_rank) a->low_rank = sp_alloc((size_t)a->count, sizeof *a->low_rank);
    return a->low_rank;
}

static sp_bottleneck *bottlenecks(sp_attached *a, const sp_model *m) {
    a->count = m->projection_count;
    if (!a->bottleneck) a->bottleneck = sp_alloc((size_t)a->count, sizeof *a->bottleneck);
    return a->bottleneck;
}

/* ---- copies ---- */

static bool is_kept(const sp_low_rank *u, long k) {
    return !u->diagonal || u->diagonal->data[k] != 0;
}

static void copy_update(sp_attached *a, const sp_projection *p, const sp_low_rank *u,
                        sp_low_rank *out) {
    long rank = 0, in = u->down->cols, n = u->up->rows;
    for (long k = 0; k < u->down->rows; k++) rank += is_kept(u, k);
    if (rank == 0) return;
    *out = (sp_low_rank){.down = sp_part_add(&a->tensors, p, "A", 2, rank, in),
                         .up = sp_part_add(&a->tensors, p, "B", 2, n, rank),
                         .scale = u->scale};
    long to = 0;
    for (long k = 0; k < u->down->rows; k++) {
        if (!is_kept(u, k)) continue;
        float factor = u->diagonal ? u->diagonal->data[k] : 1.0f;
        for (long c = 0; c < in; c++)
            out->down->data[to * in + c] = factor * u->down->data[k * u->down->ld + c];
        for (long r = 0; r < n; r++) out->up->data[r * rank + to] = u->up->data[r * u->up->ld + k];
        to++;
    }
}

static sp_var *copy_tensor(sp_attached *a, const sp_projection *p, const char *suffix,
                           const sp_var *from) {
    sp_var *to = sp_part_add(&a->tensors, p, suffix, 2, from->rows, from->cols);
    memcpy(to->data, from->data, var_floats(from) * sizeof(float));
    return to;
}

static void copy_bottleneck(sp_attached *a, const sp_projection *p, const sp_bottleneck *b,
                            sp_bottleneck *out) {
    *out = (sp_bottleneck){{copy_tensor(a, p, "down.weight", b->down.weight),
                            copy_tensor(a, p, "down.bias", b->down.bias), b->down.transposed},
                           {copy_tensor(a, p, "up.weight", b->up.weight),
                            copy_tensor(a, p, "up.bias", b->up.bias), b->up.transposed}};
}

void sp_attached_copy(const sp_model *m, const sp_steering *s, sp_attached *out) {
    *out = (sp_attached){0};
    for (int i = 0; i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        if (s->low_rank && s->low_rank[i].down)
            copy_update(out, p, &s->low_rank[i], &updates(out, m)[i]);
        if (s->bottleneck && s->bottleneck[i].down.weight)
            copy_bottleneck(out, p, &s->bottleneck[i], &bottlenecks(out, m)[i]);
    }
}

static void free_unmerged(sp_attached *a) {
    for (int i = 0; a->unmerged && i < a->count; i++) sp_leaf_free(&a->unmerged[i]);
    free(a->unmerged);
    a->unmerged = NULL;
}

void sp_attached_free(sp_attached *a) {
    free_unmerged(a);
    sp_params_free(&a->tensors);
    free(a->low_rank);
    free(a->bottleneck);
    *a = (sp_attached){0};
}

long sp_attached_size(const sp_attached *a) {
    long n = 0;
    for (size_t i = 0; i < a->tensors.count; i++) n += (long)var_floats(&a->tensors.items[i]->var);
    return n;
}

/* ---- merging ---- */

/* Gives the weight a copy in fp32, to be changed; the one it had is returned. */
static sp_var set_aside(sp_var *w) {
    sp_var before = *w, copy = sp_leaf(w->rows, w->cols);
    before.grad = NULL; /* stays with w */
    for (long r = 0; r < w->rows; r++) sp_var_row(w, r, copy.data + r * copy.ld);
    w->data = copy.data;
    w->weight = NULL;
    return before;
}

void sp_attached_merge(sp_attached *a, sp_model *m) {
    if (!a->low_rank || a->unmerged) return;
    a->unmerged = sp_alloc((size_t)a->count, sizeof *a->unmerged);
    for (int i = 0; i < a->count; i++) {
        if (!a->low_rank[i].down) continue;
        a->unmerged[i] = set_aside(m->projections[i].map.weight);
        sp_low_rank_merge(&a->low_rank[i], &m->projections[i]);
    }
}

void sp_attached_unmerge(sp_attached *a, sp_model *m) {
    for (int i = 0; a->unmerged && i < a->count; i++) {
        if (!a->unmerged[i].rows) continue;
        sp_var *w = m->projections[i].map.weight;
        free(w->data);
        w->data = a->unmerged[i].data;
        w->weight = a->unmerged[i].weight;
        a->unmerged[i] = (sp_var){0};
    }
    free_unmerged(a);
}

/* ---- in the run file ---- */

static sp_status write_tensor(sp_h5 *file, const char *group, const char *name, const sp_var *v) {
    char *path = sp_format("%s/%s", group, name);
    size_t dims[2] = {(size_t)v->rows, (size_t)v->cols};
    bool vector = v->rows == 1 && strstr(name, "bias");
    sp_status st =
        sp_h5_write_floats(file, path, vector ? 1 : 2, vector ? dims + 1 : dims, v->data);
    free(path);
    return st;
}

static sp_status write_update(sp_h5 *file, const sp_projection *p, const sp_low_rank *u) {
    char *group = sp_format("/prompt/low_rank/%s", p->name);
    sp_status st = write_tensor(file, group, "A", u->down);
    if (!st) st = write_tensor(file, group, "B", u->up);
    if (!st) st = sp_h5_set_real(file, group, "scale", u->scale);
    free(group);
    return st;
}

static sp_status write_bottleneck(sp_h5 *file, const sp_projection *p, const sp_bottleneck *b) {
    char *group = sp_format("/prompt/bottleneck/%s", p->name);
    sp_status st = write_tensor(file, group, "down.weight", b->down.weight);
    if (!st) st = write_tensor(file, group, "down.bias", b->down.bias);
    if (!st) st = write_tensor(file, group, "up.weight", b->up.weight);
    if (!st) st = write_tensor(file, group, "up.bias", b->up.bias);
    free(group);
    return st;
}

sp_status sp_attached_write(const sp_attached *a, const sp_model *m, sp_h5 *file) {
    sp_status st = SP_OK;
    for (int i = 0; !st && i < a->count; i++) {
        const sp_projection *p = &m->projections[i];
        if (a->low_rank && a->low_rank[i].down) st = write_update(file, p, &a->low_rank[i]);
        if (!st && a->bottleneck && a->bottleneck[i].down.weight)
            st = write_bottleneck(file, p, &a->bottleneck[i]);
    }
    return st;
}

static const sp_projection *find_projection(const sp_model *m, const char *name) {
    for (int i = 0; i < m->projection_count; i++)
        if (strcmp(m->projections[i].name, name) == 0) return &m->projections[i];
    return NULL;
}

/* Rows or columns of a tensor in the file that the model does not fix. */
enum { ANY = -1 };

/* A tensor [rows, cols] below `group`; a bias is [cols] there. */
static sp_status read_tensor(sp_h5 *file, const char *group, const char *name, long rows, long cols,
                             sp_attached *a, const sp_projection *p, sp_var **out) {
    char *path = sp_format("%s/%s", group, name);
    int rank;
    size_t dims[3], count;
    float *data = NULL;
    sp_status st = sp_h5_shape(file, path, &rank, dims);
    if (!st && rank == 1) {
        dims[1] = dims[0];
        dims[0] = 1;
    }
    if (!st &&
        (rank < 1 || rank > 2 || dims[0] == 0 || dims[1] == 0 ||
         (rows != ANY && dims[0] != (size_t)rows) || (cols != ANY && dims[1] != (size_t)cols)))
        st = sp_prompt_misfit(file, path);
    if (!st) st = sp_h5_read_floats(file, path, &data, &count);
    if (!st) {
        *out = sp_part_add(&a->tensors, p, name, 2, (long)dims[0], (long)dims[1]);
        memcpy((*out)->data, data, count * sizeof(float));
    }
    free(data);
    free(path);
    return st;
}

static sp_status read_update(sp_h5 *file, const char *group, const sp_projection *p,
                             const sp_model *m, sp_attached *a) {
    sp_low_rank *u = &updates(a, m)[p->index];
    sp_var *down = NULL;
    double scale = 0;
    sp_status st = sp_h5_get_real(file, group, "scale", &scale);
    if (!st) st = read_tensor(file, group, "A", ANY, sp_linear_inputs(&p->map), a, p, &down);
    if (!st)
        st = read_tensor(file, group, "B", sp_linear_outputs(&p->map), down->rows, a, p, &u->up);
    if (st) return st;
    u->down = down;
    u->scale = (float)scale;
    return SP_OK;
}

static sp_status read_bottleneck(sp_h5 *file, const char *group, const sp_projection *p,
                                 const sp_model *m, sp_attached *a) {
    sp_bottleneck *b = &bottlenecks(a, m)[p->index];
    long d = sp_linear_outputs(&p->map);
    b->down.transposed = b->up.transposed = true;
    sp_status st = read_tensor(file, group, "down.weight", ANY, d, a, p, &b->down.weight);
    if (st) return st;
    long size = b->down.weight->rows;
    st = read_tensor(file, group, "down.bias", 1, size, a, p, &b->down.bias);
    if (!st) st = read_tensor(file, group, "up.weight", d, size, a, p, &b->up.weight);
    if (!st) st = read_tensor(file, group, "up.bias", 1, d, a, p, &b->up.bias);
    return st;
}

/* Every member of a group is a projection; `read` takes what belongs to it. */
static sp_status read_group(sp_h5 *file, const char *group, const sp_model *m, sp_attached *a,
                            sp_status (*read)(sp_h5 *, const char *, const sp_projection *,
                                              const sp_model *, sp_attached *)) {
    if (!sp_h5_is_group(file, group)) return SP_OK;
    sp_strings names = {0};
    sp_status st = sp_h5_members(file, group, &names);
    for (size_t i = 0; !st && i < names.len; i++) {
        char *path = sp_format("%s/%s", group, names.data[i]);
        const sp_projection *p = find_projection(m, names.data[i]);
        st = p ? read(file, path, p, m, a) : sp_prompt_misfit(file, path);
        free(path);
    }
    sp_strings_free(&names);
    return st;
}

sp_status sp_attached_read(sp_h5 *file, const sp_model *m, sp_attached *out) {
    sp_status st = read_group(file, "/prompt/low_rank", m, out, read_update);
    if (!st) st = read_group(file, "/prompt/bottleneck", m, out, read_bottleneck);
    if (st) sp_attached_free(out);
    return st;
}
