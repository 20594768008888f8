#include "experiment/figure.h"

#include "experiment/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names that a spec may use ---- */

static bool is_in(const char *word, size_t len, const char *const *list) {
    for (; *list; list++)
        if (strlen(*list) == len && strncmp(*list, word, len) == 0) return true;
    return false;
}

sp_status sp_check_metric(const sp_yaml *node, const char *name, const sp_metric **out) {
    sp_status st = sp_metric_require(name, out);
    if (!st) return SP_OK;
    char *message = sp_strdup(sp_error());
    st = sp_yaml_fail(node, "%s", message);
    free(message);
    return st;
}

sp_status sp_check_group(const sp_yaml *node, const char *name, size_t len,
                         const sp_strings *groups, const char **out) {
    for (size_t i = 0; i < groups->len; i++)
        if (strlen(groups->data[i]) == len && strncmp(groups->data[i], name, len) == 0) {
            *out = groups->data[i];
            return SP_OK;
        }
    const char **names = sp_alloc(groups->len + 1, sizeof *names); /* with the end mark */
    for (size_t i = 0; i < groups->len; i++) names[i] = groups->data[i];
    char *wanted = sp_strndup(name, len), *list = sp_list_text(names, groups->len);
    sp_status st = sp_yaml_fail(node, "no group '%s'; the groups are %s%s", wanted, list,
                                sp_did_you_mean(wanted, names));
    free(wanted), free(list), free(names);
    return st;
}

static void list_series(const char *prefix, const char *const *names, sp_buf *out) {
    for (; *names; names++) sp_buf_printf(out, "%s%s%s", out->len ? ", " : "", prefix, *names);
}

sp_status sp_check_dev(const sp_yaml *node, const char *name) {
    if (is_in(name, strlen(name), sp_runlog_dev_names)) return SP_OK;
    sp_buf known = {0};
    list_series("", sp_runlog_dev_names, &known);
    sp_status st = sp_yaml_fail(node, "no series '%s' on dev; use one of: %s", name, known.data);
    sp_buf_free(&known);
    return st;
}

