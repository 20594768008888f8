/* Reading, collecting and looking up classes and tags. Sets have few classes: every search is
 * linear. */
#include "data/labels.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* As it follows the separator: "Topic:" + " animal". */
static char *literal_word(const char *word, const char *separator) {
    size_t len = strlen(separator);
    bool spaced = len > 0 && isspace((unsigned char)separator[len - 1]);
    return sp_format("%s%s", spaced || isspace((unsigned char)word[0]) ? "" : " ", word);
}

sp_label *sp_label_set_add(sp_label_set *set, const char *name) {
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 16;
        set->items = sp_realloc(set->items, set->capacity, sizeof *set->items);
    }
    sp_label *added = &set->items[set->count++];
    *added = (sp_label){.name = sp_strdup(name)};
    return added;
}

static const sp_label *owner_of(const sp_label_set *set, const char *word) {
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = 0; k < set->items[i].words.len; k++)
            if (strcmp(set->items[i].words.data[k], word) == 0) return &set->items[i];
    return NULL;
}

static sp_status add_word(sp_label_set *set, sp_label *label, const sp_yaml *node,
                          const char *separator) {
    sp_status st = sp_yaml_expect(node, SP_YAML_SCALAR, "a word of a label");
    if (st) return st;
    if (!node->text[strspn(node->text, " \t\r\n")])
        return sp_yaml_fail(node, "label '%s' has no word; write one, as %s: [true, right]",
                            label->name, label->name);
    char *word = literal_word(node->text, separator);
    const sp_label *owner = owner_of(set, word);
    if (owner)
        st = sp_yaml_fail(node, "word '%s' stands for label '%s' and again for '%s'; keep one",
                          node->text, owner->name, label->name);
    if (st)
        free(word);
    else
        sp_strings_take(&label->words, word);
    return st;
}

static sp_status add_from_card(sp_label_set *set, const char *name, const sp_yaml *words,
                               const char *separator) {
    sp_label *label = sp_label_set_add(set, name);
    if (words->kind != SP_YAML_LIST) return add_word(set, label, words, separator);
    if (words->count == 0)
        return sp_yaml_fail(words, "label '%s' has no word; write one, as %s: [true, right]", name,
                            name);
    for (size_t i = 0; i < words->count; i++) {
        sp_status st = add_word(set, label, words->items[i], separator);
        if (st) return st;
    }
    return SP_OK;
}

sp_status sp_label_set_read(const sp_yaml *map, const char *separator, sp_label_set *out) {
    if (map->count < 2)
        return sp_yaml_fail(map, "labels lists %s; a classification needs two classes or more",
                            map->count ? "one class only" : "no class");
    if (map->count > SP_MAX_LABELS)
        return sp_yaml_fail(map, "labels lists %zu classes; use at most %d", map->count,
                            SP_MAX_LABELS);
    for (size_t i = 0; i < map->count; i++) {
        if (!*map->keys[i])
            return sp_yaml_fail(map->items[i], "a label has no name; write NAME: word");
        sp_status st = add_from_card(out, map->keys[i], map->items[i], separator);
        if (st) return st;
    }
    return SP_OK;
}

bool sp_is_tag(const char *name) {
    if (strcmp(name, "O") == 0) return true;
    bool inside = (name[0] == 'B' || name[0] == 'I') && name[1] == '-';
    return inside && name[2] && !name[strcspn(name, " \t\r\n")];
}

static sp_status add_tag(sp_label_set *set, const sp_yaml *node, const char *separator) {
    sp_status st = sp_yaml_expect(node, SP_YAML_SCALAR, "a tag");
    if (st) return st;
    if (!sp_is_tag(node->text))
        return sp_yaml_fail(node, "tag '%s' is not one of IOB2; write O, B-TYPE or I-TYPE",
                            node->text);
    char *word = literal_word(node->text, separator);
    if (owner_of(set, word))
        st = sp_yaml_fail(node, "tag '%s' is listed twice; keep one", node->text);
    if (st)
        free(word);
    else
        sp_strings_take(&sp_label_set_add(set, node->text)->words, word);
    return st;
}

sp_status sp_label_set_read_tags(const sp_yaml *list, const char *separator, sp_label_set *out) {
    if (list->count < 2 || list->count > SP_MAX_LABELS)
        return sp_yaml_fail(list, "tags lists %zu; a tagging needs 2 to %d, as [O, B-name, I-name]",
                            list->count, SP_MAX_LABELS);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < list->count; i++) st = add_tag(out, list->items[i], separator);
    return st;
}

int sp_label_set_find(sp_label_set *set, const char *name, const char *separator) {
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0) return (int)i;
    if (!set->open || set->count == SP_MAX_LABELS) return -1;
    sp_strings_take(&sp_label_set_add(set, name)->words, literal_word(name, separator));
    return (int)set->count - 1;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const sp_label *)a)->name, ((const sp_label *)b)->name);
}

void sp_label_set_close(sp_label_set *set, sp_split *train) {
    sp_strings before = {0};
    for (size_t i = 0; i < set->count; i++) sp_strings_push(&before, set->items[i].name);
    if (set->count) qsort(set->items, set->count, sizeof *set->items, by_name);
    set->open = false;
    int *moved = sp_alloc(before.len + 1, sizeof *moved);
    for (size_t i = 0; i < before.len; i++) moved[i] = sp_label_set_find(set, before.data[i], "");
    for (size_t i = 0; i < train->count; i++) {
        sp_example *e = &train->items[i];
        if (e->label >= 0) e->label = moved[e->label];
        for (size_t k = 0; k < e->tags.len; k++) e->tags.data[k] = moved[e->tags.data[k]];
    }
    free(moved);
    sp_strings_free(&before);
}

char *sp_label_set_list(const sp_label_set *set) {
    const char *names[SP_MAX_LABELS];
    for (size_t i = 0; i < set->count; i++) names[i] = set->items[i].name;
    return sp_list_text(names, set->count);
}

void sp_label_set_free(sp_label_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].name);
        sp_strings_free(&set->items[i].words);
    }
    free(set->items), free(set->allowed);
    *set = (sp_label_set){0};
}
