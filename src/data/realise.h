/* Sentences for a record: a small generation grammar with several verbs per relation, clause
 * orders, aggregation, relative clauses, pronouns and plural subjects. */
#ifndef SP_DATA_REALISE_H
#define SP_DATA_REALISE_H

#include "core/random.h"
#include "data/english.h"
#include "data/relation.h"

/* A noun (or, for derived forms and other names, any word) and its article. */
typedef struct sp_term {
    const char *text;
    sp_article article;
} sp_term;

typedef struct sp_fact {
    sp_relation relation;
    sp_term object;
} sp_fact;

enum { SP_MAX_FACTS = 5 };

typedef struct sp_record {
    sp_term subject;
    bool person; /* "who", "this person" */
    sp_fact facts[SP_MAX_FACTS];
    int count;
} sp_record;

/* Appends up to `wanted` (at least 2 for any record) texts that differ. Each names the subject
 * first and tells every fact once. A pure function of the record and the generator's state. */
void sp_realise(const sp_record *record, sp_rng *rng, int wanted, sp_strings *out);

/* Marks around what a text says of a record: SP_MARK_BEGIN, a byte SP_MARK_RELATION + relation of
 * the fact (SP_RELATIONS: the subject), the noun without its article, SP_MARK_END. No noun holds
 * them. */
enum { SP_MARK_BEGIN = 1, SP_MARK_END = 2, SP_MARK_RELATION = 'A' };

/* The same texts with the subject, wherever it is named, and all objects marked. */
void sp_realise_marked(const sp_record *record, sp_rng *rng, int wanted, sp_strings *out);

/* The record in the linearised form of data/relation.h; the caller's. */
char *sp_record_input(const sp_record *record);

#endif
