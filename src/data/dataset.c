/* Opening cards, the registry of readers, and the cache of splits that were read. */
#include "data/dataset.h"

#include "core/file.h"
#include "data/reader.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const sp_reader *const readers[] = {
    &sp_reader_wntriples,
    &sp_reader_webnlg,
    &sp_reader_jsonl,
};
enum { READERS = sizeof readers / sizeof *readers };

/* Splits that were read; a card names only some of them. */
typedef struct cache {
    bool loaded[SP_SPLITS];
    sp_split splits[SP_SPLITS];
} cache;

struct sp_dataset {
    sp_card card;
    char *path; /* card.path */
    const sp_reader *reader;
    const char *name, *separator;
    cache *cache;
};

const char *sp_split_text(sp_split_name split) {
    static const char *const names[SP_SPLITS] = {"train", "dev", "test"};
    return names[split];
}

const sp_yaml *sp_card_split(const sp_card *card, sp_split_name split) {
    return sp_yaml_get(sp_yaml_get(card->root, "splits"), sp_split_text(split));
}

sp_example *sp_split_add(sp_split *split) {
    if (split->count == split->capacity) {
        split->capacity = split->capacity ? split->capacity * 2 : 64;
        split->items = sp_realloc(split->items, split->capacity, sizeof *split->items);
    }
    sp_example *added = &split->items[split->count++];
    *added = (sp_example){0};
    return added;
}

void sp_split_free(sp_split *split) {
    for (size_t i = 0; i < split->count; i++) {
        sp_example *e = &split->items[i];
        free(e->input), free(e->category), free(e->group);
        sp_strings_free(&e->references);
    }
    free(split->items);
    *split = (sp_split){0};
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
    sp_buf list = {0};
    for (size_t i = 0; i < cards.len; i++)
        sp_buf_printf(&list, "%s%s", i ? ", " : "", cards.data[i]);
    sp_status st = sp_fail(SP_ERR_MISSING,
                           "no data set '%s'; there are %s; or give the path of a card (.yaml) or "
                           "of a .jsonl file",
                           name, list.len ? list.data : "none");
    sp_buf_free(&list);
    sp_strings_free(&cards);
    return st;
}

static bool has_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n > m && strcmp(text + n - m, suffix) == 0;
}

/* A bare .jsonl file is a card whose only split is train. */
static sp_yaml *card_of_jsonl(const char *path) {
    sp_yaml *root = sp_yaml_new_map(path, 0), *splits = sp_yaml_new_map(path, 0);
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    sp_yaml_put(splits, "train", sp_yaml_new_scalar(path, 0, file));
    sp_yaml_put(root, "name", sp_yaml_new_scalar(path, 0, file));
    sp_yaml_put(root, "reader", sp_yaml_new_scalar(path, 0, "jsonl"));
    sp_yaml_put(root, "splits", splits);
    return root;
}

static sp_status find_reader(const sp_yaml *root, const sp_reader **out) {
    const char *name;
    sp_status st = sp_yaml_text(root, "reader", &name);
    if (st) return st;
    const char *names[READERS + 1] = {0};
    sp_buf list = {0};
    *out = NULL;
    for (int i = 0; i < READERS; i++) {
        names[i] = readers[i]->name;
        sp_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
        if (strcmp(name, names[i]) == 0) *out = readers[i];
    }
    const char *near = sp_nearest_word(name, names);
    if (!*out)
        st = sp_yaml_fail(sp_yaml_get(root, "reader"), "no reader '%s'%s%s; use one of: %s", name,
                          near ? "; the nearest is " : "", near ? near : "", list.data);
    sp_buf_free(&list);
    return st;
}

static sp_status check_texts(const sp_yaml *root) {
    static const char *const texts[] = {"title", "task", "licence", "source", "notes"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *ignored;
        sp_status st = sp_yaml_text_or(root, texts[i], "", &ignored);
        if (st) return st;
    }
    return SP_OK;
}

/* Every key of a card, whatever its reader. */
static sp_status check_card(sp_dataset *d) {
    static const char *const keys[] = {"name",    "title",    "task",   "reader",     "seed",
                                       "fields",  "template", "splits", "categories", "metrics",
                                       "licence", "source",   "sha256", "notes",      NULL};
    static const char *const template_keys[] = {"separator", NULL};
    static const char *const split_keys[] = {"train", "dev", "test", NULL};
    const sp_yaml *root = d->card.root;
    sp_status st;
    if ((st = sp_yaml_expect(root, SP_YAML_MAP, "a data set card"))) return st;
    if ((st = sp_yaml_check_keys(root, keys))) return st;
    if ((st = sp_yaml_text(root, "name", &d->name))) return st;
    if ((st = check_texts(root))) return st;
    if ((st = find_reader(root, &d->reader))) return st;
    const sp_yaml *template, *splits, *metrics, *sha256;
    if ((st = sp_yaml_map_or_null(root, "template", &template))) return st;
    d->separator = "\n";
    if (template) {
        if ((st = sp_yaml_check_keys(template, template_keys))) return st;
        if ((st = sp_yaml_text_or(template, "separator", "\n", &d->separator))) return st;
    }
    if ((st = sp_yaml_list_or_null(root, "metrics", &metrics))) return st;
    if ((st = sp_yaml_map_or_null(root, "splits", &splits))) return st;
    if (!splits) return sp_yaml_fail(root, "the card has no splits; say what train is");
    if ((st = sp_yaml_check_keys(splits, split_keys))) return st;
    if ((st = sp_yaml_map_or_null(root, "sha256", &sha256))) return st;
    return sha256 ? sp_yaml_check_keys(sha256, split_keys) : SP_OK;
}

