#include "experiment/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_AXES = 8, MAX_RUNS = 20000 };

/* ---- settings of an entry ---- */

static sp_status set_path(sp_run_spec *run, const char *prefix, const char *name,
                          const sp_yaml *value) {
    char *path = sp_format("%s.%s", prefix, name);
    bool used;
    sp_status st = sp_run_set(run, path, value, &used);
    free(path);
    return st;
}

/* `model: x` or `train: {steps: 3}`. */
static sp_status apply_base(sp_run_spec *run, const sp_yaml *base) {
    sp_status st = SP_OK;
    bool used;
    for (size_t i = 0; base && !st && i < base->count; i++) {
        const char *key = base->keys[i];
        const sp_yaml *value = base->items[i];
        bool single = strcmp(key, "model") == 0 || strcmp(key, "dataset") == 0;
        st = single ? sp_run_set(run, key, value, &used) : sp_yaml_expect(value, SP_YAML_MAP, key);
        for (size_t j = 0; !single && !st && j < value->count; j++)
            st = set_path(run, key, value->keys[j], value->items[j]);
    }
    return st;
}

static sp_status unknown_setting(const sp_entry *entry, const char *key, const sp_yaml *value) {
    const sp_option *tables[] = {entry->method->options, sp_train_option_table,
                                 sp_decode_option_table};
    const char *names[256] = {"method", "label"};
    size_t n = 2;
    for (int i = 0; i < 3; i++)
        for (const sp_option *o = tables[i]; o->name && n < 255; o++) names[n++] = o->name;
    return sp_yaml_fail(value, "%s has no setting '%s'%s", entry->name, key,
                        sp_did_you_mean(key, names));
}

/* A key of an entry belongs to the method's options, or else to training, or else to decoding. */
static sp_status apply_entry(sp_run_spec *run, const sp_entry *entry) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < entry->settings->count; i++) {
        const char *key = entry->settings->keys[i];
        const sp_yaml *value = entry->settings->items[i];
        if (strcmp(key, "method") == 0 || strcmp(key, "label") == 0) continue;
        if (sp_options_find(entry->method->options, key))
            st = set_path(run, "method", key, value);
        else if (sp_options_find(sp_train_option_table, key))
            st = set_path(run, "train", key, value);
        else if (sp_options_find(sp_decode_option_table, key))
            st = set_path(run, "decode", key, value);
        else
            st = unknown_setting(entry, key, value);
    }
    return st;
}

static sp_status apply_overrides(sp_run_spec *run, const sp_yaml *overrides) {
    sp_status st = SP_OK;
    bool used;
    for (size_t i = 0; !st && i < overrides->count; i++)
        st = sp_run_set(run, overrides->keys[i], overrides->items[i], &used);
    return st;
}

/* Rows of the table are told apart by their point, so it must not be cut. */
static sp_status add_to_point(sp_run_spec *run, const char *path, const sp_yaml *value) {
    const char *dot = strrchr(path, '.');
    size_t used = strlen(run->point), room = sizeof run->point - used;
    int length = snprintf(run->point + used, room, "%s%s %s", used ? ", " : "",
                          dot ? dot + 1 : path, value->text);
    if (length >= 0 && (size_t)length < room) return SP_OK;
    return sp_yaml_fail(value, "the values of the grid take over %zu bytes; use shorter ones",
                        sizeof run->point - 1);
}

/* ---- expansion ---- */

typedef struct expansion {
    const sp_spec *spec;
    const sp_entry *entry;
    sp_identify *identify;
    sp_run_list *out;
    size_t entry_start; /* first run of this entry */
} expansion;

/* Every model and every data set is hashed once. */
static sp_status identify_run(const expansion *e, sp_run_spec *run) {
    sp_digest *model = &run->model_sha256, *data = &run->data_sha256;
    for (size_t i = 0; i < e->out->count; i++) {
        const sp_run_spec *known = &e->out->items[i];
        if (model && strcmp(known->model, run->model) == 0) {
            *model = known->model_sha256;
            model = NULL;
        }
        if (data && strcmp(known->dataset, run->dataset) == 0) {
            *data = known->data_sha256;
            data = NULL;
        }
    }
    return model || data ? e->identify(run->model, run->dataset, model, data) : SP_OK;
}

