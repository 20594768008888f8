/* Names of relations and the linearised form of a record. */
#include "data/relation.h"

static const char *const names[SP_RELATIONS] = {
    [SP_KIND_OF] = "kind of",
    [SP_HAS_KIND] = "has kind",
    [SP_INSTANCE_OF] = "instance of",
    [SP_PART_OF] = "part of",
    [SP_HAS_PART] = "has part",
    [SP_MADE_OF] = "made of",
    [SP_INGREDIENT_OF] = "ingredient of",
    [SP_MEMBER_OF] = "member of",
    [SP_HAS_MEMBER] = "has member",
    [SP_DOMAIN] = "domain",
    [SP_ANTONYM] = "antonym",
    [SP_DERIVED_VERB] = "derived verb",
    [SP_DERIVED_ADJECTIVE] = "derived adjective",
    [SP_ALSO_CALLED] = "also called",
};

const char *sp_relation_name(sp_relation relation) {
    return names[relation];
}

void sp_linearise(sp_buf *out, const char *subject, const char *relation, const char *object) {
    sp_buf_printf(out, "%s| %s : %s : %s", out->len ? " " : "", subject, relation, object);
}
