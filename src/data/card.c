/* Cards: the reader of each by its name, and the check of every key whatever the reader. */
#include "data/mixture.h"
#include "data/reader.h"

#include <stdlib.h>
#include <string.h>

static const sp_reader *const readers[] = {
#define SP_READER(name) &sp_reader_##name,
#include "data/readers.def"
#undef SP_READER
};
enum { READERS = sizeof readers / sizeof *readers };

const char *sp_split_text(sp_split_name split) {
    static const char *const names[SP_SPLITS] = {"train", "dev", "test"};
    return names[split];
}

const sp_yaml *sp_card_split(const sp_card *card, sp_split_name split) {
    return sp_yaml_get(sp_yaml_get(card->root, "splits"), sp_split_text(split));
}

/* A bare file is a card whose only split is train and whose reader has the name of its suffix. */
static sp_yaml *card_of_file(const char *path, const char *reader) {
    sp_yaml *root = sp_yaml_new_map(path, 0), *splits = sp_yaml_new_map(path, 0);
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    sp_yaml_put(splits, "train", sp_yaml_new_scalar(path, 0, file));
    sp_yaml_put(root, "name", sp_yaml_new_scalar(path, 0, file));
    sp_yaml_put(root, "reader", sp_yaml_new_scalar(path, 0, reader));
    sp_yaml_put(root, "splits", splits);
    return root;
}

static sp_status find_reader(const sp_yaml *root, const sp_reader **out) {
    const char *name;
    sp_status st = sp_yaml_text(root, "reader", &name);
    if (st) return st;
    const char *names[READERS + 1] = {0};
    *out = NULL;
    for (int i = 0; i < READERS; i++) {
        names[i] = readers[i]->name;
        if (strcmp(name, names[i]) == 0) *out = readers[i];
    }
    if (*out) return SP_OK;
    char *list = sp_list_text(names, READERS);
    st = sp_yaml_fail(sp_yaml_get(root, "reader"), "no reader '%s'%s (the readers are %s)", name,
                      sp_did_you_mean(name, names), list);
    free(list);
    return st;
}

/* Keys that change what one reader makes must not be lost on another. */
static sp_status check_owned(const sp_yaml *root, const sp_reader *reader) {
    static const struct {
        const char *key;
        const sp_reader *owner;
    } owned[] = {{"of", &sp_reader_mixture}, {"part_of_speech", &sp_reader_wntopic}};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        const sp_yaml *node = sp_yaml_get(root, owned[i].key);
        if (node && reader != owned[i].owner)
            return sp_yaml_fail(node, "%s is a key of reader %s, not of %s; leave it out",
                                owned[i].key, owned[i].owner->name, reader->name);
    }
    return SP_OK;
}

static sp_status check_texts(const sp_yaml *root) {
    static const char *const texts[] = {"title", "licence", "source", "notes"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *ignored;
        sp_status st = sp_yaml_text_or(root, texts[i], "", &ignored);
        if (st) return st;
    }
    return SP_OK;
}

static sp_status read_template(sp_card *card) {
    static const char *const keys[] = {"separator", "pair", NULL};
    const sp_yaml *template;
    sp_status st = sp_yaml_map_or_null(card->root, "template", &template);
    card->separator = card->pair = "\n";
    if (st || !template) return st;
    if ((st = sp_yaml_check_keys(template, keys))) return st;
    if ((st = sp_yaml_text_or(template, "separator", "\n", &card->separator))) return st;
    return sp_yaml_text_or(template, "pair", "\n", &card->pair);
}

static sp_status check_splits(const sp_yaml *root) {
    static const char *const keys[] = {"train", "dev", "test", NULL};
    const sp_yaml *splits, *sha256;
    sp_status st = sp_yaml_map_or_null(root, "splits", &splits);
    if (st) return st;
    if (!splits) return sp_yaml_fail(root, "the card has no splits; say what train is");
    if ((st = sp_yaml_check_keys(splits, keys))) return st;
    if ((st = sp_yaml_map_or_null(root, "sha256", &sha256))) return st;
    return sha256 ? sp_yaml_check_keys(sha256, keys) : SP_OK;
}

/* What a set is for by its `task`, of which all but two are generation. */
static sp_set_kind kind_of_task(const char *task) {
    if (!*task) return SP_SET_ANY;
    if (strcmp(task, "classification") == 0) return SP_SET_CLASSIFICATION;
    return strcmp(task, "tagging") == 0 ? SP_SET_TAGGING : SP_SET_GENERATION;
}

