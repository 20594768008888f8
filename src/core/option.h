/* Option tables: a named setting is stated once, and the table drives defaults, parsing, range
 * checks, the nearest-key hint, `--help` and the docs. */
#ifndef SP_CORE_OPTION_H
#define SP_CORE_OPTION_H

#include "core/memory.h"
#include "core/status.h"

#include <stddef.h>

typedef enum sp_option_type {
    SP_INT,    /* int field; min and max */
    SP_REAL,   /* double field; min and max */
    SP_BOOL,   /* bool field; true or false */
    SP_CHOICE, /* char[SP_OPTION_TEXT] field; one of `choices`, separated by '|' */
    SP_TEXT    /* char[SP_OPTION_TEXT] field; any text that fits */
} sp_option_type;

enum { SP_OPTION_TEXT = 128 };

typedef struct sp_option {
    const char *name;
    sp_option_type type;
    size_t offset;        /* of the field in the settings struct */
    const char *fallback; /* the default, written as in YAML */
    double min, max;      /* numbers only, inclusive */
    const char *choices;  /* SP_CHOICE only */
    const char *help;     /* one line */
} sp_option;

/* Tables end with an entry whose name is NULL. Fills every field of `settings` with its default. */
void sp_options_default(const sp_option *table, void *settings);

/* Sets one field from its YAML text. SP_ERR_SPEC with "name is VALUE; use ..." for an unknown name
 * (with the nearest known one), a wrong type, a value out of range. */
sp_status sp_options_set(const sp_option *table, void *settings, const char *name,
                         const char *value);

/* NULL if the table has no such name. */
const sp_option *sp_options_find(const sp_option *table, const char *name);

/* The field's value as YAML text, owned by the caller; parsing it gives the same value. */
char *sp_options_get(const sp_option *option, const void *settings);

/* The entry of `names` (NULL-terminated) with the smallest edit distance to `word`, or NULL if none
 * is near. */
const char *sp_nearest_word(const char *word, const char *const *names);
/* "; did you mean 'x'?" for the end of a message, or "" if nothing is near. Valid until the next
 * call of this thread. */
const char *sp_did_you_mean(const char *word, const char *const *names);

#endif
