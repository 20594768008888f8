/* WordNet's glosses: "(chemistry) a solid ...; another wording; "an example of use"". */
#ifndef SP_DATA_GLOSS_H
#define SP_DATA_GLOSS_H

#include <stdbool.h>

/* The definition alone: without examples, the field in parentheses before it, and blanks at the
 * ends. NULL if what is left still holds quotation marks or a digit, is empty, or has unpaired
 * parentheses. The caller's. */
char *sp_gloss_definition(const char *gloss);

/* Number of words, separated by blanks. */
int sp_count_words(const char *text);

/* True if `word` stands in the text, capitals alike, as it is or in an obvious inflection: plural,
 * possessive, -ed, -ing. Words are runs of letters, so "food-borne" holds food. */
bool sp_text_has_word(const char *text, const char *word);

#endif