static sp_status check_kind(const sp_card *card, const sp_yaml *listed, sp_set_kind lists,
                            const sp_yaml *task) {
    static const char *const tasks[] = {"", "classification", "tagging"};
    static const char *const has[] = {"", "labels", "tags"};
    const sp_reader *reader = card->reader;
    sp_set_kind told = kind_of_task(task ? task->text : "");
    if (reader->kind == SP_SET_GENERATION &&
        (listed || told == SP_SET_CLASSIFICATION || told == SP_SET_TAGGING))
        return sp_yaml_fail(listed ? listed : task,
                            "reader %s makes no %s; leave out %s and task: %s", reader->name,
                            lists == SP_SET_TAGGING || told == SP_SET_TAGGING ? "tags" : "classes",
                            lists == SP_SET_TAGGING || told == SP_SET_TAGGING ? "tags" : "labels",
                            tasks[listed ? lists : told]);
    if (listed && reader->kind != SP_SET_ANY && reader->kind != lists)
        return sp_yaml_fail(listed, "reader %s makes %s; leave out %s", reader->name,
                            has[reader->kind], has[lists]);
    sp_set_kind needed = reader->kind == SP_SET_ANY ? lists : reader->kind;
    if (told != SP_SET_ANY && needed != SP_SET_ANY && told != needed)
        return sp_yaml_fail(task, "task is '%s', but the set has %s; use task: %s", task->text,
                            has[needed], tasks[needed]);
    if (reader->kind == SP_SET_CLASSIFICATION && !listed)
        return sp_yaml_fail(card->root, "reader %s needs labels: a map from each class to its word",
                            reader->name);
    if (reader->kind == SP_SET_TAGGING && !listed)
        return sp_yaml_fail(card->root, "reader %s needs tags: a list, as [O, B-name, I-name]",
                            reader->name);
    if ((told == SP_SET_CLASSIFICATION || told == SP_SET_TAGGING) && !listed &&
        !sp_card_split(card, SP_TRAIN))
        return sp_yaml_fail(card->root,
                            "the card has neither %s nor splits.train, which would tell them",
                            has[told]);
    return SP_OK;
}

/* Generation, classification or tagging: what `task`, `labels` and `tags` say, and what the reader
 * can make; the first record of train where none of them is given. */
static sp_status read_kind(sp_card *card) {
    const sp_yaml *labels, *tags;
    const char *task;
    sp_status st = sp_yaml_text_or(card->root, "task", "", &task);
    if (st || (st = sp_yaml_map_or_null(card->root, "labels", &labels))) return st;
    if ((st = sp_yaml_list_or_null(card->root, "tags", &tags))) return st;
    if (labels && tags)
        return sp_yaml_fail(tags, "the card has both labels (of texts) and tags (of words); keep "
                                  "one");
    const sp_yaml *listed = labels ? labels : tags;
    sp_set_kind lists = labels ? SP_SET_CLASSIFICATION : tags ? SP_SET_TAGGING : SP_SET_ANY;
    if ((st = check_kind(card, listed, lists, sp_yaml_get(card->root, "task")))) return st;
    card->kind = card->reader->kind;
    if (card->kind == SP_SET_ANY) card->kind = lists;
    if (card->kind == SP_SET_ANY) card->kind = kind_of_task(task);
    if (card->kind == SP_SET_ANY && !sp_card_split(card, SP_TRAIN)) card->kind = SP_SET_GENERATION;
    card->labels->open = card->kind != SP_SET_GENERATION && !listed;
    card->labels->tags = card->kind == SP_SET_TAGGING;
    if (tags) return sp_label_set_read_tags(tags, card->separator, card->labels);
    return labels ? sp_label_set_read(labels, card->separator, card->labels) : SP_OK;
}

static sp_status check_card(sp_card *card) {
    static const char *const keys[] = {
        "name",    "title",    "task",           "reader",     "seed",    "fields", "labels",
        "tags",    "template", "splits",         "categories", "metrics", "of",     "source",
        "licence", "sha256",   "part_of_speech", "notes",      NULL};
    const sp_yaml *root = card->root, *metrics;
    sp_status st;
    if ((st = sp_yaml_expect(root, SP_YAML_MAP, "a data set card"))) return st;
    if ((st = sp_yaml_check_keys(root, keys))) return st;
    if ((st = sp_yaml_text(root, "name", &card->name))) return st;
    if ((st = check_texts(root))) return st;
    if ((st = sp_yaml_list_or_null(root, "metrics", &metrics))) return st;
    if ((st = find_reader(root, &card->reader))) return st;
    if ((st = check_owned(root, card->reader))) return st;
    if ((st = read_template(card))) return st;
    if ((st = check_splits(root))) return st;
    if ((st = read_kind(card))) return st;
    return card->reader == &sp_reader_mixture ? sp_mixture_check(card) : SP_OK;
}

sp_status sp_card_open(const char *path, sp_card *out) {
    const char *suffix = strrchr(path, '.') + 1;
    *out = (sp_card){.path = sp_strdup(path), .labels = sp_alloc(1, sizeof *out->labels)};
    sp_status st = SP_OK;
    if (strcmp(suffix, "yaml") == 0)
        st = sp_yaml_read(path, &out->root);
    else
        out->root = card_of_file(path, suffix);
    return st ? st : check_card(out);
}

void sp_card_free(sp_card *card) {
    sp_label_set_free(card->labels);
    sp_yaml_free(card->root);
    free(card->labels), free(card->path);
    *card = (sp_card){0};
}
