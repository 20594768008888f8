/* Which nouns make good subjects of wntriples records, and which of their facts can be told. */
#ifndef SP_DATA_FACTS_H
#define SP_DATA_FACTS_H

#include "data/realise.h"
#include "data/wordnet.h"

enum { SP_MAX_CANDIDATES = 16 };

/* The facts that a record about the noun may hold; texts live in `wordnet`. count is 0 if the noun
 * is no fit subject: its name is long, rare, a plural, a taxon or a term of abuse. */
typedef struct sp_candidates {
    sp_fact facts[SP_MAX_CANDIDATES];
    int count;
} sp_candidates;

sp_candidates sp_collect_facts(const sp_wordnet *wordnet, int index);

#endif
