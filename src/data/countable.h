/* Which article a WordNet noun takes. WordNet does not say whether a noun can be counted; this
 * guesses from its ancestors, the wording of its gloss and its ending. */
#ifndef SP_DATA_COUNTABLE_H
#define SP_DATA_COUNTABLE_H

#include "data/english.h"
#include "data/wordnet.h"

/* The article of `name`, one of the names of noun `index`. */
sp_article sp_article_of(const sp_wordnet *wordnet, int index, const char *name);

#endif
