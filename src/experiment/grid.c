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
        bool single = sp_run_is_single(key);
        st = single ? sp_run_set(run, key, value, &used) : sp_yaml_expect(value, SP_YAML_MAP, key);
        for (size_t j = 0; !single && !st && j < value->count; j++)
            st = set_path(run, key, value->keys[j], value->items[j]);
    }
    return st;
}

static sp_status unknown_setting(const sp_entry *entry, const char *key, const sp_yaml *value) {
    const sp_option *tables[] = {entry->method->options, sp_train_option_table,
                                 sp_decode_option_table};
    const char *names[256] = {"method", "label", "grid"};
    size_t n = 3;
    for (int i = 0; i < 3; i++)
        for (const sp_option *o = tables[i]; o->name && n < 255; o++) names[n++] = o->name;
    return sp_yaml_fail(value, "%s has no setting '%s'%s", entry->name, key,
                        sp_did_you_mean(key, names));
}

/* The path of an entry's key: an option of the method, or else of training, or else of decoding.
 * *path is owned by the caller; NULL if there is no such option. */
static char *entry_path(const sp_entry *entry, const char *key) {
    if (sp_options_find(entry->method->options, key)) return sp_format("method.%s", key);
    if (sp_options_find(sp_train_option_table, key)) return sp_format("train.%s", key);
    if (sp_options_find(sp_decode_option_table, key)) return sp_format("decode.%s", key);
    return NULL;
}

static sp_status set_entry(sp_run_spec *run, const sp_entry *entry, const char *key,
                           const sp_yaml *value) {
    bool used;
    char *path = entry_path(entry, key);
    sp_status st = path ? sp_run_set(run, path, value, &used) : unknown_setting(entry, key, value);
    free(path);
    return st;
}

static sp_status apply_entry(sp_run_spec *run, const sp_entry *entry) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < entry->settings->count; i++) {
        const char *key = entry->settings->keys[i];
        if (strcmp(key, "method") == 0 || strcmp(key, "label") == 0 || strcmp(key, "grid") == 0)
            continue;
        st = set_entry(run, entry, key, entry->settings->items[i]);
    }
    return st;
}

/* What `models` says of all entries, or, with a path that begins with "methods.ENTRY.", of this
 * one. NULL is fine. */
static sp_status apply_model_map(sp_run_spec *run, const sp_entry *entry, const sp_yaml *map,
                                 bool of_entry) {
    sp_status st = SP_OK;
    bool used;
    size_t len = strlen(entry->name);
    for (size_t i = 0; !st && map && i < map->count; i++) {
        const char *key = map->keys[i];
        const sp_yaml *value = map->items[i];
        bool names_entry = strncmp(key, "methods.", 8) == 0;
        if (!sp_model_settings_is_path(key) || names_entry != of_entry) continue;
        if (!of_entry)
            st = sp_run_set(run, key, value, &used);
        else if (strncmp(key + 8, entry->name, len) == 0 && key[8 + len] == '.')
            st = set_entry(run, entry, key + 8 + len + 1, value);
    }
    return st;
}

static sp_status apply_model(sp_run_spec *run, const sp_entry *entry, const sp_model_settings *m,
                             bool of_entry) {
    if (!m) return SP_OK;
    sp_status st = apply_model_map(run, entry, m->always, of_entry);
    return st ? st : apply_model_map(run, entry, m->preset, of_entry);
}

static sp_status apply_overrides(sp_run_spec *run, const sp_yaml *overrides) {
    sp_status st = SP_OK;
    bool used;
    for (size_t i = 0; !st && i < overrides->count; i++)
        st = sp_run_set(run, overrides->keys[i], overrides->items[i], &used);
    return st;
}

/* "length" for method.length; what is no setting of the method or its training keeps its path. */
static const char *short_name(const char *path) {
    static const char *const groups[] = {"method.", "train.", "decode."};
    for (int i = 0; i < 3; i++)
        if (strncmp(path, groups[i], strlen(groups[i])) == 0) return path + strlen(groups[i]);
    return path;
}

/* Rows of the table are told apart by their point, so it must not be cut. */
static sp_status add_to_point(sp_run_spec *run, const char *path, const sp_yaml *value) {
    size_t used = strlen(run->point), room = sizeof run->point - used;
    int length = snprintf(run->point + used, room, "%s%s %s", used ? ", " : "", short_name(path),
                          value->text);
    if (length >= 0 && (size_t)length < room) return SP_OK;
    return sp_yaml_fail(value, "the values of the grid take over %zu bytes; use shorter ones",
                        sizeof run->point - 1);
}

/* ---- expansion ---- */

/* One dimension of the grid of an entry. */
typedef struct axis {
    char *path;
    const sp_yaml *values;
    bool of_entry;
} axis;

typedef struct expansion {
    const sp_spec *spec;
    const sp_entry *entry;
    axis axes[MAX_AXES];
    size_t axis_count;
    const sp_yaml *chosen[MAX_AXES]; /* the value of each axis at the grid point */
    sp_identify *identify;
    void *user; /* of identify */
    sp_run_list *out;
    size_t entry_start; /* first run of this entry */
} expansion;

