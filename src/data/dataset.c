/* Finding data sets by name, the cache of splits that were read, and the hash. */
#include "data/dataset.h"

#include "core/file.h"
#include "data/mixture.h"
#include "data/reader.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Splits that were read; a card names only some of them. */
typedef struct cache {
    bool loaded[SP_SPLITS];
    sp_split splits[SP_SPLITS];
} cache;

struct sp_dataset {
    sp_card card;
    cache *cache;
};

sp_example *sp_split_add(sp_split *split) {
    if (split->count == split->capacity) {
        split->capacity = split->capacity ? split->capacity * 2 : 64;
        split->items = sp_realloc(split->items, split->capacity, sizeof *split->items);
    }
    sp_example *added = &split->items[split->count++];
    *added = (sp_example){.label = -1};
    return added;
}

void sp_split_free(sp_split *split) {
    for (size_t i = 0; i < split->count; i++) {
        sp_example *e = &split->items[i];
        free(e->input), free(e->category), free(e->group);
        sp_strings_free(&e->references);
        sp_ints_free(&e->tags);
    }
    free(split->items);
    *split = (sp_split){0};
}

int sp_split_only_label(const sp_split *split) {
    int only = -1;
    for (size_t i = 0; i < split->count; i++) {
        const sp_example *e = &split->items[i];
        const int *labels = e->tags.len ? e->tags.data : &e->label;
        for (size_t k = 0; k < (e->tags.len ? e->tags.len : 1); k++) {
            if (only >= 0 && labels[k] != only) return -1;
            only = labels[k];
        }
    }
    return only;
}

/* The cards in datasets/, for the message about an unknown name. */
static sp_strings list_cards(void) {
    sp_strings names = {0};
    char *folder = sp_find_file("datasets");
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *dot = strstr(entries[i]->d_name, ".yaml");
        if (dot && dot[strlen(".yaml")] == '\0')
            sp_strings_take(&names,
                            sp_strndup(entries[i]->d_name, (size_t)(dot - entries[i]->d_name)));
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    free(folder);
    return names;
}

static sp_status fail_unknown(const char *name) {
    sp_strings cards = list_cards();
    char *list = sp_list_text((const char *const *)cards.data, cards.len);
    sp_status st = sp_fail(SP_ERR_MISSING,
                           "no data set '%s'; there are %s; or give the path of a card (.yaml) or "
                           "of a .jsonl, .csv or .tsv file",
                           name, list);
    free(list);
    sp_strings_free(&cards);
    return st;
}

static bool has_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n > m && strcmp(text + n - m, suffix) == 0;
}

/* The suffix of a path that names a file by itself: a card, or examples without a card. NULL for a
 * name. */
