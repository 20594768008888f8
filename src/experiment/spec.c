#include "experiment/spec.h"

#include "experiment/groups.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const root_keys[] = {"name",  "title",  "base",       "methods", "models",
                                        "grid",  "seeds",  "subsamples", "presets", "report",
                                        "paper", "claims", "limits",     NULL};
static const char *const base_keys[] = {"model", "dataset",  "precision", "threads", "output",
                                        "train", "decode",   "method",    "dev",     "test",
                                        "data",  "transfer", NULL};

static bool is_in(const char *word, size_t len, const char *const *list) {
    for (; *list; list++)
        if (strlen(*list) == len && strncmp(*list, word, len) == 0) return true;
    return false;
}

/* ---- presets and --set ---- */

/* "base", "root" or unknown, by the first step of a path. */
static sp_status check_path(const char *path, const sp_yaml *value, bool *in_base) {
    size_t len = strcspn(path, ".");
    if (len == 6 && strncmp(path, "models", len) == 0)
        return sp_yaml_fail(value,
                            "'%s' cannot be set here; settings of a model stand under models in "
                            "the spec, those of a preset under models.NAME.presets",
                            path);
    *in_base = is_in(path, len, base_keys);
    if (*in_base || is_in(path, len, root_keys)) return SP_OK;
    const char *all[sizeof root_keys / sizeof *root_keys + sizeof base_keys / sizeof *base_keys];
    size_t n = 0;
    for (const char *const *k = root_keys; *k; k++) all[n++] = *k;
    for (const char *const *k = base_keys; *k; k++) all[n++] = *k;
    all[n] = NULL;
    char *first = sp_strndup(path, len);
    sp_status st = sp_yaml_fail(value, "unknown setting '%s'%s", path, sp_did_you_mean(first, all));
    free(first);
    return st;
}

/* Axes of the grid are named by dotted keys, so "grid.method.length" has two steps, not three. */
static sp_status set_in_root(sp_yaml *root, const char *path, sp_yaml *value) {
    if (strncmp(path, "grid.", 5) != 0) return sp_yaml_set_node(root, path, value);
    if (!sp_yaml_get(root, "grid"))
        sp_yaml_put(root, "grid", sp_yaml_new_map(value->file, value->line));
    sp_yaml *grid = sp_yaml_get(root, "grid");
    sp_status st = sp_yaml_expect(grid, SP_YAML_MAP, "grid");
    if (st)
        sp_yaml_free(value);
    else
        sp_yaml_put(grid, path + 5, value);
    return st;
}

static sp_status apply_preset_value(sp_yaml *root, const char *path, const sp_yaml *value) {
    bool in_base;
    sp_status st = check_path(path, value, &in_base);
    if (st) return st;
    char *full = in_base ? sp_format("base.%s", path) : sp_strdup(path);
    st = set_in_root(root, full, sp_yaml_copy(value));
    free(full);
    return st;
}

static sp_status apply_preset(sp_yaml *root, const char *preset) {
    const sp_yaml *presets = sp_yaml_get(root, "presets"), *chosen = sp_yaml_get(presets, preset);
    if (!chosen) {
        sp_buf names = {0};
        for (size_t i = 0; presets && i < presets->count; i++)
            sp_buf_printf(&names, "%s%s", i ? ", " : "", presets->keys[i]);
        sp_status st =
            sp_fail(SP_ERR_SPEC, "%s: has no preset '%s'; %s%s", root->file, preset,
                    names.len ? "use one of " : "it has none at all", names.len ? names.data : "");
        sp_buf_free(&names);
        return st;
    }
    for (size_t i = 0; i < chosen->count; i++) {
        sp_status st = apply_preset_value(root, chosen->keys[i], chosen->items[i]);
        if (st) return st;
    }
    return SP_OK;
}

