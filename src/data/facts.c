/* Filters over WordNet: short plain names in their commonest sense, no Latin taxonomy, no abuse. */
#include "data/facts.h"

#include "data/countable.h"

#include <ctype.h>
#include <string.h>

enum { MAX_LETTERS = 22, MAX_WORDS = 3, MAX_PER_RELATION = 3 };

static bool is_plain(const char *name) {
    int words = 1;
    for (const char *p = name; *p; p++) {
        if (*p == ' ') words++;
        if (!isalpha((unsigned char)*p) && !strchr(" -'", *p)) return false;
    }
    size_t length = strlen(name);
    return length >= 2 && length <= MAX_LETTERS && words <= MAX_WORDS;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_taxon_name(const char *name) {
    static const char *const ranks[] = {
        "genus ",      "family ",      "order ",      "class ",       "phylum ",
        "suborder ",   "subfamily ",   "tribe ",      "subclass ",    "kingdom ",
        "division ",   "superfamily ", "superclass ", "variety ",     "subphylum ",
        "subkingdom ", "infraorder ",  "superorder ", "subdivision ", "subgenus "};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (starts_with(name, ranks[i])) return true;
    return false;
}

bool sp_is_taxon(const sp_noun *noun) {
    for (int i = 0; i < noun->name_count; i++)
        if (is_taxon_name(noun->names[i])) return true;
    return false;
}

bool sp_is_abusive(const char *gloss) {
    static const char *const marks[] = {"offensive", "slur",   "obscene",   "vulgar",   "disparag",
                                        "derogat",   "insult", "contempt",  "sexual",   "genital",
                                        "ethnic",    "taboo",  "pejorativ", "prostitut"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(gloss, marks[i])) return true;
    return false;
}

/* "backup" and "back-up" are one name, and so are spellings with s and z. */
static int fold(char c) {
    int low = tolower((unsigned char)c);
    return low == 'z' ? 's' : low;
}

static bool same_letters(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a && !isalpha((unsigned char)*a)) a++;
        while (*b && !isalpha((unsigned char)*b)) b++;
        if (fold(*a) != fold(*b)) return false;
        if (!*a) return true;
    }
}

static bool is_living(const sp_noun *noun) {
    const char *category = sp_lexfile_name(noun->lexfile);
    return strcmp(category, "animal") == 0 || strcmp(category, "plant") == 0;
}

/* "Helix hortensis", "bursa omentalis". */
static bool is_latin(const sp_noun *owner, const char *name) {
    static const char *const endings[] = {"us", "is", "a", "um", "ii", "ae", "ens", "ans", "es"};
    const char *category = sp_lexfile_name(owner->lexfile);
    bool body = strcmp(category, "body") == 0;
    if (!strchr(name, ' ') || !(body || is_living(owner))) return false;
    if (!body && !isupper((unsigned char)name[0])) return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (sp_ends_with(name, endings[i])) return true;
    return false;
}

/* Plurals take no indefinite article: "has part scissors". */
static sp_article settle(sp_article article, const char *name) {
    if (!sp_is_plural(name)) return article;
    return article == SP_THE ? SP_THE : SP_NAME;
}

/* The object of a link as a term; false if it is no fit object. */
static bool make_object(const sp_wordnet *wordnet, int index, const sp_link *link, sp_term *out) {
    const sp_noun *noun = &wordnet->nouns[index];
    int owner = link->target >= 0 ? link->target : index;
    const sp_noun *target = &wordnet->nouns[owner];
    const char *word = link->word ? link->word : target->names[0];
    if (!is_plain(word) || is_taxon_name(word) || same_letters(word, noun->names[0])) return false;
    if (link->target >= 0 && (sp_is_taxon(target) || sp_is_abusive(target->gloss))) return false;
    if (link->relation == SP_ALSO_CALLED && is_living(noun) && isupper((unsigned char)word[0]))
        return false; /* mostly the Latin name */
    if (is_latin(target, word)) return false;
    if (link->relation == SP_HAS_KIND && !target->first_sense) return false;
    if (link->relation == SP_MEMBER_OF && strcmp(sp_lexfile_name(target->lexfile), "location") == 0)
        return false; /* peoples as "members" of countries */
    bool derived = link->relation == SP_DERIVED_VERB || link->relation == SP_DERIVED_ADJECTIVE;
    sp_article article = derived                            ? SP_NAME
                         : link->relation == SP_INSTANCE_OF ? SP_COUNT
                                                            : sp_article_of(wordnet, owner, word);
    article = settle(article, word);
    *out = (sp_term){word, article};
    return true;
}

static int room_for(sp_relation relation) {
    switch (relation) {
    case SP_DERIVED_VERB:
    case SP_DERIVED_ADJECTIVE:
    case SP_ANTONYM:
    case SP_DOMAIN:
    case SP_ALSO_CALLED:
        return 1;
    case SP_HAS_KIND:
    case SP_KIND_OF:
        return 2;
    default:
        return MAX_PER_RELATION;
    }
}

static bool is_new(const sp_candidates *known, const sp_fact *fact) {
    int same_relation = 0;
    for (int i = 0; i < known->count; i++) {
        same_relation += known->facts[i].relation == fact->relation;
        if (same_letters(known->facts[i].object.text, fact->object.text)) return false;
    }
    return same_relation < room_for(fact->relation);
}

bool sp_is_fit_subject(const sp_noun *noun) {
    return noun->first_sense && is_plain(noun->names[0]) && !sp_is_plural(noun->names[0]) &&
           !sp_is_taxon(noun) && !sp_is_abusive(noun->gloss) && !is_latin(noun, noun->names[0]);
}

sp_candidates sp_collect_facts(const sp_wordnet *wordnet, int index) {
    const sp_noun *noun = &wordnet->nouns[index];
    sp_candidates found = {0};
    if (!sp_is_fit_subject(noun)) return found;
    for (int i = 0; i < noun->link_count && found.count < SP_MAX_CANDIDATES; i++) {
        sp_fact fact = {.relation = noun->links[i].relation};
        if (make_object(wordnet, index, &noun->links[i], &fact.object) && is_new(&found, &fact))
            found.facts[found.count++] = fact;
    }
    return found;
}
