#include "experiment/spec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const root_keys[] = {"name",    "title",  "base",  "methods", "grid", "seeds",
                                        "presets", "report", "paper", "claims",  NULL};
static const char *const base_keys[] = {"model", "dataset", "train", "decode", "method",
                                        "dev",   "test",    "data",  NULL};

static bool is_in(const char *word, size_t len, const char *const *list) {
    for (; *list; list++)
        if (strlen(*list) == len && strncmp(*list, word, len) == 0) return true;
    return false;
}

/* ---- presets and --set ---- */

/* "base", "root" or unknown, by the first step of a path. */
static sp_status check_path(const char *path, const sp_yaml *value, bool *in_base) {
    size_t len = strcspn(path, ".");
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
        sp_yaml_put(spec->overrides, inner, sp_yaml_copy(value));
        sp_yaml *grid = sp_yaml_get(spec->root, "grid");
        if (grid && grid->kind == SP_YAML_MAP) sp_yaml_remove(grid, inner);
    } else if (!st) {
        st = set_in_root(spec->root, path, sp_yaml_copy(value));
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
    return SP_OK;
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

static sp_status read_seed(const sp_yaml *node, int *out) {
    char *end = NULL;
    long seed = node->kind == SP_YAML_SCALAR ? strtol(node->text, &end, 10) : -1;
    if (!end || end == node->text || *end || seed < 0 || seed > INT_MAX)
        return sp_yaml_fail(node, "a seed is '%s'; use a whole number from 0",
                            node->text ? node->text : "a list");
    *out = (int)seed;
    return SP_OK;
}

static sp_status read_seeds(sp_spec *spec) {
    const sp_yaml *seeds;
    sp_status st = sp_yaml_list_or_null(spec->root, "seeds", &seeds);
    if (st) return st;
    if (seeds && !seeds->count) return sp_yaml_fail(seeds, "seeds is empty; give at least one");
    spec->seed_count = seeds ? seeds->count : 1;
    spec->seeds = sp_alloc(spec->seed_count, sizeof *spec->seeds);
    spec->seeds[0] = 1;
    for (size_t i = 0; seeds && !st && i < seeds->count; i++)
        st = read_seed(seeds->items[i], &spec->seeds[i]);
    return st;
}

static sp_status read_grid(sp_spec *spec) {
    sp_status st = sp_yaml_map_or_null(spec->root, "grid", &spec->grid);
    for (size_t i = 0; !st && spec->grid && i < spec->grid->count; i++) {
        const sp_yaml *axis = spec->grid->items[i];
        st = sp_yaml_expect(axis, SP_YAML_LIST, spec->grid->keys[i]);
        if (!st && !axis->count)
            st = sp_yaml_fail(axis, "%s has no values; give at least one", spec->grid->keys[i]);
        for (size_t j = 0; !st && j < axis->count; j++)
            st = sp_yaml_expect(axis->items[j], SP_YAML_SCALAR, spec->grid->keys[i]);
    }
    return st;
}

/* ---- report ---- */

static sp_status read_metric(const sp_yaml *node, const char *name, const sp_metric **out) {
    sp_status st = sp_metric_require(name, out);
    if (!st) return SP_OK;
    char *message = sp_strdup(sp_error());
    st = sp_yaml_fail(node, "%s", message);
    free(message);
    return st;
}

/* The first `len` bytes of `name` must be a group of the test set. */
static sp_status check_group(const sp_yaml *node, const char *name, size_t len) {
    if (is_in(name, len, sp_runlog_test_groups)) return SP_OK;
    return sp_yaml_fail(node, "no group '%.*s'; use all, seen or unseen", (int)len, name);
}

static sp_status read_table(sp_spec *spec, const sp_yaml *table) {
    const sp_yaml *metrics = NULL, *groups = NULL;
    sp_status st = SP_OK;
    if (table) {
        st = sp_yaml_check_keys(table, (const char *const[]){"metrics", "groups", NULL});
        if (!st) st = sp_yaml_list_or_null(table, "metrics", &metrics);
        if (!st) st = sp_yaml_list_or_null(table, "groups", &groups);
        if (!st && metrics && !metrics->count)
            st = sp_yaml_fail(metrics, "metrics is empty; give at least one");
        if (!st && groups && !groups->count)
            st = sp_yaml_fail(groups, "groups is empty; give at least one");
        if (st) return st;
    }
    spec->metric_count = metrics ? metrics->count : SP_METRIC_COUNT;
    spec->metrics = sp_alloc(spec->metric_count, sizeof *spec->metrics);
    for (size_t i = 0; !st && i < spec->metric_count; i++) {
        spec->metrics[i] = sp_metrics[i % SP_METRIC_COUNT];
        if (metrics) st = sp_yaml_expect(metrics->items[i], SP_YAML_SCALAR, "a metric");
        if (metrics && !st)
            st = read_metric(metrics->items[i], metrics->items[i]->text, &spec->metrics[i]);
    }
    spec->group_count = groups ? groups->count : 1;
    spec->groups = sp_alloc(spec->group_count, sizeof *spec->groups);
    spec->groups[0] = "all";
    for (size_t i = 0; groups && !st && i < groups->count; i++) {
        st = sp_yaml_expect(groups->items[i], SP_YAML_SCALAR, "a group");
        if (st) break;
        spec->groups[i] = groups->items[i]->text;
        st = check_group(groups->items[i], spec->groups[i], strlen(spec->groups[i]));
    }
    return st;
}

/* Whether `y` is `prefix` and one of the names, NULL-terminated. */
static bool is_series(const char *y, const char *prefix, const char *const *names) {
    size_t len = strlen(prefix);
    if (strncmp(y, prefix, len) != 0) return false;
    while (*names && strcmp(y + len, *names) != 0) names++;
    return *names != NULL;
}

static void list_series(const char *prefix, const char *const *names, sp_buf *out) {
    for (; *names; names++) sp_buf_printf(out, "%s%s%s", out->len ? ", " : "", prefix, *names);
}

/* A learning curve shows what the run log has over steps. */
static sp_status check_curve(const sp_yaml *node, const char *y) {
    const char *const *train = sp_runlog_train_names + 1; /* the first, the step, is the x axis */
    if (is_series(y, "train.", train) || is_series(y, "dev.", sp_runlog_dev_names)) return SP_OK;
    sp_buf known = {0};
    list_series("train.", train, &known);
    list_series("dev.", sp_runlog_dev_names, &known);
    sp_status st = sp_yaml_fail(node, "y is '%s'; use one of: %s", y, known.data);
    sp_buf_free(&known);
    return st;
}

/* "test.GROUP.METRIC". */
static sp_status check_score(const sp_yaml *node, const char *y) {
    const sp_metric *found;
    if (strncmp(y, "test.", 5) != 0 || !strchr(y + 5, '.'))
        return sp_yaml_fail(node, "y is '%s'; use test.GROUP.METRIC, like test.all.bleu", y);
    const char *group = y + 5, *dot = strrchr(y, '.');
    sp_status st = check_group(node, group, (size_t)(dot - group));
    return st ? st : read_metric(node, dot + 1, &found);
}

/* A line stands over a setting of the runs. */
static sp_status check_x(const sp_yaml *node, const char *x) {
    sp_strings known = {0};
    sp_run_paths(&known);
    sp_strings_take(&known, NULL); /* the end mark of sp_nearest_word */
    size_t i = 0;
    while (known.data[i] && strcmp(known.data[i], x) != 0) i++;
    sp_status st = SP_OK;
    if (!known.data[i])
        st = sp_yaml_fail(node, "x is '%s', which is no setting%s", x,
                          sp_did_you_mean(x, (const char *const *)known.data));
    sp_strings_free(&known);
    return st;
}

static sp_status check_y(const sp_yaml *figure, const sp_figure *f) {
    const sp_yaml *node = sp_yaml_get(figure, "y");
    return f->kind == SP_LEARNING_CURVE ? check_curve(node, f->y) : check_score(node, f->y);
}

static sp_status read_figure(const sp_yaml *node, sp_figure *f) {
    static const char *const kinds[] = {"learning-curve", "line", "scatter"};
    const char *kind, *series;
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "a figure");
    if (!st)
        st = sp_yaml_check_keys(
            node, (const char *const[]){"name", "kind", "title", "x", "y", "series", "logx", NULL});
    if (!st) st = sp_yaml_text(node, "kind", &kind);
    if (st) return st;
    int i = 0;
    while (i < 3 && strcmp(kinds[i], kind) != 0) i++;
    if (i == 3)
        return sp_yaml_fail(sp_yaml_get(node, "kind"),
                            "kind is '%s'; use learning-curve, line or scatter", kind);
    f->kind = (sp_figure_kind)i;
    if ((st = sp_yaml_text_or(node, "name", kind, &f->name)) ||
        (st = sp_yaml_text_or(node, "title", "", &f->title)) ||
        (st = sp_yaml_text_or(node, "series", "method.name", &series)) ||
        (st = sp_yaml_text(node, "y", &f->y)) ||
        (st = sp_yaml_bool_or(node, "logx", f->kind == SP_SCATTER, &f->logx)))
        return st;
    if (strcmp(series, "method.name") != 0)
        return sp_yaml_fail(sp_yaml_get(node, "series"), "series is '%s'; use method.name", series);
    if (f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return sp_yaml_fail(sp_yaml_get(node, "name"), "name is '%s'; use a-z, 0-9, - and _",
                            f->name);
    st =
        f->kind == SP_LINE ? sp_yaml_text(node, "x", &f->x) : sp_yaml_text_or(node, "x", "", &f->x);
    if (!st && f->kind == SP_LINE) st = check_x(sp_yaml_get(node, "x"), f->x);
    return st ? st : check_y(node, f);
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

static sp_status read_report(sp_spec *spec) {
    const sp_yaml *report, *table = NULL, *figures = NULL, *figure = NULL;
    sp_status st = sp_yaml_map_or_null(spec->root, "report", &report);
    if (!st && report) {
        st = sp_yaml_check_keys(report, (const char *const[]){"table", "figures", "figure", NULL});
        if (!st) st = sp_yaml_map_or_null(report, "table", &table);
        if (!st) st = sp_yaml_list_or_null(report, "figures", &figures);
        if (!st) st = sp_yaml_map_or_null(report, "figure", &figure);
    }
    if (!st) st = read_table(spec, table);
    if (st) return st;
    size_t listed = figures ? figures->count : 0;
    spec->figure_count = listed + (figure ? 1 : 0);
    spec->figures = sp_alloc(spec->figure_count, sizeof *spec->figures);
    for (size_t i = 0; !st && i < spec->figure_count; i++) {
        const sp_yaml *node = i < listed ? figures->items[i] : figure;
        st = read_figure(node, &spec->figures[i]);
        if (!st) st = check_figure_name(spec, i, node);
    }
    return st;
}

static sp_status read_paper(const sp_yaml *node, sp_paper *p) {
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "an entry of paper");
    if (!st)
        st = sp_yaml_check_keys(node,
                                (const char *const[]){"title", "columns", "rows", "beside", NULL});
    if (!st) st = sp_yaml_text(node, "title", &p->title);
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
    sp_status st = sp_yaml_list_or_null(spec->root, "claims", &spec->claims);
    for (size_t i = 0; !st && spec->claims && i < spec->claims->count; i++) {
        const sp_yaml *claim = spec->claims->items[i];
        const char *text;
        st = sp_yaml_expect(claim, SP_YAML_MAP, "a claim");
        if (!st)
            st = sp_yaml_check_keys(claim,
                                    (const char *const[]){"id", "text", "source", "test", NULL});
        if (!st) st = sp_yaml_text(claim, "id", &text);
        if (!st) st = sp_yaml_text(claim, "text", &text);
        if (!st) st = sp_yaml_text(claim, "test", &text);
    }
    return st;
}

/* ---- all of it ---- */

static sp_status read_base(sp_spec *spec) {
    sp_status st = sp_yaml_map_or_null(spec->root, "base", &spec->base);
    if (st || !spec->base) return st;
    return sp_yaml_check_keys(spec->base, base_keys);
}

static sp_status read_all(sp_spec *spec, const char *preset, const sp_strings *sets) {
    sp_status st = sp_yaml_expect(spec->root, SP_YAML_MAP, "the spec");
    if (!st) st = sp_yaml_check_keys(spec->root, root_keys);
    if (!st) st = check_presets(spec->root);
    if (!st && preset) st = apply_preset(spec->root, preset);
    for (size_t i = 0; !st && sets && i < sets->len; i++) st = apply_set(spec, sets->data[i]);
    sp_status (*const parts[])(sp_spec *) = {read_name, read_base,   read_entries, read_seeds,
                                             read_grid, read_report, read_papers,  read_claims};
    for (size_t i = 0; !st && i < sizeof parts / sizeof *parts; i++) st = parts[i](spec);
    return st;
}

sp_status sp_spec_read(const char *path, const char *preset, const sp_strings *sets, sp_spec *out) {
    *out = (sp_spec){.path = sp_strdup(path)};
    out->overrides = sp_yaml_new_map("--set", 0);
    sp_status st = sp_yaml_read(path, &out->root);
    if (!st) st = read_all(out, preset, sets);
    if (st) sp_spec_free(out);
    return st;
}

void sp_spec_free(sp_spec *spec) {
    sp_yaml_free(spec->root);
    sp_yaml_free(spec->overrides);
    free(spec->path), free(spec->entries), free(spec->seeds), free(spec->metrics);
    free(spec->groups), free(spec->figures), free(spec->papers);
    *spec = (sp_spec){0};
}
