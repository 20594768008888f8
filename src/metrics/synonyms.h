/* Synonyms from WordNet's dictionary (package wordnet-base), as nltk's reader finds them. */
#ifndef SP_METRICS_SYNONYMS_H
#define SP_METRICS_SYNONYMS_H

#include "core/status.h"

#include <stddef.h>

/* Maps the dictionary's files from $WNSEARCHDIR, $WNHOME/dict or the folder of the Debian package,
 * as libwordnet does; once for the process, from any thread. SP_ERR_MISSING if one is not there. */
sp_status sp_synonyms_load(void);

typedef void sp_use_synonym(void *user, const char *word, size_t len);

/* Calls `use` for the single words of every synset that a lower-case word, or a base form of it
 * (morphy(7WN)), is in; some of them more than once, the word itself among them. The words keep
 * their capitals. Only after sp_synonyms_load; safe to call from several threads. */
void sp_find_synonyms(const char *word, size_t len, sp_use_synonym *use, void *user);

#endif