/* A model or data set other than the spec's own is kept in `changed`. */
static void note_change(sp_spec *spec, const char *path, const sp_yaml *value) {
    const sp_yaml *own = sp_yaml_get(sp_yaml_get(spec->root, "base"), path);
    bool axis = sp_yaml_get(sp_yaml_get(spec->root, "grid"), path) != NULL;
    if (value->kind != SP_YAML_SCALAR) return;
    bool same = !axis && own && own->kind == SP_YAML_SCALAR && strcmp(own->text, value->text) == 0;
    char **place = strcmp(path, "model") == 0     ? &spec->changed_model
                   : strcmp(path, "dataset") == 0 ? &spec->changed_dataset
                                                  : NULL;
    if (!place) return;
    free(*place);
    *place = same ? NULL : sp_strdup(value->text);
}

/* A setting of the base run goes into `overrides` and ends a grid axis of the same path; any other
 * changes the tree. */
static sp_status apply_set(sp_spec *spec, const char *assignment) {
    char *origin = sp_format("--set %s", assignment);
    sp_yaml *scratch = sp_yaml_new_map(origin, 0);
    const char *equals = strchr(assignment, '=');
    char *path = sp_strndup(assignment, equals ? (size_t)(equals - assignment) : 0);
    char *value_only = *path ? sp_format("value%s", equals) : sp_strdup(assignment);
    const char *inner = strncmp(path, "base.", 5) == 0 ? path + 5 : path;
    bool in_base = false;
    sp_status st = sp_yaml_set(scratch, value_only, origin);
    const sp_yaml *value = sp_yaml_get(scratch, "value");
    if (!st) st = check_path(inner, value, &in_base);
    if (!st && in_base) {
        note_change(spec, inner, value);
        sp_yaml_put(spec->overrides, inner, sp_yaml_copy(value));
        sp_yaml *grid = sp_yaml_get(spec->root, "grid");
        if (grid && grid->kind == SP_YAML_MAP) sp_yaml_remove(grid, inner);
    } else if (!st) {
        st = set_in_root(spec->root, path, sp_yaml_copy(value));
        sp_model_settings_end(spec->root, path);
    }
    sp_yaml_free(scratch);
    free(origin), free(path), free(value_only);
    return st;
}

static sp_status check_presets(const sp_yaml *root) {
    const sp_yaml *presets;
    sp_status st = sp_yaml_map_or_null(root, "presets", &presets);
    for (size_t i = 0; !st && presets && i < presets->count; i++) {
        const sp_yaml *preset = presets->items[i];
        st = sp_yaml_expect(preset, SP_YAML_MAP, presets->keys[i]);
        bool in_base;
        for (size_t j = 0; !st && j < preset->count; j++)
            st = check_path(preset->keys[j], preset->items[j], &in_base);
    }
    return st;
}

/* ---- the parts of a spec ---- */