static const char *after(const char *text, const char *prefix) {
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

sp_status sp_check_score(const sp_yaml *node, const char *y, const sp_strings *groups) {
    const sp_metric *found;
    const char *best = after(y, "dev.best."), *group = after(y, "test."), *found_group;
    if (best) return sp_check_dev(node, best);
    if (!group || !strchr(group, '.'))
        return sp_yaml_fail(node,
                            "y is '%s'; use test.GROUP.METRIC, like test.all.bleu, or "
                            "dev.best.METRIC",
                            y);
    const char *dot = strrchr(y, '.');
    sp_status st = sp_check_group(node, group, (size_t)(dot - group), groups, &found_group);
    return st ? st : sp_check_metric(node, dot + 1, &found);
}

bool sp_lower_is_better(const char *score) {
    const char *dot = strrchr(score, '.'), *name = dot ? dot + 1 : score;
    const sp_metric *metric = sp_metric_find(name);
    return metric ? !metric->higher_is_better : strcmp(name, "loss") == 0;
}

/* A learning curve shows what the run log has over steps. */
static sp_status check_curve(const sp_yaml *node, const char *y) {
    const char *const *train = sp_runlog_train_names + 1; /* the first, the step, is the x axis */
    const char *of_train = after(y, "train."), *of_dev = after(y, "dev.");
    if (of_train && is_in(of_train, strlen(of_train), train)) return SP_OK;
    if (of_dev && is_in(of_dev, strlen(of_dev), sp_runlog_dev_names)) return SP_OK;
    sp_buf known = {0};
    list_series("train.", train, &known);
    list_series("dev.", sp_runlog_dev_names, &known);
    sp_status st = sp_yaml_fail(node, "y is '%s'; use one of: %s", y, known.data);
    sp_buf_free(&known);
    return st;
}

sp_status sp_check_setting(const sp_yaml *node, const char *key, const char *path,
                           const char *const *extra) {
    if (is_in(path, strlen(path), extra)) return SP_OK;
    sp_strings known = {0};
    sp_run_paths(&known);
    for (; *extra; extra++) sp_strings_push(&known, *extra);
    sp_strings_take(&known, NULL); /* the end mark of sp_nearest_word */
    const char *const *names = (const char *const *)known.data;
    sp_status st = SP_OK;
    if (!is_in(path, strlen(path), names))
        st = sp_yaml_fail(node, "%s is '%s', which is no setting%s", key, path,
                          sp_did_you_mean(path, names));
    sp_strings_free(&known);
    return st;
}

/* ---- the keys of a figure ---- */

static const char *const entry_words[] = {"entry", "method.name", NULL};

static sp_status read_kind(const sp_yaml *node, sp_figure *f) {
    static const char *const kinds[] = {"learning-curve", "line", "scatter", "bar"};
    const char *kind;
    sp_status st = sp_yaml_text(node, "kind", &kind);
    if (st) return st;
    int i = 0;
    while (i < 4 && strcmp(kinds[i], kind) != 0) i++;
    if (i == 4)
        return sp_yaml_fail(sp_yaml_get(node, "kind"),
                            "kind is '%s'; use learning-curve, line, scatter or bar", kind);
    f->kind = (sp_figure_kind)i;
    if ((st = sp_yaml_text_or(node, "name", kind, &f->name))) return st;
    if (f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return sp_yaml_fail(sp_yaml_get(node, "name"), "name is '%s'; use a-z, 0-9, - and _",
                            f->name);
    return SP_OK;
}

static sp_status read_axes(const sp_yaml *node, const sp_strings *groups, sp_figure *f) {
    static const char *const none[] = {NULL};
    bool has_x = f->kind == SP_LINE || f->kind == SP_BAR;
    const sp_yaml *x = sp_yaml_get(node, "x");
    if (!has_x && x)
        return sp_yaml_fail(x, "x is for the kinds line and bar; this kind has an x of its own");
    sp_status st = has_x ? sp_yaml_text(node, "x", &f->x) : sp_yaml_text_or(node, "x", "", &f->x);
    if (!st && has_x) st = sp_check_setting(x, "x", f->x, f->kind == SP_BAR ? entry_words : none);
    if (!st) st = sp_yaml_text(node, "y", &f->y);
    if (st) return st;
    const sp_yaml *y = sp_yaml_get(node, "y");
    return f->kind == SP_LEARNING_CURVE ? check_curve(y, f->y) : sp_check_score(y, f->y, groups);
}

/* "method.name" is another word for "entry". */
static sp_status read_series(const sp_yaml *node, sp_figure *f) {
    const sp_yaml *series = sp_yaml_get(node, "series");
    sp_status st = sp_yaml_text_or(node, "series", "entry", &f->series);
    if (!st) st = sp_check_setting(series, "series", f->series, entry_words);
    if (st) return st;
    if (strcmp(f->series, "method.name") == 0) f->series = "entry";
    return SP_OK;
}

static sp_status read_where(const sp_yaml *node, sp_figure *f) {
    sp_status st = sp_yaml_map_or_null(node, "where", &f->where);
    for (size_t i = 0; !st && f->where && i < f->where->count; i++) {
        const sp_yaml *value = f->where->items[i];
        st = sp_check_setting(value, "where", f->where->keys[i], entry_words);
        if (!st && value->kind == SP_YAML_LIST)
            for (size_t j = 0; !st && j < value->count; j++)
                st = sp_yaml_expect(value->items[j], SP_YAML_SCALAR, f->where->keys[i]);
        else if (!st)
            st = sp_yaml_expect(value, SP_YAML_SCALAR, f->where->keys[i]);
    }
    return st;
}

static sp_status read_bound(const sp_yaml *node, double *out) {
    char *end = NULL;
    *out = NAN;
    if (node->kind == SP_YAML_SCALAR && strcmp(node->text, "auto") == 0) return SP_OK;
    if (node->kind == SP_YAML_SCALAR) *out = strtod(node->text, &end);
    if (end && end != node->text && !*end && isfinite(*out)) return SP_OK;
    return sp_yaml_fail(node, "y_range has '%s'; use a number or auto",
                        node->text ? node->text : "a list");
}

static sp_status read_range(const sp_yaml *node, sp_figure *f) {
    const sp_yaml *range;
    f->y_low = f->y_high = NAN;
    sp_status st = sp_yaml_list_or_null(node, "y_range", &range);
    if (st || !range) return st;
    if (range->count != 2)
        return sp_yaml_fail(range, "y_range has %zu values; use two, like [0, 100] or [auto, 60]",
                            range->count);
    if ((st = read_bound(range->items[0], &f->y_low))) return st;
    if ((st = read_bound(range->items[1], &f->y_high))) return st;
    if (f->y_low >= f->y_high)
        return sp_yaml_fail(range, "y_range ends at %g, not above its start %g", f->y_high,
                            f->y_low);
    return f->logy && f->y_low <= 0 ? sp_yaml_fail(range, "a logarithmic axis starts above 0")
                                    : SP_OK;
}

sp_status sp_figure_read(const sp_yaml *node, const sp_strings *groups, sp_figure *f) {
    static const char *const keys[] = {"name",  "kind", "title", "x",       "y", "series",
                                       "where", "logx", "logy",  "y_range", NULL};
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "a figure");
    if (!st) st = sp_yaml_check_keys(node, keys);
    if (!st) st = read_kind(node, f);
    if (!st) st = sp_yaml_text_or(node, "title", "", &f->title);
    if (!st) st = read_axes(node, groups, f);
    if (!st) st = read_series(node, f);
    if (!st) st = read_where(node, f);
    bool log_by_default =
        f->kind == SP_SCATTER || (f->kind == SP_LINE && !st && strcmp(f->x, "model") == 0);
    if (!st) st = sp_yaml_bool_or(node, "logx", log_by_default, &f->logx);
    if (!st) st = sp_yaml_bool_or(node, "logy", false, &f->logy);
    return st ? st : read_range(node, f);
}