/* The hash of a data set that an earlier run has, too; NULL if none has. */
static const sp_digest *known_data(const expansion *e, const char *dataset) {
    for (size_t i = 0; i < e->out->count; i++) {
        const sp_run_spec *known = &e->out->items[i];
        if (strcmp(known->dataset, dataset) == 0) return &known->data_sha256;
        for (size_t k = 0; k < known->transfer_count; k++)
            if (strcmp(known->transfer[k], dataset) == 0) return &known->transfer_sha256[k];
    }
    return NULL;
}

static sp_status identify_transfer(const expansion *e, sp_run_spec *run) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < run->transfer_count; i++) {
        const sp_digest *known = known_data(e, run->transfer[i]);
        if (known)
            run->transfer_sha256[i] = *known;
        else
            st = e->identify(e->user, run->model, run->transfer[i], NULL, &run->transfer_sha256[i]);
    }
    return st;
}

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
    return model || data ? e->identify(e->user, run->model, run->dataset, model, data) : SP_OK;
}

static bool is_listed(const expansion *e, const char *id) {
    for (size_t i = e->entry_start; i < e->out->count; i++)
        if (strcmp(e->out->items[i].id, id) == 0) return true;
    return false;
}

static sp_status add_run(const expansion *e, sp_run_spec run, int seed) {
    run.seed = seed;
    if (!*run.model || !*run.dataset)
        return sp_fail(SP_ERR_SPEC, "%s: base.%s is missing; name one there, or use --set",
                       e->spec->path, *run.model ? "dataset" : "model");
    sp_status st = sp_run_check(&run);
    if (!st) st = identify_run(e, &run);
    if (!st) st = identify_transfer(e, &run);
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

/* Every seed with every subsample. All the data (limit 0) has no subsamples. */
static sp_status add_replicates(const expansion *e, sp_run_spec run) {
    const sp_spec *spec = e->spec;
    bool fixed = !spec->subsamples || sp_yaml_get(spec->overrides, "data.subsample");
    size_t subsamples = fixed ? 1 : spec->subsample_count;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < subsamples; i++) {
        if (!fixed) run.subsample = run.train_limit ? spec->subsamples[i] : 0;
        for (size_t j = 0; !st && j < spec->seed_count; j++) st = add_run(e, run, spec->seeds[j]);
    }
    return st;
}

static sp_status apply_axes(const expansion *e, sp_run_spec *run) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < e->axis_count; i++) {
        const char *path = e->axes[i].path;
        bool used;
        st = sp_run_set(run, path, e->chosen[i], &used);
        if (!st && !used && e->axes[i].of_entry) st = unknown_setting(e->entry, path, e->chosen[i]);
        if (!st && used) st = add_to_point(run, path, e->chosen[i]);
    }
    return st;
}

/* `models` has to know the model before what stands above it is applied. */
static const char *model_of_point(const expansion *e, const sp_run_spec *run) {
    const sp_yaml *value = sp_yaml_get(e->spec->overrides, "model");
    for (size_t i = 0; !value && i < e->axis_count; i++)
        if (strcmp(e->axes[i].path, "model") == 0) value = e->chosen[i];
    return value && value->text ? value->text : run->model;
}

/* The run of the chosen grid point, from the lowest precedence to the highest. */
static sp_status add_point(const expansion *e) {
    const sp_spec *spec = e->spec;
    sp_run_spec run;
    sp_run_default(&run, e->entry->method);
    snprintf(run.experiment, sizeof run.experiment, "%s", spec->name);
    snprintf(run.entry, sizeof run.entry, "%s", e->entry->name);
    snprintf(run.label, sizeof run.label, "%s", e->entry->label);
    snprintf(run.length_place, sizeof run.length_place, "%s", spec->path);
    snprintf(run.decode_place, sizeof run.decode_place, "%s", spec->path);
    sp_status st = apply_base(&run, spec->base);
    if (st) return st;
    const sp_model_settings *model =
        sp_model_settings_find(spec->models, spec->model_count, model_of_point(e, &run));
    if (sp_model_settings_left_out(model, e->entry->name)) return SP_OK;
    if ((st = apply_model(&run, e->entry, model, false))) return st;
    if ((st = apply_entry(&run, e->entry))) return st;
    if ((st = apply_model(&run, e->entry, model, true))) return st;
    if ((st = apply_overrides(&run, spec->overrides))) return st;
    if ((st = apply_axes(e, &run))) return st;
    return add_replicates(e, run);
}

/* Walks the axes from `depth` on. */
static sp_status expand_axes(expansion *e, size_t depth) {
    if (depth == e->axis_count) return add_point(e);
    const sp_yaml *values = e->axes[depth].values;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < values->count; i++) {
        e->chosen[depth] = values->items[i];
        st = expand_axes(e, depth + 1);
    }
    return st;
}

/* ---- the axes of an entry ---- */