/* The name becomes a folder. */
static sp_status read_name(sp_spec *spec) {
    sp_status st = sp_yaml_text(spec->root, "name", &spec->name);
    if (st) return st;
    size_t plain = strspn(spec->name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    if (spec->name[plain] || strlen(spec->name) > 64)
        return sp_yaml_fail(sp_yaml_get(spec->root, "name"),
                            "name is '%s'; use up to 64 of a-z, 0-9, - and _", spec->name);
    return sp_yaml_text_or(spec->root, "title", spec->name, &spec->title);
}

static sp_status unknown_method(const sp_yaml *node, const char *name) {
    const char *names[32];
    sp_buf list = {0};
    size_t n = 0;
    for (const sp_method *const *m = sp_methods(); *m && n < 31; m++) {
        sp_buf_printf(&list, "%s%s", n ? ", " : "", (*m)->name);
        names[n++] = (*m)->name;
    }
    names[n] = NULL;
    sp_status st = sp_yaml_fail(node, "unknown method '%s'%s; the methods are %s", name,
                                sp_did_you_mean(name, names), list.data);
    sp_buf_free(&list);
    return st;
}

/* Axes with at least one value each; *grid is NULL if there is none. */
static sp_status read_grid(const sp_yaml *node, const sp_yaml **grid) {
    sp_status st = sp_yaml_map_or_null(node, "grid", grid);
    for (size_t i = 0; !st && *grid && i < (*grid)->count; i++) {
        const sp_yaml *axis = (*grid)->items[i];
        const char *key = (*grid)->keys[i];
        st = sp_yaml_expect(axis, SP_YAML_LIST, key);
        if (!st && !axis->count)
            st = sp_yaml_fail(axis, "%s has no values; give at least one", key);
        for (size_t j = 0; !st && j < axis->count; j++)
            st = sp_yaml_expect(axis->items[j], SP_YAML_SCALAR, key);
    }
    return st;
}

static sp_status read_entry(const char *name, sp_yaml *settings, sp_entry *out) {
    if (settings->kind == SP_YAML_SCALAR && !*settings->text) { /* `none:` */
        settings->kind = SP_YAML_MAP;
        free(settings->text);
        settings->text = NULL;
    }
    sp_status st = sp_yaml_expect(settings, SP_YAML_MAP, name);
    if (st) return st;
    const char *method, *label;
    if ((st = sp_yaml_text_or(settings, "method", name, &method))) return st;
    const sp_method *found = sp_method_find(method);
    if (!found) {
        const sp_yaml *place = sp_yaml_get(settings, "method");
        return unknown_method(place ? place : settings, method);
    }
    const char *fallback = strcmp(method, name) == 0 ? found->title : name;
    if ((st = sp_yaml_text_or(settings, "label", fallback, &label))) return st;
    if (strlen(name) >= SP_OPTION_TEXT || strlen(label) >= SP_OPTION_TEXT)
        return sp_yaml_fail(settings, "the name or label of '%.20s...' is too long", name);
    *out = (sp_entry){.name = name, .label = label, .method = found, .settings = settings};
    return read_grid(settings, &out->grid);
}

static sp_status read_entries(sp_spec *spec) {
    const sp_yaml *methods;
    sp_status st = sp_yaml_map_or_null(spec->root, "methods", &methods);
    if (st) return st;
    if (!methods || !methods->count)
        return sp_yaml_fail(spec->root, "methods is missing; name at least one method under it");
    spec->entries = sp_alloc(methods->count, sizeof *spec->entries);
    spec->entry_count = methods->count;
    for (size_t i = 0; !st && i < methods->count; i++)
        st = read_entry(methods->keys[i], methods->items[i], &spec->entries[i]);
    return st;
}

/* Whole numbers from `min`; *count is 0 if the key is absent. */
static sp_status read_numbers(const sp_yaml *root, const char *key, int min, int **out,
                              size_t *count) {
    const sp_yaml *list;
    sp_status st = sp_yaml_list_or_null(root, key, &list);
    if (st || !list) return st;
    if (!list->count) return sp_yaml_fail(list, "%s is empty; give at least one", key);
    *count = list->count;
    *out = sp_alloc(list->count, sizeof **out);
    for (size_t i = 0; i < list->count; i++) {
        const sp_yaml *node = list->items[i];
        char *end = NULL;
        long value = node->kind == SP_YAML_SCALAR ? strtol(node->text, &end, 10) : -1;
        if (!end || end == node->text || *end || value < min || value > INT_MAX)
            return sp_yaml_fail(node, "%s has '%s'; use whole numbers from %d", key,
                                node->text ? node->text : "a list", min);
        (*out)[i] = (int)value;
    }
    return SP_OK;
}

static sp_status read_replicates(sp_spec *spec) {
    sp_status st = read_numbers(spec->root, "seeds", 0, &spec->seeds, &spec->seed_count);
    if (!st)
        st = read_numbers(spec->root, "subsamples", 1, &spec->subsamples, &spec->subsample_count);
    if (st || spec->seeds) return st;
    spec->seed_count = 1;
    spec->seeds = sp_alloc(1, sizeof *spec->seeds);
    spec->seeds[0] = 1;
    return SP_OK;
}

/* Two sources of one number. `owner` of the grid: "", or " of NAME". */
static sp_status refuse_subsample_axis(const sp_yaml *grid, const char *owner, const char *name) {
    const sp_yaml *axis = sp_yaml_get(grid, "data.subsample");
    if (!axis) return SP_OK;
    return sp_yaml_fail(axis,
                        "data.subsample is an axis of the grid%s%s beside subsamples; use one of "
                        "the two",
                        owner, name);
}

static sp_status read_spec_grid(sp_spec *spec) {
    sp_status st = read_grid(spec->root, &spec->grid);
    if (st || !spec->subsamples) return st;
    if (sp_yaml_get(spec->overrides, "data.subsample")) return SP_OK; /* --set ends all of them */
    st = refuse_subsample_axis(spec->grid, "", "");
    for (size_t i = 0; !st && i < spec->entry_count; i++)
        st = refuse_subsample_axis(spec->entries[i].grid, " of ", spec->entries[i].name);
    return st;
}

/* ---- report ---- */

/* "GROUP.METRIC" */
static sp_status read_score(const sp_yaml *node, const sp_strings *groups, sp_score *out) {
    sp_status st = sp_yaml_expect(node, SP_YAML_SCALAR, "a column");
    if (st) return st;
    char *dot = strrchr(node->text, '.');
    if (!dot)
        return sp_yaml_fail(node, "column '%s' is no GROUP.METRIC, like all.bleu", node->text);
    st = sp_check_group(node, node->text, (size_t)(dot - node->text), groups, &out->group);
    return st ? st : sp_check_metric(node, dot + 1, &out->metric);
}

static sp_status read_columns(sp_spec *spec, const sp_yaml *columns) {
    spec->score_count = columns->count;
    spec->scores = sp_alloc(columns->count, sizeof *spec->scores);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < columns->count; i++)
        st = read_score(columns->items[i], &spec->groups, &spec->scores[i]);
    return st;
}

