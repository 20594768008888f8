#include "experiment/model_settings.h"

#include "model/find.h"

#include <stdlib.h>
#include <string.h>

static const char *const single_keys[] = {"precision", "threads", "output", NULL};
static const char *const group_keys[] = {"train", "decode", "method", "dev", "test", "data", NULL};

static const char *const other_keys[] = {"presets", "leave_out", NULL};

static bool is_in(const char *word, size_t len, const char *const *list) {
    for (; *list; list++)
        if (strlen(*list) == len && strncmp(*list, word, len) == 0) return true;
    return false;
}

bool sp_model_settings_is_path(const char *key) {
    return !is_in(key, strlen(key), other_keys);
}

/* ---- checks ---- */

static sp_status unknown_key(const sp_yaml *value, const char *what, const char *name,
                             const sp_yaml *map) {
    size_t count = map ? map->count : 0;
    const char **names = sp_alloc(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) names[i] = map->keys[i];
    sp_status st =
        sp_yaml_fail(value, "the spec has no %s '%s'%s", what, name, sp_did_you_mean(name, names));
    free(names);
    return st;
}

/* methods.ENTRY.SETTING */
static sp_status check_entry(const sp_yaml *methods, const char *path, const sp_yaml *value) {
    const char *entry = path + strlen("methods.");
    const char *dot = strchr(entry, '.');
    char *name = sp_strndup(entry, dot ? (size_t)(dot - entry) : strlen(entry));
    sp_status st = SP_OK;
    if (!sp_yaml_get(methods, name))
        st = unknown_key(value, "entry", name, methods);
    else if (!dot)
        st = sp_yaml_fail(value, "'%s' names no setting; write it like %s.lr", path, path);
    free(name);
    return st;
}

static sp_status check_path(const sp_yaml *methods, const char *path, const sp_yaml *value) {
    size_t len = strcspn(path, ".");
    if (strncmp(path, "methods.", 8) == 0) return check_entry(methods, path, value);
    if (is_in(path, len, path[len] ? group_keys : single_keys)) return SP_OK;
    return sp_yaml_fail(value,
                        "'%s' is no setting of a model's runs; use precision, threads, output, "
                        "train.X, decode.X, method.X, dev.X, test.X, data.X or methods.ENTRY.X",
                        path);
}

static sp_status check_paths(const sp_yaml *methods, const sp_yaml *map, const char *name) {
    sp_status st = sp_yaml_expect(map, SP_YAML_MAP, name);
    for (size_t i = 0; !st && i < map->count; i++)
        if (sp_model_settings_is_path(map->keys[i]))
            st = check_path(methods, map->keys[i], map->items[i]);
    return st;
}

static sp_status check_presets(const sp_yaml *root, const sp_yaml *presets) {
    const sp_yaml *methods = sp_yaml_get(root, "methods"), *known = sp_yaml_get(root, "presets");
    sp_status st = SP_OK;
    for (size_t i = 0; !st && presets && i < presets->count; i++) {
        const char *name = presets->keys[i];
        if (!sp_yaml_get(known, name))
            st = unknown_key(presets->items[i], "preset", name, known);
        else
            st = check_paths(methods, presets->items[i], name);
    }
    return st;
}

/* The reasons are for the notes of a table. */
static sp_status check_left_out(const sp_yaml *methods, const sp_yaml *left_out) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && left_out && i < left_out->count; i++) {
        const char *entry = left_out->keys[i];
        if (!sp_yaml_get(methods, entry))
            st = unknown_key(left_out->items[i], "entry", entry, methods);
        else
            st = sp_yaml_expect(left_out->items[i], SP_YAML_SCALAR, entry);
    }
    return st;
}

/* ---- reading ---- */

static sp_status read_model(const sp_yaml *root, const char *name, const sp_yaml *settings,
                            const char *preset, sp_model_settings *out) {
    const sp_yaml *presets;
    sp_status st = check_paths(sp_yaml_get(root, "methods"), settings, name);
    if (!st) st = sp_yaml_map_or_null(settings, "presets", &presets);
    if (!st) st = check_presets(root, presets);
    if (!st) st = sp_yaml_map_or_null(settings, "leave_out", &out->leave_out);
    if (!st) st = check_left_out(sp_yaml_get(root, "methods"), out->leave_out);
    if (st) return st;
    out->always = settings;
    out->preset = preset ? sp_yaml_get(presets, preset) : NULL;
    if (sp_model_names(name, &out->names)) {
        char *reason = sp_strdup(sp_error());
        st = sp_yaml_fail(settings, "%s", reason);
        free(reason);
    }
    return st;
}

sp_status sp_model_settings_read(const sp_yaml *root, const char *preset, sp_model_settings **out,
                                 size_t *count) {
    const sp_yaml *models;
    *out = NULL;
    *count = 0;
    sp_status st = sp_yaml_map_or_null(root, "models", &models);
    if (st || !models) return st;
    *out = sp_alloc(models->count, sizeof **out);
    for (size_t i = 0; !st && i < models->count; i++) {
        sp_model_settings *next = &(*out)[i];
        st = read_model(root, models->keys[i], models->items[i], preset, next);
        *count = i + 1;
        for (size_t j = 0; !st && j < next->names.len; j++)
            if (sp_model_settings_find(*out, i, next->names.data[j]))
                st = sp_yaml_fail(models->items[i],
                                  "'%s' is another name of a model listed above; put both into one",
                                  models->keys[i]);
    }
    return st;
}

void sp_model_settings_free(sp_model_settings *list, size_t count) {
    for (size_t i = 0; i < count; i++) sp_strings_free(&list[i].names);
    free(list);
}

const sp_model_settings *sp_model_settings_find(const sp_model_settings *list, size_t count,
                                                const char *model) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i].names.len; j++)
            if (strcmp(list[i].names.data[j], model) == 0) return &list[i];
    return NULL;
}

const char *sp_model_settings_left_out(const sp_model_settings *settings, const char *entry) {
    const sp_yaml *reason = settings ? sp_yaml_get(settings->leave_out, entry) : NULL;
    return reason ? reason->text : NULL;
}

/* ---- --set ---- */

static void remove_below(sp_yaml *map, const char *path) {
    size_t len = strlen(path);
    for (size_t i = map->count; i-- > 0;) {
        const char *key = map->keys[i];
        if (strncmp(key, path, len) != 0 || (key[len] != '\0' && key[len] != '.')) continue;
        char *copy = sp_strdup(key);
        sp_yaml_remove(map, copy);
        free(copy);
    }
}

void sp_model_settings_end(sp_yaml *root, const char *path) {
    const sp_yaml *models = sp_yaml_get(root, "models");
    for (size_t i = 0; models && models->kind == SP_YAML_MAP && i < models->count; i++) {
        sp_yaml *settings = models->items[i], *presets = sp_yaml_get(settings, "presets");
        if (settings->kind == SP_YAML_MAP) remove_below(settings, path);
        if (!presets || presets->kind != SP_YAML_MAP) continue;
        for (size_t j = 0; j < presets->count; j++)
            if (presets->items[j]->kind == SP_YAML_MAP) remove_below(presets->items[j], path);
    }
}