static bool is_listed(const expansion *e, const char *id) {
    for (size_t i = e->entry_start; i < e->out->count; i++)
        if (strcmp(e->out->items[i].id, id) == 0) return true;
    return false;
}

static sp_status add_run(const expansion *e, sp_run_spec run, int seed) {
    run.seed = seed;
    sp_status st = sp_run_check(&run);
    if (!st) st = identify_run(e, &run);
    if (st) return st;
    sp_run_finish(&run);
    if (is_listed(e, run.id)) {
        free(run.spec_yaml);
        return SP_OK;
    }
    sp_run_list *list = e->out;
    if (list->count == list->capacity) {
        list->capacity = 2 * list->capacity + 8;
        list->items = sp_realloc(list->items, list->capacity, sizeof *list->items);
    }
    list->items[list->count++] = run;
    return SP_OK;
}

/* Walks the axes from `axis` on; `run` carries the values chosen so far. */
static sp_status expand_axes(const expansion *e, sp_run_spec run, size_t axis) {
    const sp_yaml *grid = e->spec->grid;
    sp_status st = SP_OK;
    if (!grid || axis == grid->count) {
        for (size_t i = 0; !st && i < e->spec->seed_count; i++)
            st = add_run(e, run, e->spec->seeds[i]);
        return st;
    }
    const sp_yaml *values = grid->items[axis];
    for (size_t i = 0; !st && i < values->count; i++) {
        sp_run_spec next = run;
        bool used;
        st = sp_run_set(&next, grid->keys[axis], values->items[i], &used);
        if (!st && used) st = add_to_point(&next, grid->keys[axis], values->items[i]);
        if (!st) st = expand_axes(e, next, axis + 1);
    }
    return st;
}

static sp_status expand_entry(expansion *e) {
    sp_run_spec run;
    sp_run_default(&run, e->entry->method);
    snprintf(run.experiment, sizeof run.experiment, "%s", e->spec->name);
    snprintf(run.entry, sizeof run.entry, "%s", e->entry->name);
    snprintf(run.label, sizeof run.label, "%s", e->entry->label);
    snprintf(run.length_place, sizeof run.length_place, "%s", e->spec->path);
    snprintf(run.decode_place, sizeof run.decode_place, "%s", e->spec->path);
    sp_status st = apply_base(&run, e->spec->base);
    if (!st) st = apply_entry(&run, e->entry);
    if (!st) st = apply_overrides(&run, e->spec->overrides);
    if (!st && (!*run.model || !*run.dataset))
        st = sp_fail(SP_ERR_SPEC, "%s: base.%s is missing; name one there, or use --set",
                     e->spec->path, *run.model ? "dataset" : "model");
    e->entry_start = e->out->count;
    return st ? st : expand_axes(e, run, 0);
}

/* Before anything is built: a long grid must not fill the memory. */
static sp_status check_size(const sp_spec *spec) {
    size_t axes = spec->grid ? spec->grid->count : 0;
    if (axes > MAX_AXES)
        return sp_yaml_fail(spec->grid, "the grid has %zu axes; use at most %d", axes, MAX_AXES);
    double runs = (double)spec->entry_count * (double)spec->seed_count;
    for (size_t i = 0; i < axes; i++) runs *= (double)spec->grid->items[i]->count;
    if (runs > MAX_RUNS)
        return sp_fail(SP_ERR_SPEC, "%s: methods x grid x seeds are %.0f runs; use at most %d",
                       spec->path, runs, MAX_RUNS);
    return SP_OK;
}

sp_status sp_expand(const sp_spec *spec, sp_identify *identify, sp_run_list *out) {
    *out = (sp_run_list){0};
    expansion e = {.spec = spec, .identify = identify, .out = out};
    sp_status st = check_size(spec);
    for (size_t i = 0; !st && i < spec->entry_count; i++) {
        e.entry = &spec->entries[i];
        st = expand_entry(&e);
    }
    if (st) sp_run_list_free(out);
    return st;
}

void sp_run_list_free(sp_run_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->items[i].spec_yaml);
    free(list->items);
    *list = (sp_run_list){0};
}
