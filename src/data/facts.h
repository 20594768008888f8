/* Which nouns make good subjects, and which of their facts a record of wntriples can tell. */
#ifndef SP_DATA_FACTS_H
#define SP_DATA_FACTS_H

#include "data/realise.h"
#include "data/wordnet.h"

/* False if the noun's first name is long, rare, a plural or Latin, or the noun a taxon or a term of
 * abuse. */
bool sp_is_fit_subject(const sp_noun *noun);
/* Genera, families and other ranks of animals and plants. */
bool sp_is_taxon(const sp_noun *noun);
/* Whether a gloss explains a term of abuse. */
bool sp_is_abusive(const char *gloss);

enum { SP_MAX_CANDIDATES = 16 };

/* The facts that a record about the noun may hold; texts live in `wordnet`. count is 0 if the noun
 * is no fit subject. */
typedef struct sp_candidates {
    sp_fact facts[SP_MAX_CANDIDATES];
    int count;
} sp_candidates;

sp_candidates sp_collect_facts(const sp_wordnet *wordnet, int index);

#endif
