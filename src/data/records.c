/* Drawing records of WordNet's nouns for generated sets. One synset makes at most one record, and a
 * lemma only serves in its first sense, so no subject is in two splits. */
#include "data/records.h"

#include "data/countable.h"
#include "data/facts.h"
#include "data/generated.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CATEGORIES = 26 };

/* The card's settings. Test records are half of seen and half of unseen categories. */
typedef struct settings {
    sp_generated base;
    int seen[MAX_CATEGORIES], seen_count; /* lexicographer files */
    int unseen[MAX_CATEGORIES], unseen_count;
} settings;

/* The nouns of a category by how many facts each has, shuffled, common ones last; by_size[0] stays
 * empty. */
typedef struct pool {
    int lexfile;
    sp_ints by_size[SP_MAX_FACTS + 1];
    int available, quota;
} pool;

/* A record to make: the noun and how many of its facts to tell. */
typedef struct choice {
    int noun, size;
} choice;

typedef struct choices {
    choice *items;
    size_t count;
} choices;

static sp_status read_categories(const sp_yaml *map, const char *key, int *files, int *count) {
    const sp_yaml *list;
    sp_status st = sp_yaml_list_or_null(map, key, &list);
    if (st) return st;
    if (!list || list->count == 0)
        return sp_yaml_fail(map, "categories.%s is empty; name WordNet's files, as animal", key);
    for (size_t i = 0; i < list->count; i++) {
        if ((st = sp_yaml_expect(list->items[i], SP_YAML_SCALAR, "a category"))) return st;
        int file = sp_lexfile_find(list->items[i]->text);
        if (file < 0 || *count == MAX_CATEGORIES)
            return sp_yaml_fail(list->items[i],
                                "'%s' is not a lexicographer file of WordNet's nouns, as animal",
                                list->items[i]->text);
        files[(*count)++] = file;
    }
    return SP_OK;
}

static sp_status check_disjoint(const sp_yaml *map, const settings *s) {
    for (int i = 0; i < s->seen_count; i++)
        for (int k = 0; k < s->unseen_count; k++)
            if (s->seen[i] == s->unseen[k])
                return sp_yaml_fail(map, "category %s is both seen and unseen",
                                    sp_lexfile_name(s->seen[i]));
    return SP_OK;
}

static sp_status read_settings(const sp_card *card, settings *out) {
    *out = (settings){0};
    const sp_yaml *categories;
    sp_status st = sp_yaml_map_or_null(card->root, "categories", &categories);
    if (st) return st;
    if (!categories)
        return sp_yaml_fail(card->root, "reader %s needs categories (lists seen and unseen)",
                            card->reader->name);
    if ((st = sp_generated_read(card, &out->base))) return st;
    static const char *const keys[] = {"seen", "unseen", NULL};
    if ((st = sp_yaml_check_keys(categories, keys))) return st;
    if ((st = read_categories(categories, "seen", out->seen, &out->seen_count))) return st;
    if ((st = read_categories(categories, "unseen", out->unseen, &out->unseen_count))) return st;
    return check_disjoint(categories, out);
}

/* Nouns are drawn from the end, so common ones first; the order is otherwise kept. */
static void move_common_last(const sp_wordnet *wordnet, sp_ints *nouns) {
    sp_ints sorted = {0};
    for (int common = 0; common <= 1; common++)
        for (size_t i = 0; i < nouns->len; i++)
            if (wordnet->nouns[nouns->data[i]].common == common)
                sp_ints_push(&sorted, nouns->data[i]);
    sp_ints_free(nouns);
    *nouns = sorted;
}