/* Every metric in every group; absent lists mean all metrics, all examples. */
static sp_status read_product(sp_spec *spec, const sp_yaml *metrics, const sp_yaml *groups) {
    size_t metric_count = metrics ? metrics->count : SP_METRIC_COUNT;
    size_t group_count = groups ? groups->count : 1;
    spec->scores = sp_alloc(metric_count * group_count, sizeof *spec->scores);
    spec->score_count = metric_count * group_count;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < spec->score_count; i++) {
        const sp_yaml *metric = metrics ? metrics->items[i / group_count] : NULL;
        const sp_yaml *group = groups ? groups->items[i % group_count] : NULL;
        spec->scores[i] = (sp_score){sp_metrics[i / group_count % SP_METRIC_COUNT], "all"};
        if (metric) st = sp_yaml_expect(metric, SP_YAML_SCALAR, "a metric");
        if (!st && metric) st = sp_check_metric(metric, metric->text, &spec->scores[i].metric);
        if (!st && group) st = sp_yaml_expect(group, SP_YAML_SCALAR, "a group");
        if (!st && group)
            st = sp_check_group(group, group->text, strlen(group->text), &spec->groups,
                                &spec->scores[i].group);
    }
    return st;
}

/* A list that must not be empty; *out is NULL if it is absent. */
static sp_status read_list(const sp_yaml *map, const char *key, const sp_yaml **out) {
    sp_status st = sp_yaml_list_or_null(map, key, out);
    if (!st && *out && !(*out)->count)
        return sp_yaml_fail(*out, "%s is empty; give at least one", key);
    return st;
}

static sp_status read_table(sp_spec *spec, const sp_yaml *table) {
    static const char *const keys[] = {"metrics", "groups", "columns", NULL};
    const sp_yaml *metrics = NULL, *groups = NULL, *columns = NULL;
    sp_status st = table ? sp_yaml_check_keys(table, keys) : SP_OK;
    if (table && !st) st = read_list(table, "metrics", &metrics);
    if (table && !st) st = read_list(table, "groups", &groups);
    if (table && !st) st = read_list(table, "columns", &columns);
    if (st) return st;
    spec->scores_given = metrics || columns;
    if (!columns) return read_product(spec, metrics, groups);
    if (metrics || groups)
        return sp_yaml_fail(columns, "columns beside %s; use columns alone, or metrics and groups",
                            metrics ? "metrics" : "groups");
    return read_columns(spec, columns);
}

/* Each figure has files of its own. */
static sp_status check_figure_name(const sp_spec *spec, size_t figure, const sp_yaml *node) {
    const char *name = spec->figures[figure].name;
    for (size_t i = 0; i < figure; i++)
        if (strcmp(spec->figures[i].name, name) == 0)
            return sp_yaml_fail(node, "two figures are called '%s'; give each a name of its own",
                                name);
    return SP_OK;
}

