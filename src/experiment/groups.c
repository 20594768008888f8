#include "experiment/groups.h"

#include "metrics/metric.h"

#include <stdlib.h>
#include <string.h>

static void add(sp_strings *list, const char *name) {
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->data[i], name) == 0) return;
    sp_strings_push(list, name);
}

static void add_set(const char *name, sp_strings *out) {
    char *group = sp_dataset_group(name);
    add(out, group);
    free(group);
}

static void add_parts(const char *name, sp_strings *out) {
    sp_dataset *dataset;
    if (sp_dataset_open(name, &dataset)) return;
    sp_strings parts = {0};
    sp_dataset_parts(dataset, &parts);
    for (size_t i = 0; i < parts.len; i++) add(out, parts.data[i]);
    sp_strings_free(&parts);
    sp_dataset_free(dataset);
}

/* Whether the last step of a dotted path is `word`. */
static bool ends_in(const char *path, const char *word) {
    const char *dot = strrchr(path, '.');
    return strcmp(dot ? dot + 1 : path, word) == 0;
}

/* The texts at a node or in a list. */
static void add_texts(const sp_yaml *node, void (*add_text)(const char *, sp_strings *),
                      sp_strings *out) {
    if (node->kind == SP_YAML_SCALAR && *node->text) add_text(node->text, out);
    for (size_t i = 0; node->kind == SP_YAML_LIST && i < node->count; i++)
        add_texts(node->items[i], add_text, out);
}

/* Where `transfer` and `dataset` stand somewhere below. */
static void walk(const sp_yaml *node, sp_strings *out) {
    for (size_t i = 0; node && i < node->count; i++) {
        bool named = node->kind == SP_YAML_MAP;
        if (named && ends_in(node->keys[i], "transfer"))
            add_texts(node->items[i], add_set, out);
        else if (named && ends_in(node->keys[i], "dataset"))
            add_texts(node->items[i], add_parts, out);
        else
            walk(node->items[i], out);
    }
}

void sp_groups_collect(const sp_yaml *root, const sp_yaml *overrides, sp_strings *out) {
    static const char *const always[] = {"all", "seen", "unseen"};
    static const char *const parts[] = {"base", "presets", "methods", "grid", "models"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) sp_strings_push(out, always[i]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        walk(sp_yaml_get(root, parts[i]), out);
    walk(overrides, out);
}

const char *sp_group_taken(const char *name) {
    static const char *const groups[] = {"all", "seen", "unseen"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(name, groups[i]) == 0) return "is a group of every set";
    if (strcmp(name, "predictions") == 0) return "is what the run file calls the answers";
    if (sp_metric_find(name)) return "is a metric";
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return "is no name";
    return NULL;
}

void sp_groups_of_split(const sp_split *split, sp_strings *out) {
    for (size_t i = 0; i < split->count; i++)
        if (*split->items[i].group) add(out, split->items[i].group);
}