static void fill_pools(const sp_wordnet *wordnet, pool *pools, int count, sp_rng *rng) {
    for (int i = 0; i < wordnet->count; i++) {
        pool *p = NULL;
        for (int k = 0; k < count; k++)
            if (pools[k].lexfile == wordnet->nouns[i].lexfile) p = &pools[k];
        if (!p) continue;
        int facts = sp_collect_facts(wordnet, i).count;
        if (facts == 0) continue;
        sp_ints_push(&p->by_size[facts < SP_MAX_FACTS ? facts : SP_MAX_FACTS], i);
        p->available++;
    }
    for (int k = 0; k < count; k++)
        for (int size = 1; size <= SP_MAX_FACTS; size++) {
            sp_ints *nouns = &pools[k].by_size[size];
            sp_rng_shuffle(rng, nouns->data, nouns->len, sizeof *nouns->data);
            move_common_last(wordnet, nouns);
        }
}

/* Shares `total` evenly; what a small category cannot give falls to the others. Returns what is
 * missing in the end. */
static int share_quotas(pool *pools, int count, int total) {
    for (bool moved = true; total > 0 && moved;) {
        moved = false;
        int open = 0;
        for (int k = 0; k < count; k++) open += pools[k].quota < pools[k].available;
        int share = open ? total / open : 0;
        for (int k = 0; k < count && total > 0; k++) {
            int room = pools[k].available - pools[k].quota;
            int more = share > 0 ? share : 1;
            if (more > room) more = room;
            pools[k].quota += more, total -= more;
            moved |= more > 0;
        }
    }
    return total;
}

/* A noun with just `size` facts, else with more, else with the most there are. */
static choice draw(pool *p, int size) {
    int from = size;
    while (from <= SP_MAX_FACTS && p->by_size[from].len == 0) from++;
    if (from > SP_MAX_FACTS) {
        from = size;
        while (p->by_size[from].len == 0) from--;
    }
    return (choice){p->by_size[from].data[--p->by_size[from].len], from < size ? from : size};
}

/* How many facts a record tells: 1 to 5. */
static int pick_size(sp_rng *rng) {
    uint32_t x = sp_rng_below(rng, 100);
    return x < 16 ? 1 : x < 42 ? 2 : x < 68 ? 3 : x < 87 ? 4 : 5;
}

/* `total` nouns out of the given categories, shuffled. SP_ERR_DATA if there are not so many. */
static sp_status choose(const sp_wordnet *wordnet, const int *files, int file_count, int total,
                        sp_rng *rng, choices *out) {
    pool pools[MAX_CATEGORIES] = {0};
    for (int k = 0; k < file_count; k++) pools[k].lexfile = files[k];
    fill_pools(wordnet, pools, file_count, rng);
    int missing = share_quotas(pools, file_count, total);
    *out = (choices){.items = sp_alloc((size_t)total, sizeof *out->items)};
    for (int k = 0; k < file_count && !missing; k++)
        for (int i = 0; i < pools[k].quota; i++)
            out->items[out->count++] = draw(&pools[k], pick_size(rng));
    for (int k = 0; k < file_count; k++)
        for (int size = 1; size <= SP_MAX_FACTS; size++) sp_ints_free(&pools[k].by_size[size]);
    sp_rng_shuffle(rng, out->items, out->count, sizeof *out->items);
    if (missing)
        return sp_fail(SP_ERR_DATA,
                       "the categories have %d usable nouns, but the splits ask for "
                       "%d; ask for fewer or name more categories",
                       total - missing, total);
    return SP_OK;
}

static bool is_class(const sp_fact *fact) {
    return fact->relation == SP_KIND_OF || fact->relation == SP_INSTANCE_OF;
}

/* `size` of the noun's facts: nearly always what it is, the rest at random; what it is mostly comes
 * first, as in WebNLG. */
