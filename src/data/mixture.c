/* The reader of mixtures. The sets keep their separators, which may differ: each is put behind the
 * inputs of its set, and the mixture's own is empty. Labels of one name are one label. */
#include "data/mixture.h"

#include "core/file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- the card ---- */

static const sp_yaml *listed(const sp_card *card) {
    return sp_yaml_get(card->root, "of");
}

void sp_mixture_groups(const sp_card *card, sp_strings *out) {
    for (size_t i = 0; i < listed(card)->count; i++)
        sp_strings_take(out, sp_dataset_group(listed(card)->items[i]->text));
}

/* Two sets of one group could not be told apart in the scores. */
static sp_status check_parts(const sp_card *card) {
    const sp_yaml *of;
    sp_status st = sp_yaml_list_or_null(card->root, "of", &of);
    if (st) return st;
    if (!of || of->count == 0 || of->count > SP_MAX_PARTS)
        return sp_yaml_fail(of ? of : card->root,
                            "a mixture names 1 to %d data sets under of, as of: [wntopic, "
                            "wnentail]; this one names %zu",
                            SP_MAX_PARTS, of ? of->count : 0);
    for (size_t i = 0; !st && i < of->count; i++)
        st = sp_yaml_expect(of->items[i], SP_YAML_SCALAR, "a data set of the mixture");
    if (st) return st;
    sp_strings groups = {0};
    sp_mixture_groups(card, &groups);
    for (size_t i = 0; !st && i < groups.len; i++)
        for (size_t k = 0; !st && k < i; k++)
            if (strcmp(groups.data[i], groups.data[k]) == 0)
                st = sp_yaml_fail(of->items[i],
                                  "two sets of the mixture are called '%s'; name "
                                  "each once",
                                  groups.data[i]);
    sp_strings_free(&groups);
    return st;
}

/* *out: the most examples that each set gives; INT_MAX for all. */
static sp_status read_size(const sp_card *card, sp_split_name split, int *out) {
    const sp_yaml *node = sp_card_split(card, split);
    *out = 0;
    if (!node) return SP_OK;
    *out = INT_MAX;
    if (node->kind == SP_YAML_SCALAR && strcmp(node->text, "all") == 0) return SP_OK;
    return sp_yaml_int(sp_yaml_get(card->root, "splits"), sp_split_text(split), 1, 1000000, out);
}

sp_status sp_mixture_check(sp_card *card) {
    static const char *const of_parts[] = {"labels", "tags", "template"};
    for (size_t i = 0; i < sizeof of_parts / sizeof *of_parts; i++) {
        const sp_yaml *node = sp_yaml_get(card->root, of_parts[i]);
        if (node)
            return sp_yaml_fail(node, "a mixture has the %s of its sets; leave out %s", of_parts[i],
                                of_parts[i]);
    }
    card->separator = "";
    sp_status st = check_parts(card);
    int size;
    for (int i = 0; !st && i < SP_SPLITS; i++) st = read_size(card, (sp_split_name)i, &size);
    return st;
}

/* ---- the sets ---- */

/* A set while the mixture is made. */
typedef struct part {
    const sp_yaml *node;
    char *group;
    sp_dataset *dataset;
    const sp_label *labels;
    size_t label_count;
    int *label; /* [label_count] the mixture's */
    sp_split splits[SP_SPLITS];
} part;

static void free_part(part *p) {
    for (int i = 0; i < SP_SPLITS; i++) sp_split_free(&p->splits[i]);
    sp_dataset_free(p->dataset);
    free(p->group), free(p->label);
}

/* A path of a file is looked for beside the card first, as the files of other cards are. */
static char *find_set(const sp_card *card, const char *name) {
    char *folder = sp_path_folder(card->path), *beside = sp_path_join(folder, name);
    bool there = *name != '/' && strchr(name, '.') && sp_file_exists(beside);
    free(folder);
    if (there) return beside;
    free(beside);
    return sp_strdup(name);
}