/* `best: dev.bleu` */
static sp_status read_best(sp_spec *spec, const sp_yaml *report) {
    const char *best;
    sp_status st = sp_yaml_text_or(report, "best", "", &best);
    if (st || !*best) return st;
    const sp_yaml *node = sp_yaml_get(report, "best");
    if (strncmp(best, "dev.", 4) != 0)
        return sp_yaml_fail(node, "best is '%s'; use a series of dev, like dev.bleu or dev.loss",
                            best);
    spec->best = best + 4;
    return sp_check_dev(node, spec->best);
}

static sp_status read_report(sp_spec *spec) {
    const sp_yaml *report, *table = NULL, *figures = NULL, *figure = NULL;
    sp_status st = sp_yaml_map_or_null(spec->root, "report", &report);
    if (!st && report) {
        st = sp_yaml_check_keys(report,
                                (const char *const[]){"table", "figures", "figure", "best", "cost",
                                                      "ensemble", "neighbours", NULL});
        if (!st) st = sp_yaml_map_or_null(report, "table", &table);
        if (!st) st = sp_yaml_list_or_null(report, "figures", &figures);
        if (!st) st = sp_yaml_map_or_null(report, "figure", &figure);
        if (!st) st = read_best(spec, report);
        const sp_yaml *cost = NULL;
        if (!st) st = sp_yaml_map_or_null(report, "cost", &cost);
        if (!st && cost) st = sp_cost_settings_read(cost, &spec->groups, &spec->cost);
        if (!st) st = sp_yaml_bool_or(report, "ensemble", false, &spec->ensemble);
        if (!st) st = sp_yaml_bool_or(report, "neighbours", false, &spec->neighbours);
    }
    spec->has_table = table || !spec->best;
    if (!st) st = read_table(spec, table);
    if (st) return st;
    size_t listed = figures ? figures->count : 0;
    spec->figure_count = listed + (figure ? 1 : 0);
    spec->figures = sp_alloc(spec->figure_count, sizeof *spec->figures);
    for (size_t i = 0; !st && i < spec->figure_count; i++) {
        const sp_yaml *node = i < listed ? figures->items[i] : figure;
        st = sp_figure_read(node, &spec->groups, &spec->figures[i]);
        if (!st) st = check_figure_name(spec, i, node);
    }
    return st;
}

static sp_status read_paper(const sp_yaml *node, sp_paper *p) {
    static const char *const keys[] = {"title", "note", "columns", "rows", "beside", NULL};
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "an entry of paper");
    if (!st) st = sp_yaml_check_keys(node, keys);
    if (!st) st = sp_yaml_text(node, "title", &p->title);
    if (!st) st = sp_yaml_text_or(node, "note", "", &p->note);
    if (!st) st = sp_yaml_bool_or(node, "beside", false, &p->beside);
    if (!st) st = sp_yaml_list_or_null(node, "columns", &p->columns);
    if (!st) st = sp_yaml_map_or_null(node, "rows", &p->rows);
    if (st) return st;
    if (!p->columns || !p->rows) return sp_yaml_fail(node, "paper needs columns and rows");
    for (size_t i = 0; !st && i < p->columns->count; i++)
        st = sp_yaml_expect(p->columns->items[i], SP_YAML_SCALAR, "a column");
    for (size_t i = 0; !st && i < p->rows->count; i++) {
        const sp_yaml *row = p->rows->items[i];
        st = sp_yaml_expect(row, SP_YAML_LIST, p->rows->keys[i]);
        if (!st && row->count != p->columns->count)
            st = sp_yaml_fail(row, "%s has %zu numbers, but there are %zu columns",
                              p->rows->keys[i], row->count, p->columns->count);
        for (size_t j = 0; !st && j < row->count; j++)
            st = sp_yaml_expect(row->items[j], SP_YAML_SCALAR, "a published number");
    }
    return st;
}

static sp_status read_papers(sp_spec *spec) {
    const sp_yaml *papers;
    sp_status st = sp_yaml_list_or_null(spec->root, "paper", &papers);
    if (st || !papers) return st;
    spec->papers = sp_alloc(papers->count, sizeof *spec->papers);
    spec->paper_count = papers->count;
    for (size_t i = 0; !st && i < papers->count; i++)
        st = read_paper(papers->items[i], &spec->papers[i]);
    return st;
}

