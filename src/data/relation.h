/* The relations of wntriples records and the names they carry in the input text. */
#ifndef SP_DATA_RELATION_H
#define SP_DATA_RELATION_H

#include "core/memory.h"

typedef enum sp_relation {
    SP_KIND_OF,
    SP_HAS_KIND,
    SP_INSTANCE_OF,
    SP_PART_OF,
    SP_HAS_PART,
    SP_MADE_OF,
    SP_INGREDIENT_OF,
    SP_MEMBER_OF,
    SP_HAS_MEMBER,
    SP_DOMAIN,
    SP_ANTONYM,
    SP_DERIVED_VERB,
    SP_DERIVED_ADJECTIVE,
    SP_ALSO_CALLED,
    SP_RELATIONS
} sp_relation;

/* "kind of", "part of", ...; static. */
const char *sp_relation_name(sp_relation relation);

/* Appends one fact to a linearised record, "| subject : relation : object" with one space between
 * facts: the form of the Prefix-Tuning code for WebNLG (Li & Liang 2021), without its leading and
 * trailing blanks. */
void sp_linearise(sp_buf *out, const char *subject, const char *relation, const char *object);

#endif