static sp_record make_record(const sp_wordnet *wordnet, choice chosen, sp_rng *rng) {
    const sp_noun *noun = &wordnet->nouns[chosen.noun];
    sp_candidates found = sp_collect_facts(wordnet, chosen.noun);
    sp_record record = {
        .subject = {noun->names[0], sp_article_of(wordnet, chosen.noun, noun->names[0])},
        .person = strcmp(sp_lexfile_name(noun->lexfile), "person") == 0};
    int order[SP_MAX_CANDIDATES];
    for (int i = 0; i < found.count; i++) order[i] = i;
    sp_rng_shuffle(rng, order, (size_t)found.count, sizeof *order);
    bool class_first = sp_rng_below(rng, 100) < 90;
    for (int i = 0; class_first && i < found.count; i++) {
        if (!is_class(&found.facts[order[i]])) continue;
        int class = order[i];
        order[i] = order[0];
        order[0] = class;
        break;
    }
    record.count = chosen.size;
    for (int i = 0; i < record.count; i++) record.facts[i] = found.facts[order[i]];
    if (record.count > 1 && sp_rng_below(rng, 100) < 30) {
        int k = (int)sp_rng_below(rng, (uint32_t)record.count);
        sp_fact first = record.facts[0];
        record.facts[0] = record.facts[k];
        record.facts[k] = first;
    }
    return record;
}

/* The stream depends on the seed and the noun alone: a record is the same in any split. */
static void add_example(const sp_card *card, const sp_wordnet *wordnet, choice chosen,
                        uint64_t seed, const char *group, sp_tell_record *tell, sp_split *out) {
    const sp_noun *noun = &wordnet->nouns[chosen.noun];
    char *purpose = sp_format("%s %ld", card->reader->name, noun->offset);
    sp_rng rng = sp_rng_make(seed, purpose);
    free(purpose);
    sp_record record = make_record(wordnet, chosen, &rng);
    sp_example *example = sp_split_add(out);
    example->category = sp_strdup(sp_lexfile_name(noun->lexfile));
    example->group = sp_strdup(group);
    tell(card, &record, &rng, example);
}

/* The records of a split: examples are added to it by `tell`. */
typedef struct telling {
    const sp_card *card;
    const sp_wordnet *wordnet;
    sp_tell_record *tell;
    uint64_t seed;
} telling;

static void add_examples(const telling *t, const choices *list, size_t first, size_t count,
                         const char *group, sp_split *out) {
    for (size_t i = first; i < first + count; i++)
        add_example(t->card, t->wordnet, list->items[i], t->seed, group, t->tell, out);
}

static sp_status generate(const telling *t, const settings *s, const bool *wanted,
                          sp_split *splits) {
    char *purpose = sp_format("%s splits", t->card->reader->name);
    sp_rng rng = sp_rng_make(s->base.seed, purpose);
    free(purpose);
    int unseen_test = s->base.sizes[SP_TEST] / 2, seen_test = s->base.sizes[SP_TEST] - unseen_test;
    choices seen = {0}, unseen = {0};
    sp_status st = choose(t->wordnet, s->seen, s->seen_count,
                          s->base.sizes[SP_TRAIN] + s->base.sizes[SP_DEV] + seen_test, &rng, &seen);
    if (!st) st = choose(t->wordnet, s->unseen, s->unseen_count, unseen_test, &rng, &unseen);
    if (!st) {
        size_t train = (size_t)s->base.sizes[SP_TRAIN], dev = (size_t)s->base.sizes[SP_DEV];
        if (wanted[SP_TRAIN]) add_examples(t, &seen, 0, train, "seen", &splits[SP_TRAIN]);
        if (wanted[SP_DEV]) add_examples(t, &seen, train, dev, "seen", &splits[SP_DEV]);
        if (wanted[SP_TEST]) {
            sp_split *test = &splits[SP_TEST];
            add_examples(t, &seen, train + dev, (size_t)seen_test, "seen", test);
            add_examples(t, &unseen, 0, unseen.count, "unseen", test);
            sp_rng_shuffle(&rng, test->items, test->count, sizeof *test->items);
        }
    }
    free(seen.items), free(unseen.items);
    return st;
}

sp_status sp_load_records(const sp_card *card, const bool wanted[SP_SPLITS],
                          sp_split splits[SP_SPLITS], sp_tell_record *tell) {
    settings s;
    sp_status st = read_settings(card, &s);
    if (st) return st;
    sp_wordnet wordnet;
    if ((st = sp_wordnet_load(&wordnet))) return st;
    telling t = {card, &wordnet, tell, s.base.seed};
    st = generate(&t, &s, wanted, splits);
    sp_wordnet_free(&wordnet);
    return st;
}