static sp_status read_claims(sp_spec *spec) {
    return sp_claims_read(spec->root, &spec->groups, &spec->claims, &spec->claim_count);
}

/* ---- all of it ---- */

static sp_status read_base(sp_spec *spec) {
    sp_status st = sp_yaml_map_or_null(spec->root, "base", &spec->base);
    if (st || !spec->base) return st;
    return sp_yaml_check_keys(spec->base, base_keys);
}

/* "-gpt2" for "gpt2", "org/gpt2" or "./gpt2/"; nothing for NULL. What is no plain character of a
 * file name becomes '-'. */
static void append_part(sp_buf *folder, const char *name) {
    if (!name) return;
    size_t end = strlen(name);
    while (end && name[end - 1] == '/') end--;
    size_t start = end;
    while (start && name[start - 1] != '/') start--;
    sp_buf_putc(folder, '-');
    for (size_t i = start; i < end; i++) {
        bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                            name[i]) != NULL;
        sp_buf_putc(folder, plain ? name[i] : '-');
    }
}

static sp_status name_folder(sp_spec *spec) {
    sp_buf folder = {0};
    sp_buf_puts(&folder, spec->name);
    append_part(&folder, spec->changed_model);
    append_part(&folder, spec->changed_dataset);
    spec->folder = sp_buf_take(&folder);
    return SP_OK;
}

static sp_status read_limits(sp_spec *spec) {
    return sp_limits_read(spec->root, &spec->limits);
}

static sp_status read_all(sp_spec *spec, const char *preset, const sp_strings *sets) {
    sp_status st = sp_yaml_expect(spec->root, SP_YAML_MAP, "the spec");
    if (!st) st = sp_yaml_check_keys(spec->root, root_keys);
    if (!st) st = check_presets(spec->root);
    if (!st && preset) st = apply_preset(spec->root, preset);
    for (size_t i = 0; !st && sets && i < sets->len; i++) st = apply_set(spec, sets->data[i]);
    sp_groups_collect(spec->root, spec->overrides, &spec->groups);
    sp_status (*const parts[])(sp_spec *) = {
        read_name,      read_base,   name_folder, read_entries, read_replicates,
        read_spec_grid, read_report, read_papers, read_claims,  read_limits};
    for (size_t i = 0; !st && i < sizeof parts / sizeof *parts; i++) st = parts[i](spec);
    if (st) return st;
    return sp_model_settings_read(spec->root, preset, &spec->models, &spec->model_count);
}

sp_status sp_spec_read(const char *path, const char *preset, const sp_strings *sets, sp_spec *out) {
    *out = (sp_spec){.path = sp_strdup(path)};
    out->overrides = sp_yaml_new_map("--set", 0);
    if (preset) out->preset = sp_strdup(preset);
    for (size_t i = 0; sets && i < sets->len; i++) sp_strings_push(&out->sets, sets->data[i]);
    sp_status st = sp_yaml_read(path, &out->root);
    if (!st) st = read_all(out, preset, sets);
    if (st) sp_spec_free(out);
    return st;
}

void sp_spec_free(sp_spec *spec) {
    sp_yaml_free(spec->root);
    sp_yaml_free(spec->overrides);
    sp_strings_free(&spec->sets);
    sp_model_settings_free(spec->models, spec->model_count);
    sp_claims_free(spec->claims, spec->claim_count);
    free(spec->preset), free(spec->folder), free(spec->changed_model), free(spec->changed_dataset);
    free(spec->path), free(spec->entries), free(spec->seeds), free(spec->subsamples);
    free(spec->scores), free(spec->figures), free(spec->papers);
    sp_strings_free(&spec->groups);
    *spec = (sp_spec){0};
}

const char *sp_entry_label(const sp_spec *spec, const char *name) {
    for (size_t i = 0; i < spec->entry_count; i++)
        if (strcmp(spec->entries[i].name, name) == 0) return spec->entries[i].label;
    return name;
}
