/* Reads the noun or the verb file of WordNet from front to back with parse_synset of libwordnet,
 * and marks nouns' first senses from the noun index. The library writes to buffers of its own and
 * trusts its files, so only the installed dictionary is ever given to it. */
#include "data/wordnet.h"

#include <stdlib.h>
#include <string.h>
#include <wn.h>

/* A pointer before its target's index is known. */
typedef struct raw_link {
    int noun;
    sp_relation relation;
    long offset;
    int pos, word;
} raw_link;

typedef struct raw_links {
    raw_link *data;
    size_t len, cap;
} raw_links;

enum { FIRST_NOUN_FILE = 3, LAST_NOUN_FILE = 28, NOUNS_OF_3_0 = 82115 };
enum { FIRST_VERB_FILE = 29, LAST_VERB_FILE = 43, VERBS_OF_3_0 = 13767 };

const char *sp_lexfile_name(int lexfile) {
    return lexfiles[lexfile] + strlen("noun."); /* as long as "verb." */
}

static int find_file(const char *name, int first, int last) {
    for (int i = first; i <= last; i++)
        if (strcmp(sp_lexfile_name(i), name) == 0) return i;
    return -1;
}

int sp_lexfile_find(const char *name) {
    return find_file(name, FIRST_NOUN_FILE, LAST_NOUN_FILE);
}

int sp_lexfile_find_verb(const char *name) {
    return find_file(name, FIRST_VERB_FILE, LAST_VERB_FILE);
}

static const char *keep(sp_arena *arena, const char *text) {
    size_t len = strlen(text);
    char *copy = sp_arena_alloc(arena, len + 1);
    memcpy(copy, text, len + 1);
    for (char *p = copy; *p; p++)
        if (*p == '_') *p = ' ';
    return copy;
}

/* The library puts the gloss in parentheses. */
static const char *keep_gloss(sp_arena *arena, const char *definition) {
    if (!definition) return "";
    return keep(arena, definition[0] == '(' ? definition + 1 : definition);
}

/* The relation of a pointer that leaves the first word of a noun synset, or SP_RELATIONS. */
static sp_relation relation_of(const Synset *synset, int pointer) {
    bool of_first_word = synset->pfrm[pointer] <= 1;
    switch (synset->ptrtyp[pointer]) {
    case HYPERPTR:
        return SP_KIND_OF;
    case HYPOPTR:
        return SP_HAS_KIND;
    case INSTANCE:
        return SP_INSTANCE_OF;
    case ISPARTPTR:
        return SP_PART_OF;
    case HASPARTPTR:
        return SP_HAS_PART;
    case HASSTUFFPTR:
        return SP_MADE_OF;
    case ISSTUFFPTR:
        return SP_INGREDIENT_OF;
    case ISMEMBERPTR:
        return SP_MEMBER_OF;
    case HASMEMBERPTR:
        return SP_HAS_MEMBER;
    case CLASSIF_CATEGORY:
        return SP_DOMAIN;
    case ANTPTR:
        return of_first_word ? SP_ANTONYM : SP_RELATIONS;
    case DERIVATION:
        if (!of_first_word || synset->ppos[pointer] == NOUN) return SP_RELATIONS;
        if (synset->ppos[pointer] == VERB) return SP_DERIVED_VERB;
        return synset->ppos[pointer] == ADJ ? SP_DERIVED_ADJECTIVE : SP_RELATIONS;
    default:
        return SP_RELATIONS;
    }
}

static void push_link(raw_links *links, raw_link link) {
    if (links->len == links->cap) {
        links->cap = links->cap ? links->cap * 2 : 4096;
        links->data = sp_realloc(links->data, links->cap, sizeof *links->data);
    }
    links->data[links->len++] = link;
}