static void free_axes(expansion *e) {
    for (size_t i = 0; i < e->axis_count; i++) free(e->axes[i].path);
    e->axis_count = 0;
}

/* Adds an axis, or replaces the spec's of the same path; takes `path`. */
static sp_status add_axis(expansion *e, char *path, const sp_yaml *values, bool of_entry) {
    size_t i = 0;
    while (i < e->axis_count && strcmp(e->axes[i].path, path) != 0) i++;
    sp_status st = SP_OK;
    if (i == MAX_AXES)
        st = sp_yaml_fail(values, "the grid has over %d axes; use fewer", MAX_AXES);
    else if (i < e->axis_count && e->axes[i].of_entry)
        st = sp_yaml_fail(values, "%s is twice in the grid of %s", path, e->entry->name);
    if (st || i < e->axis_count) {
        free(path);
        if (!st) e->axes[i].values = values, e->axes[i].of_entry = of_entry;
        return st;
    }
    e->axes[e->axis_count++] = (axis){path, values, of_entry};
    return SP_OK;
}

/* The spec's axes, then the entry's own; --set ends an axis of its path. */
static sp_status collect_axes(expansion *e) {
    const sp_yaml *shared = e->spec->grid, *own = e->entry->grid;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && shared && i < shared->count; i++)
        st = add_axis(e, sp_strdup(shared->keys[i]), shared->items[i], false);
    for (size_t i = 0; !st && own && i < own->count; i++) {
        char *path = entry_path(e->entry, own->keys[i]);
        if (!path && !strchr(own->keys[i], '.') && !sp_run_is_single(own->keys[i]))
            return unknown_setting(e->entry, own->keys[i], own->items[i]);
        if (!path) path = sp_strdup(own->keys[i]);
        if (sp_yaml_get(e->spec->overrides, path))
            free(path);
        else
            st = add_axis(e, path, own->items[i], true);
    }
    return st;
}

/* Before anything is built: a long grid must not fill the memory. */
static sp_status check_size(expansion *e) {
    const sp_spec *spec = e->spec;
    double runs = 0, replicates = (double)spec->seed_count;
    if (spec->subsamples) replicates *= (double)spec->subsample_count;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < spec->entry_count; i++) {
        double points = 1;
        e->entry = &spec->entries[i];
        st = collect_axes(e);
        for (size_t j = 0; j < e->axis_count; j++) points *= (double)e->axes[j].values->count;
        free_axes(e);
        runs += points * replicates;
    }
    if (st || runs <= MAX_RUNS) return st;
    return sp_fail(SP_ERR_SPEC, "%s: methods x grid x seeds are %.0f runs; use at most %d",
                   spec->path, runs, MAX_RUNS);
}

/* Every setting of every model, also of those that no run has. */
static sp_status check_models(const sp_spec *spec) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < spec->model_count; i++) {
        const sp_yaml *always = spec->models[i].always, *presets = sp_yaml_get(always, "presets");
        for (size_t j = 0; !st && j < spec->entry_count; j++) {
            const sp_entry *entry = &spec->entries[j];
            sp_run_spec run;
            sp_run_default(&run, entry->method);
            st = apply_model_map(&run, entry, always, false);
            if (!st) st = apply_model_map(&run, entry, always, true);
            for (size_t k = 0; !st && presets && k < presets->count; k++) {
                st = apply_model_map(&run, entry, presets->items[k], false);
                if (!st) st = apply_model_map(&run, entry, presets->items[k], true);
            }
        }
    }
    return st;
}

static sp_status expand_entry(expansion *e) {
    e->entry_start = e->out->count;
    sp_status st = collect_axes(e);
    if (!st) st = expand_axes(e, 0);
    free_axes(e);
    return st;
}

sp_status sp_expand(const sp_spec *spec, sp_identify *identify, void *user, sp_run_list *out) {
    *out = (sp_run_list){0};
    expansion e = {.spec = spec, .identify = identify, .user = user, .out = out};
    sp_status st = check_size(&e);
    if (!st) st = check_models(spec);
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

void sp_run_list_keep(sp_run_list *list, const bool *kept) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (kept[i])
            list->items[count++] = list->items[i];
        else
            free(list->items[i].spec_yaml);
    }
    list->count = count;
}

static bool is_used(const sp_run_list *runs, const sp_model_settings *model) {
    for (size_t i = 0; i < runs->count; i++)
        if (sp_model_settings_find(model, 1, runs->items[i].model)) return true;
    return false;
}

void sp_left_out(const sp_spec *spec, const sp_run_list *runs, sp_strings *out) {
    for (size_t i = 0; i < spec->model_count; i++) {
        const sp_model_settings *model = &spec->models[i];
        if (!model->leave_out || !is_used(runs, model)) continue;
        for (size_t j = 0; j < model->leave_out->count; j++)
            sp_strings_take(out, sp_format("%s is left out with %s: %s",
                                           sp_entry_label(spec, model->leave_out->keys[j]),
                                           model->names.data[0], model->leave_out->items[j]->text));
    }
}
