/* WordNet 3.0's nouns, or the glosses of its verbs, in memory, read through its C library from the
 * installed dictionary (package wordnet-base, or WNSEARCHDIR). The library keeps global state: load
 * from one thread at a time. */
#ifndef SP_DATA_WORDNET_H
#define SP_DATA_WORDNET_H

#include "core/memory.h"
#include "core/status.h"
#include "data/relation.h"

#include <stdbool.h>

/* One pointer of a synset: to another noun synset (word is NULL; use its first name), or to a word
 * (target is -1): antonym, derived form, other name. */
typedef struct sp_link {
    sp_relation relation;
    int target;
    const char *word;
} sp_link;

/* A noun synset. Names have spaces for underscores and keep their capitals. */
typedef struct sp_noun {
    long offset;
    int lexfile;      /* lexicographer file: 3 noun.Tops ... 28 noun.time */
    bool first_sense; /* this is the first, commonest sense of names[0] */
    bool common;      /* names[0] occurs in the texts that WordNet counted senses in */
    const char *gloss;
    const char **names;
    int name_count;
    sp_link *links;
    int link_count;
} sp_noun;

/* A verb synset, as far as it is used. */
typedef struct sp_verb {
    int lexfile; /* 29 verb.body ... 43 verb.weather */
    const char *gloss;
} sp_verb;

/* All synsets of a part of speech by rising offset. Start from {0}. */
typedef struct sp_wordnet {
    sp_arena arena;
    sp_noun *nouns;
    int count;
    sp_verb *verbs;
    int verb_count;
} sp_wordnet;

/* SP_ERR_MISSING if the dictionary is not installed, SP_ERR_FORMAT if it is damaged or another
 * version: the same seed must give the same records everywhere. */
sp_status sp_wordnet_load(sp_wordnet *out);
/* The same for the verbs only. */
sp_status sp_wordnet_load_verbs(sp_wordnet *out);
void sp_wordnet_free(sp_wordnet *wordnet);

/* "animal" for noun.animal, and back (-1 if there is no such file of nouns, or of verbs). */
const char *sp_lexfile_name(int lexfile);
int sp_lexfile_find(const char *name);
int sp_lexfile_find_verb(const char *name);

#endif
