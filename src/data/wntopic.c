/* The reader of wntopic: the definition of a noun's or a verb's gloss, and the lexicographer file
 * that WordNet's editors put it in. A label of the card has the name of a file; all labels are
 * equally frequent in every split. A synset makes at most one example. */
#include "data/facts.h"
#include "data/generated.h"
#include "data/gloss.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_WORDS = 4, MAX_WORDS = 40 };

typedef struct definition {
    char *text;
    int label;
} definition;

typedef struct definitions {
    definition *items;
    size_t count, capacity;
} definitions;

static void add_definition(definitions *list, char *text, int label) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 4096;
        list->items = sp_realloc(list->items, list->capacity, sizeof *list->items);
    }
    list->items[list->count++] = (definition){text, label};
}

/* The card's `part_of_speech`: noun if it is not given. */
static sp_status read_part_of_speech(const sp_card *card, bool *verbs) {
    const char *text;
    sp_status st = sp_yaml_text_or(card->root, "part_of_speech", "noun", &text);
    if (st) return st;
    *verbs = strcmp(text, "verb") == 0;
    if (*verbs || strcmp(text, "noun") == 0) return SP_OK;
    return sp_yaml_fail(sp_yaml_get(card->root, "part_of_speech"),
                        "part_of_speech is '%s'; use noun or verb", text);
}

/* files[label]: the lexicographer file of each class. */
static sp_status find_files(const sp_card *card, bool verbs, int *files) {
    for (size_t i = 0; i < card->labels->count; i++) {
        const char *name = card->labels->items[i].name;
        files[i] = verbs ? sp_lexfile_find_verb(name) : sp_lexfile_find(name);
        if (files[i] < 0)
            return sp_yaml_fail(sp_yaml_get(sp_yaml_get(card->root, "labels"), name),
                                "label '%s' is not a lexicographer file of WordNet's %s", name,
                                verbs ? "verbs, as motion" : "nouns, as animal");
    }
    return SP_OK;
}

/* The class is not to be read off the text. */
static bool tells_class(const char *text, const sp_label *label) {
    if (sp_text_has_word(text, label->name)) return true;
    for (size_t i = 0; i < label->words.len; i++) {
        const char *word = label->words.data[i];
        if (sp_text_has_word(text, word + strspn(word, " "))) return true;
    }
    return false;
}

static bool is_usable(const char *text, const sp_label *label) {
    int words = sp_count_words(text);
    return words >= MIN_WORDS && words <= MAX_WORDS && !tells_class(text, label);
}

static void collect_gloss(const sp_card *card, int lexfile, const char *gloss, const int *files,
                          definitions *out) {
    size_t label = 0;
    while (label < card->labels->count && files[label] != lexfile) label++;
    if (label == card->labels->count || sp_is_abusive(gloss)) return;
    char *text = sp_gloss_definition(gloss);
    if (text && is_usable(text, &card->labels->items[label]))
        add_definition(out, text, (int)label);
    else
        free(text);
}

static void collect(const sp_card *card, const sp_wordnet *wordnet, const int *files,
                    definitions *out) {
    for (int i = 0; i < wordnet->count; i++) {
        const sp_noun *noun = &wordnet->nouns[i];
        if (!sp_is_taxon(noun)) collect_gloss(card, noun->lexfile, noun->gloss, files, out);
    }
    for (int i = 0; i < wordnet->verb_count; i++)
        collect_gloss(card, wordnet->verbs[i].lexfile, wordnet->verbs[i].gloss, files, out);
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const definition *)a)->text, ((const definition *)b)->text);
}

/* Several nouns may have the same gloss; none of them is used. Leaves the list sorted by text. */
static void drop_repeated(definitions *list) {
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_text);
    size_t kept = 0;
    for (size_t i = 0, end; i < list->count; i = end) {
        for (end = i + 1; end < list->count && by_text(&list->items[i], &list->items[end]) == 0;)
            end++;
        if (end == i + 1)
            list->items[kept++] = list->items[i];
        else
            for (size_t k = i; k < end; k++) free(list->items[k].text);
    }
    list->count = kept;
}

/* Of `size` examples in `classes` equal parts; the first classes take what does not divide. */
static int share_of(int size, int classes, int label) {
    return size / classes + (label < size % classes);
}

static sp_status check_enough(const sp_card *card, const sp_generated *g, const definitions *list,
                              int label) {
    int available = 0, needed = 0, classes = (int)card->labels->count;
    for (size_t i = 0; i < list->count; i++) available += list->items[i].label == label;
    for (int s = 0; s < SP_SPLITS; s++) needed += share_of(g->sizes[s], classes, label);
    if (available >= needed) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "%s: WordNet has %d usable glosses of label %s, but the splits ask for %d; ask "
                   "for fewer or take another label",
                   card->path, available, card->labels->items[label].name, needed);
}

/* Deals the shuffled definitions out: to each split its share of each class. */
static void deal(const sp_card *card, const sp_generated *g, definitions *list,
                 const bool wanted[SP_SPLITS], sp_split splits[SP_SPLITS]) {
    sp_rng rng = sp_rng_make(g->seed, "wntopic");
    sp_rng_shuffle(&rng, list->items, list->count, sizeof *list->items);
    int classes = (int)card->labels->count;
    int(*left)[SP_SPLITS] = sp_alloc((size_t)classes, sizeof *left);
    for (int k = 0; k < classes; k++)
        for (int s = 0; s < SP_SPLITS; s++) left[k][s] = share_of(g->sizes[s], classes, k);
    for (size_t i = 0; i < list->count; i++) {
        definition *d = &list->items[i];
        int s = 0;
        while (s < SP_SPLITS && left[d->label][s] == 0) s++;
        if (s == SP_SPLITS) continue;
        left[d->label][s]--;
        if (wanted[s]) sp_add_classified(card, d->label, sp_strdup(d->text), "", &splits[s]);
    }
    free(left);
    for (int s = 0; s < SP_SPLITS; s++)
        sp_rng_shuffle(&rng, splits[s].items, splits[s].count, sizeof *splits[s].items);
}

static sp_status generate(const sp_card *card, const sp_wordnet *wordnet, const sp_generated *g,
                          const int *files, const bool wanted[SP_SPLITS],
                          sp_split splits[SP_SPLITS]) {
    definitions list = {0};
    collect(card, wordnet, files, &list);
    drop_repeated(&list);
    sp_status st = SP_OK;
    for (size_t k = 0; k < card->labels->count && !st; k++)
        st = check_enough(card, g, &list, (int)k);
    if (!st) deal(card, g, &list, wanted, splits);
    for (size_t i = 0; i < list.count; i++) free(list.items[i].text);
    free(list.items);
    return st;
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    sp_generated g;
    bool verbs;
    sp_status st = sp_generated_read(card, &g);
    if (!st) st = read_part_of_speech(card, &verbs);
    if (st) return st;
    int *files = sp_alloc(card->labels->count, sizeof *files);
    sp_wordnet wordnet = {0};
    st = find_files(card, verbs, files);
    if (!st) st = verbs ? sp_wordnet_load_verbs(&wordnet) : sp_wordnet_load(&wordnet);
    if (!st) st = generate(card, &wordnet, &g, files, wanted, splits);
    sp_wordnet_free(&wordnet);
    free(files);
    return st;
}

const sp_reader sp_reader_wntopic = {
    .name = "wntopic", .kind = SP_SET_CLASSIFICATION, .together = true, .load = load};