static sp_status open_part(const sp_card *card, const sp_yaml *node, part *p) {
    *p = (part){.node = node, .group = sp_dataset_group(node->text)};
    char *name = find_set(card, node->text);
    sp_status st = sp_dataset_open(name, &p->dataset);
    free(name);
    if (st) return sp_fail_in(st, "%s:%d", node->file, node->line);
    if (sp_dataset_is_mixture(p->dataset))
        return sp_yaml_fail(node, "data set '%s' is a mixture itself; name its sets", node->text);
    return sp_dataset_labels(p->dataset, &p->labels, &p->label_count);
}

static const char *kind_of(const part *p) {
    if (!p->label_count) return "texts to generate";
    return sp_dataset_is_tagged(p->dataset) ? "tags of words" : "labels of texts";
}

static sp_status check_kinds(const sp_card *card, const part *parts, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (strcmp(kind_of(&parts[i]), kind_of(&parts[0])) != 0)
            return sp_yaml_fail(
                parts[i].node,
                "data set '%s' has %s, but '%s' has %s; a mixture joins sets of one "
                "kind",
                parts[i].node->text, kind_of(&parts[i]), parts[0].node->text, kind_of(&parts[0]));
    bool tagged = sp_dataset_is_tagged(parts[0].dataset);
    sp_set_kind kind = !parts[0].label_count ? SP_SET_GENERATION
                       : tagged              ? SP_SET_TAGGING
                                             : SP_SET_CLASSIFICATION;
    if (card->kind == SP_SET_ANY || card->kind == kind) return SP_OK;
    return sp_yaml_fail(sp_yaml_get(card->root, "task"), "task is '%s', but the sets have %s",
                        sp_yaml_get(card->root, "task")->text, kind_of(&parts[0]));
}

/* ---- labels ---- */

static int find_label(const sp_label_set *set, const char *name) {
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0) return (int)i;
    return -1;
}

static bool same_words(const sp_label *a, const sp_label *b) {
    if (a->words.len != b->words.len) return false;
    for (size_t i = 0; i < a->words.len; i++)
        if (strcmp(a->words.data[i], b->words.data[i]) != 0) return false;
    return true;
}

/* The label of `set` that has a word, or NULL. */
static const sp_label *owner_of(const sp_label_set *set, const char *word) {
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = 0; k < set->items[i].words.len; k++)
            if (strcmp(set->items[i].words.data[k], word) == 0) return &set->items[i];
    return NULL;
}

static sp_status add_label(const part *p, const sp_label *label, sp_label_set *set) {
    if (set->count == SP_MAX_LABELS)
        return sp_yaml_fail(p->node, "the sets of the mixture have over %d labels", SP_MAX_LABELS);
    for (size_t k = 0; k < label->words.len; k++) {
        const sp_label *owner = owner_of(set, label->words.data[k]);
        if (owner)
            return sp_yaml_fail(p->node,
                                "word '%s' stands for label '%s' of '%s' and for '%s' of another "
                                "set of the mixture; give one of them another word",
                                label->words.data[k], label->name, p->node->text, owner->name);
    }
    sp_label *added = sp_label_set_add(set, label->name);
    for (size_t k = 0; k < label->words.len; k++)
        sp_strings_push(&added->words, label->words.data[k]);
    return SP_OK;
}

/* Adds what is new among a set's labels. */
static sp_status join_labels(part *p, sp_label_set *set) {
    sp_status st = SP_OK;
    p->label = sp_alloc(p->label_count + 1, sizeof *p->label);
    for (size_t i = 0; !st && i < p->label_count; i++) {
        p->label[i] = find_label(set, p->labels[i].name);
        if (p->label[i] < 0) {
            p->label[i] = (int)set->count;
            st = add_label(p, &p->labels[i], set);
        } else if (!same_words(&p->labels[i], &set->items[p->label[i]])) {
            st = sp_yaml_fail(p->node,
                              "label '%s' has other words in '%s' than in another set of the "
                              "mixture; give both the same, or one of them another name",
                              p->labels[i].name, p->node->text);
        }
    }
    return st;
}