static void add_noun(sp_wordnet *out, raw_links *links, const Synset *synset) {
    int index = out->count++;
    sp_noun *noun = &out->nouns[index];
    *noun = (sp_noun){.offset = synset->hereiam,
                      .lexfile = synset->fnum,
                      .gloss = keep_gloss(&out->arena, synset->defn),
                      .name_count = synset->wcount};
    noun->names = sp_arena_alloc(&out->arena, (size_t)synset->wcount * sizeof *noun->names);
    for (int i = 0; i < synset->wcount; i++) noun->names[i] = keep(&out->arena, synset->words[i]);
    for (int i = 0; i < synset->ptrcount; i++) {
        sp_relation relation = relation_of(synset, i);
        if (relation == SP_RELATIONS) continue;
        push_link(links,
                  (raw_link){index, relation, synset->ptroff[i], synset->ppos[i], synset->pto[i]});
    }
}

static void add_verb(sp_wordnet *out, raw_links *links, const Synset *synset) {
    (void)links;
    out->verbs[out->verb_count++] =
        (sp_verb){.lexfile = synset->fnum, .gloss = keep_gloss(&out->arena, synset->defn)};
}

/* A data file of the dictionary: its name, what is made of each synset, and how many 3.0 has. */
typedef struct data_file {
    const char *name;
    int pos, synsets;
    void (*add)(sp_wordnet *out, raw_links *links, const Synset *synset);
} data_file;

static const data_file noun_file = {"noun", NOUN, NOUNS_OF_3_0, add_noun};
static const data_file verb_file = {"verb", VERB, VERBS_OF_3_0, add_verb};

static sp_status read_file(const data_file *d, sp_wordnet *out, raw_links *links) {
    FILE *file = datafps[d->pos];
    rewind(file);
    for (int count = 0;; count++) {
        int c;
        while ((c = getc(file)) == ' ') /* a line of the licence at the file's head */
            while ((c = getc(file)) != EOF && c != '\n') continue;
        if (c == EOF && count == d->synsets) return SP_OK;
        if (c == EOF)
            return sp_fail(SP_ERR_FORMAT,
                           "WordNet's dictionary has %d %s synsets, not the %d of version 3.0; "
                           "install wordnet-base with `make deps`",
                           count, d->name, d->synsets);
        ungetc(c, file);
        char no_word[] = "";
        SynsetPtr synset = parse_synset(file, d->pos, no_word);
        if (!synset || count == d->synsets)
            return sp_fail(SP_ERR_FORMAT,
                           "WordNet's data.%s is damaged after synset %d; "
                           "install wordnet-base again with `make deps`",
                           d->name, count);
        d->add(out, links, synset);
        free_synset(synset);
    }
}

