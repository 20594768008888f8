/* English noun phrases: articles by sound, plurals, lists. Texts are ASCII or UTF-8 without case
 * rules beyond ASCII. Every returned string is the caller's. */
#ifndef SP_DATA_ENGLISH_H
#define SP_DATA_ENGLISH_H

#include "core/memory.h"

#include <stdbool.h>

/* How a noun takes its article. */
typedef enum sp_article {
    SP_COUNT, /* a sparrow, an hour; has a plural */
    SP_MASS,  /* snow */
    SP_NAME,  /* Paris */
    SP_THE    /* the Rhine */
} sp_article;

/* "a" or "an", by the sound the phrase begins with: "an hour", "a unit", "an X-ray"; static. */
const char *sp_indefinite(const char *phrase);

/* With its article: "an hour", "snow", "Paris", "the Rhine". */
char *sp_with_article(const char *noun, sp_article article);

/* The plural of a noun or compound; the head is what changes: "parts of speech", "fathers-in-law",
 * "wolves", "snowmen". */
char *sp_plural(const char *noun);

/* True for words that look like plurals: scissors, Alps, mathematics is not one. */
bool sp_is_plural(const char *noun);

/* "a", "a and b", "a, b and c". */
char *sp_join_list(const sp_strings *items);

/* The last word of a phrase: a pointer into it. */
const char *sp_last_word(const char *phrase);

/* True if `word` ends with `ending`, capitals alike. */
bool sp_ends_with(const char *word, const char *ending);

/* True if `word` equals an entry of the NULL-terminated list. */
bool sp_in_list(const char *word, const char *const *list);

#endif