static void allow_labels(const part *parts, size_t count, sp_label_set *set) {
    set->tasks = count;
    set->allowed = sp_alloc(count * set->count, sizeof *set->allowed);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].label_count; k++)
            set->allowed[i * set->count + (size_t)parts[i].label[k]] = true;
}

static sp_status mix_labels(part *parts, size_t count, sp_label_set *set) {
    if (!set->open) return SP_OK; /* known since train was read */
    *set = (sp_label_set){.tags = sp_dataset_is_tagged(parts[0].dataset)};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++) st = join_labels(&parts[i], set);
    if (!st && set->count) allow_labels(parts, count, set);
    return st;
}

/* ---- examples ---- */

static void mix_example(const part *p, int task, sp_example *from, sp_split *out) {
    sp_example *e = sp_split_add(out);
    *e = *from;
    *from = (sp_example){0};
    free(e->group);
    e->group = sp_strdup(p->group);
    e->task = task;
    if (e->label >= 0) e->label = p->label[e->label];
    for (size_t i = 0; i < e->tags.len; i++) e->tags.data[i] = p->label[e->tags.data[i]];
    if (e->tags.len) return; /* words have no separator behind them */
    char *input = sp_format("%s%s", e->input, sp_dataset_separator(p->dataset));
    free(e->input);
    e->input = input;
}

/* The set whose next example comes first when each set's are evenly spaced; `taken` [count]. */
static size_t next_part(const size_t *sizes, const size_t *taken, size_t count) {
    size_t next = count;
    for (size_t i = 0; i < count; i++) {
        if (taken[i] == sizes[i]) continue;
        if (next == count || (double)(2 * taken[i] + 1) / (double)sizes[i] <
                                 (double)(2 * taken[next] + 1) / (double)sizes[next])
            next = i;
    }
    return next;
}

/* `most` evenly spaced examples of each set. */
static void mix_split(part *parts, size_t count, sp_split_name split, int most, sp_split *out) {
    size_t sizes[SP_MAX_PARTS], taken[SP_MAX_PARTS] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t there = parts[i].splits[split].count;
        sizes[i] = there < (size_t)most ? there : (size_t)most;
    }
    for (size_t i; (i = next_part(sizes, taken, count)) < count; taken[i]++) {
        sp_split *from = &parts[i].splits[split];
        mix_example(&parts[i], (int)i, &from->items[taken[i] * from->count / sizes[i]], out);
    }
}

static sp_status load_parts(const sp_card *card, const bool wanted[SP_SPLITS], part *parts,
                            size_t count, sp_split splits[SP_SPLITS]) {
    sp_status st = check_kinds(card, parts, count);
    if (!st) st = mix_labels(parts, count, card->labels);
    for (int s = 0; !st && s < SP_SPLITS; s++) {
        int most;
        if (!wanted[s] || (st = read_size(card, (sp_split_name)s, &most)) || !most) continue;
        for (size_t i = 0; !st && i < count; i++)
            st = sp_dataset_load(parts[i].dataset, sp_split_text((sp_split_name)s),
                                 &parts[i].splits[s]);
        if (!st) mix_split(parts, count, (sp_split_name)s, most, &splits[s]);
    }
    return st;
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    part parts[SP_MAX_PARTS] = {0};
    size_t count = listed(card)->count;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++)
        st = open_part(card, listed(card)->items[i], &parts[i]);
    if (!st) st = load_parts(card, wanted, parts, count, splits);
    for (size_t i = 0; i < count; i++) free_part(&parts[i]);
    return st;
}

const sp_reader sp_reader_mixture = {
    .name = "mixture", .kind = SP_SET_ANY, .together = true, .load = load};