static int find_noun(const sp_wordnet *wordnet, long offset) {
    int low = 0, high = wordnet->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (wordnet->nouns[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < wordnet->count && wordnet->nouns[low].offset == offset ? low : -1;
}

/* The lemma that a lexical pointer leads to, or NULL. Adjectives lose a marker like "(p)". */
static const char *read_word(sp_arena *arena, const raw_link *link) {
    char no_word[] = "";
    SynsetPtr synset = read_synset(link->pos, link->offset, no_word);
    if (!synset) return NULL;
    const char *word = NULL;
    if (link->word >= 1 && link->word <= synset->wcount) {
        char *text =
            sp_strndup(synset->words[link->word - 1], strcspn(synset->words[link->word - 1], "("));
        word = keep(arena, text);
        free(text);
    }
    free_synset(synset);
    return word;
}

static void resolve_link(sp_wordnet *out, const raw_link *raw) {
    sp_noun *noun = &out->nouns[raw->noun];
    sp_link link = {.relation = raw->relation, .target = -1};
    if (raw->pos == NOUN) {
        link.target = find_noun(out, raw->offset);
        if (link.target < 0) return;
        const sp_noun *target = &out->nouns[link.target];
        if (raw->relation == SP_ANTONYM && raw->word >= 1 && raw->word <= target->name_count)
            link.word = target->names[raw->word - 1];
    } else {
        link.word = read_word(&out->arena, raw);
        if (!link.word) return;
    }
    noun->links[noun->link_count++] = link;
}

/* parse_synset looks up every word's sense number in the index, some twenty seeks a word; where the
 * index is closed it skips that, which makes loading eight times as fast. */
static void hide_indexes(FILE *kept[NUMPARTS + 1]) {
    memcpy(kept, indexfps, sizeof indexfps);
    memset(indexfps, 0, sizeof indexfps);
}

/* `raw` lists the pointers synset by synset; other names are added behind each synset's own. */
static void resolve_links(sp_wordnet *out, const raw_links *raw) {
    size_t next = 0;
    for (int i = 0; i < out->count; i++) {
        sp_noun *noun = &out->nouns[i];
        size_t end = next;
        while (end < raw->len && raw->data[end].noun == i) end++;
        size_t room = end - next + (size_t)noun->name_count;
        noun->links = sp_arena_alloc(&out->arena, room * sizeof *noun->links);
        for (; next < end; next++) resolve_link(out, &raw->data[next]);
        for (int k = 1; k < noun->name_count; k++)
            noun->links[noun->link_count++] =
                (sp_link){.relation = SP_ALSO_CALLED, .target = -1, .word = noun->names[k]};
    }
}

/* Lines of index.noun: lemma pos synsets n pointers... senses tagged offset..., the commonest sense
 * first. */
static void mark_first_senses(sp_wordnet *out) {
    FILE *file = indexfps[NOUN];
    rewind(file);
    char *line = NULL;
    size_t cap = 0;
    long start = 0;
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0; start += len) {
        if (line[0] == ' ' || len >= LINEBUF) continue;
        IndexPtr entry = parse_index(start, NOUN, line);
        if (!entry) continue;
        int index = entry->off_cnt > 0 ? find_noun(out, (long)entry->offset[0]) : -1;
        if (index >= 0) {
            char *lemma = sp_strdup(out->nouns[index].names[0]);
            ToLowerCase(strsubst(lemma, ' ', '_'));
            if (strcmp(lemma, entry->wd) == 0) {
                out->nouns[index].first_sense = true;
                out->nouns[index].common = entry->tagged_cnt > 0;
            }
            free(lemma);
        }
        free_index(entry);
    }
    free(line);
}

static sp_status open_dictionary(void) {
    if (!OpenDB) wninit();
    if (OpenDB && datafps[NOUN] && indexfps[NOUN] && datafps[VERB] && datafps[ADJ]) return SP_OK;
    return sp_fail(SP_ERR_MISSING, "WordNet's dictionary is not installed; install wordnet-base "
                                   "with `make deps`");
}

sp_status sp_wordnet_load(sp_wordnet *out) {
    *out = (sp_wordnet){0};
    sp_status st = open_dictionary();
    if (st) return st;
    out->nouns = sp_alloc(NOUNS_OF_3_0, sizeof *out->nouns);
    raw_links links = {0};
    FILE *indexes[NUMPARTS + 1];
    hide_indexes(indexes);
    st = read_file(&noun_file, out, &links);
    if (!st) resolve_links(out, &links);
    memcpy(indexfps, indexes, sizeof indexfps);
    if (!st) mark_first_senses(out);
    free(links.data);
    if (st) sp_wordnet_free(out);
    return st;
}

sp_status sp_wordnet_load_verbs(sp_wordnet *out) {
    *out = (sp_wordnet){0};
    sp_status st = open_dictionary();
    if (st) return st;
    out->verbs = sp_alloc(VERBS_OF_3_0, sizeof *out->verbs);
    FILE *indexes[NUMPARTS + 1];
    hide_indexes(indexes);
    st = read_file(&verb_file, out, NULL);
    memcpy(indexfps, indexes, sizeof indexfps);
    if (st) sp_wordnet_free(out);
    return st;
}

void sp_wordnet_free(sp_wordnet *wordnet) {
    free(wordnet->nouns), free(wordnet->verbs);
    sp_arena_free(&wordnet->arena);
    *wordnet = (sp_wordnet){0};
}