sp_status sp_dataset_open(const char *name_or_path, sp_dataset **out) {
    *out = NULL;
    bool is_jsonl = has_suffix(name_or_path, ".jsonl"), is_yaml = has_suffix(name_or_path, ".yaml");
    char *wanted =
        is_jsonl || is_yaml ? sp_strdup(name_or_path) : sp_format("datasets/%s.yaml", name_or_path);
    char *path = sp_find_file(wanted);
    free(wanted);
    if (!sp_file_exists(path)) {
        free(path);
        return fail_unknown(name_or_path);
    }
    sp_dataset *d = sp_alloc(1, sizeof *d);
    d->path = path;
    d->card.path = path;
    d->cache = sp_alloc(1, sizeof *d->cache);
    sp_status st = SP_OK;
    if (is_jsonl)
        d->card.root = card_of_jsonl(path);
    else
        st = sp_yaml_read(path, &d->card.root);
    if (!st) st = check_card(d);
    if (st) {
        sp_dataset_free(d);
        return st;
    }
    *out = d;
    return SP_OK;
}

void sp_dataset_free(sp_dataset *dataset) {
    if (!dataset) return;
    for (int i = 0; i < SP_SPLITS; i++) sp_split_free(&dataset->cache->splits[i]);
    sp_yaml_free(dataset->card.root);
    free(dataset->cache), free(dataset->path), free(dataset);
}

const char *sp_dataset_name(const sp_dataset *dataset) {
    return dataset->name;
}

const char *sp_dataset_separator(const sp_dataset *dataset) {
    return dataset->separator;
}

/* Reads what is wanted and not yet in the cache. A failure leaves the cache as it was. */
static sp_status fill_cache(const sp_dataset *d, const bool wanted[SP_SPLITS]) {
    bool missing[SP_SPLITS], any = false;
    for (int i = 0; i < SP_SPLITS; i++) {
        missing[i] = wanted[i] && !d->cache->loaded[i];
        any |= missing[i];
    }
    if (!any) return SP_OK;
    for (int i = 0; d->reader->together && i < SP_SPLITS; i++) missing[i] = !d->cache->loaded[i];
    sp_split splits[SP_SPLITS] = {0};
    sp_status st = d->reader->load(&d->card, missing, splits);
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

static void copy_split(const sp_split *from, sp_split *out) {
    *out = (sp_split){0};
    for (size_t i = 0; i < from->count; i++) {
        const sp_example *e = &from->items[i];
        sp_example *copy = sp_split_add(out);
        copy->input = sp_strdup(e->input);
        copy->category = sp_strdup(e->category);
        copy->group = sp_strdup(e->group);
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
        return sp_fail(SP_ERR_DATA, "%s: has no split %s; write a card with splits.%s",
                       dataset->path, split, split);
    bool wanted[SP_SPLITS] = {false};
    wanted[which] = true;
    sp_status st = fill_cache(dataset, wanted);
    if (st) return st;
    if (dataset->cache->splits[which].count == 0)
        return sp_fail(SP_ERR_DATA, "%s: split %s is empty; give it at least one example",
                       dataset->path, split);
    copy_split(&dataset->cache->splits[which], out);
    return SP_OK;
}

/* Strings end with their NUL, so that no two different contents give the same bytes. */
static void put_string(sp_buf *out, const char *text) {
    sp_buf_append(out, text, strlen(text) + 1);
}

sp_status sp_dataset_hash(const sp_dataset *dataset, sp_digest *out) {
    bool wanted[SP_SPLITS];
    for (int i = 0; i < SP_SPLITS; i++)
        wanted[i] = sp_card_split(&dataset->card, (sp_split_name)i) != NULL;
    sp_status st = fill_cache(dataset, wanted);
    if (st) return st;
    sp_buf bytes = {0};
    put_string(&bytes, dataset->separator);
    for (int i = 0; i < SP_SPLITS; i++) {
        const sp_split *split = &dataset->cache->splits[i];
        sp_buf_printf(&bytes, "%s %zu\n", sp_split_text((sp_split_name)i), split->count);
        for (size_t k = 0; k < split->count; k++) {
            const sp_example *e = &split->items[k];
            put_string(&bytes, e->input);
            put_string(&bytes, e->category);
            put_string(&bytes, e->group);
            sp_buf_printf(&bytes, "%zu\n", e->references.len);
            for (size_t r = 0; r < e->references.len; r++)
                put_string(&bytes, e->references.data[r]);
        }
    }
    *out = sp_sha256(bytes.data, bytes.len);
    sp_buf_free(&bytes);
    return SP_OK;
}