static const char *file_suffix(const char *name) {
    static const char *const suffixes[] = {".yaml", ".jsonl", ".csv", ".tsv"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (has_suffix(name, suffixes[i])) return name + strlen(name) - strlen(suffixes[i]);
    return NULL;
}

char *sp_dataset_group(const char *name_or_path) {
    const char *slash = strrchr(name_or_path, '/'), *start = slash ? slash + 1 : name_or_path;
    const char *suffix = file_suffix(name_or_path);
    return suffix && suffix >= start ? sp_strndup(start, (size_t)(suffix - start))
                                     : sp_strdup(start);
}

sp_status sp_dataset_open(const char *name_or_path, sp_dataset **out) {
    *out = NULL;
    char *wanted = file_suffix(name_or_path) ? sp_strdup(name_or_path)
                                             : sp_format("datasets/%s.yaml", name_or_path);
    char *path = sp_find_file(wanted);
    free(wanted);
    if (!sp_file_exists(path)) {
        free(path);
        return fail_unknown(name_or_path);
    }
    sp_dataset *d = sp_alloc(1, sizeof *d);
    d->cache = sp_alloc(1, sizeof *d->cache);
    sp_status st = sp_card_open(path, &d->card);
    free(path);
    if (st)
        sp_dataset_free(d);
    else
        *out = d;
    return st;
}

void sp_dataset_free(sp_dataset *dataset) {
    if (!dataset) return;
    for (int i = 0; i < SP_SPLITS; i++) sp_split_free(&dataset->cache->splits[i]);
    sp_card_free(&dataset->card);
    free(dataset->cache), free(dataset);
}

const char *sp_dataset_name(const sp_dataset *dataset) {
    return dataset->card.name;
}

const char *sp_dataset_separator(const sp_dataset *dataset) {
    return dataset->card.separator;
}

/* A classifier cannot be trained on one class. */
static sp_status check_classes(const sp_card *card, const sp_split *train) {
    int only = sp_split_only_label(train);
    if (only < 0) return SP_OK;
    bool tags = card->labels->tags;
    return sp_fail(SP_ERR_DATA, "%s: train has one %s only, '%s'; a %s needs two or more",
                   card->path, tags ? "tag" : "class", card->labels->items[only].name,
                   tags ? "tagging" : "classification");
}

static sp_status read_splits(const sp_card *card, const bool wanted[SP_SPLITS],
                             sp_split splits[SP_SPLITS]) {
    bool open = card->labels->open;
    sp_status st = card->reader->load(card, wanted, splits);
    if (!st) st = check_classes(card, &splits[SP_TRAIN]);
    if (st && open) {
        sp_label_set_free(card->labels);
        card->labels->open = true;
        card->labels->tags = card->kind == SP_SET_TAGGING;
    }
    return st;
}

/* Reads what is wanted and not yet in the cache; train too as long as it has to tell the classes. A
 * failure leaves the cache as it was. */
static sp_status fill_cache(const sp_dataset *d, const bool wanted[SP_SPLITS]) {
    const sp_card *card = &d->card;
    bool missing[SP_SPLITS], any = false;
    for (int i = 0; i < SP_SPLITS; i++) {
        bool needed = wanted[i] || (i == SP_TRAIN && card->labels->open);
        missing[i] = needed && !d->cache->loaded[i];
        any |= missing[i];
    }
    if (!any) return SP_OK;
    for (int i = 0; card->reader->together && i < SP_SPLITS; i++) missing[i] = !d->cache->loaded[i];
    sp_split splits[SP_SPLITS] = {0};
    sp_status st = read_splits(card, missing, splits);
    for (int i = 0; i < SP_SPLITS; i++) {
        if (st || !missing[i]) {
            sp_split_free(&splits[i]);
            continue;
        }
        d->cache->splits[i] = splits[i];
        d->cache->loaded[i] = true;
    }
    return st;
}

sp_status sp_dataset_labels(const sp_dataset *dataset, const sp_label **labels, size_t *count) {
    *labels = NULL, *count = 0;
    const sp_label_set *set = dataset->card.labels;
    bool none[SP_SPLITS] = {false};
    sp_status st = set->open ? fill_cache(dataset, none) : SP_OK;
    if (st) return st;
    *labels = set->items, *count = set->count;
    return SP_OK;
}

const bool *sp_dataset_allowed(const sp_dataset *dataset) {
    return dataset->card.labels->allowed;
}

bool sp_dataset_is_mixture(const sp_dataset *dataset) {
    return dataset->card.reader == &sp_reader_mixture;
}

void sp_dataset_parts(const sp_dataset *dataset, sp_strings *out) {
    if (sp_dataset_is_mixture(dataset)) sp_mixture_groups(&dataset->card, out);
}

bool sp_dataset_is_tagged(const sp_dataset *dataset) {
    return dataset->card.labels->tags;
}

static void copy_split(const sp_split *from, sp_split *out) {
    *out = (sp_split){0};
    for (size_t i = 0; i < from->count; i++) {
        const sp_example *e = &from->items[i];
        sp_example *copy = sp_split_add(out);
        copy->input = sp_strdup(e->input);
        copy->category = sp_strdup(e->category);
        copy->group = sp_strdup(e->group);
        copy->label = e->label;
        copy->task = e->task;
        sp_ints_append(&copy->tags, e->tags.data, e->tags.len);
        for (size_t k = 0; k < e->references.len; k++)
            sp_strings_push(&copy->references, e->references.data[k]);
    }
}

sp_status sp_dataset_load(const sp_dataset *dataset, const char *split, sp_split *out) {
    *out = (sp_split){0};
    int which = 0;
    while (which < SP_SPLITS && strcmp(split, sp_split_text((sp_split_name)which)) != 0) which++;
    if (which == SP_SPLITS)
        return sp_fail(SP_ERR_USAGE, "no split '%s'; use train, dev or test", split);
    if (!sp_card_split(&dataset->card, (sp_split_name)which))
        return sp_fail(
            SP_ERR_DATA,
            "%s: has no split %s; write a card (a .yaml file: name, reader, splits) with "
            "splits: {train: FILE, dev: FILE, test: FILE}",
            dataset->card.path, split);
    bool wanted[SP_SPLITS] = {false};
    wanted[which] = true;
    sp_status st = fill_cache(dataset, wanted);
    if (st) return st;
    if (dataset->cache->splits[which].count == 0)
        return sp_fail(SP_ERR_DATA, "%s: split %s is empty; give it at least one example",
                       dataset->card.path, split);
    copy_split(&dataset->cache->splits[which], out);
    return SP_OK;
}

/* Strings end with their NUL, so that no two different contents give the same bytes. */
static void put_string(sp_buf *out, const char *text) {
    sp_buf_append(out, text, strlen(text) + 1);
}

static void put_labels(sp_buf *out, const sp_label_set *labels) {
    for (size_t i = 0; i < labels->count; i++) {
        put_string(out, labels->items[i].name);
        sp_buf_printf(out, "%zu\n", labels->items[i].words.len);
        for (size_t k = 0; k < labels->items[i].words.len; k++)
            put_string(out, labels->items[i].words.data[k]);
    }
    for (size_t i = 0; i < labels->tasks * labels->count; i++)
        sp_buf_putc(out, labels->allowed[i] ? '1' : '0');
}

/* The label is the first reference, a word that no other label has; tags are the reference. */
static void put_example(sp_buf *out, const sp_example *e) {
    put_string(out, e->input);
    put_string(out, e->category);
    put_string(out, e->group);
    sp_buf_printf(out, "%zu\n", e->references.len);
    for (size_t r = 0; r < e->references.len; r++) put_string(out, e->references.data[r]);
}

sp_status sp_dataset_hash(const sp_dataset *dataset, sp_digest *out) {
    bool wanted[SP_SPLITS];
    for (int i = 0; i < SP_SPLITS; i++)
        wanted[i] = sp_card_split(&dataset->card, (sp_split_name)i) != NULL;
    sp_status st = fill_cache(dataset, wanted);
    if (st) return st;
    sp_buf bytes = {0};
    put_string(&bytes, dataset->card.separator);
    put_labels(&bytes, dataset->card.labels);
    for (int i = 0; i < SP_SPLITS; i++) {
        const sp_split *split = &dataset->cache->splits[i];
        sp_buf_printf(&bytes, "%s %zu\n", sp_split_text((sp_split_name)i), split->count);
        for (size_t k = 0; k < split->count; k++) put_example(&bytes, &split->items[k]);
    }
    *out = sp_sha256(bytes.data, bytes.len);
    sp_buf_free(&bytes);
    return SP_OK;
}
