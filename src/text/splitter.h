/* Cuts text into words before byte-pair encoding: regular expressions applied one after the other,
 * each to the pieces of the one before (what a tokenizer.json calls a pre-tokenizer). */
#ifndef SP_TEXT_SPLITTER_H
#define SP_TEXT_SPLITTER_H

#include "core/status.h"

#include <stddef.h>

/* GPT-2's pattern; \s is spelt out as Unicode's White_Space, which PCRE2's own \s is not quite. */
extern const char sp_gpt2_pattern[];

typedef struct sp_splitter sp_splitter;
typedef void (*sp_use_word)(void *context, const char *word, size_t len);

/* No patterns yet: a text is one word. Release with sp_splitter_free. */
sp_splitter *sp_splitter_new(void);
void sp_splitter_free(sp_splitter *splitter);

/* Adds a pattern (PCRE2 syntax, UTF-8, Unicode properties). SP_ERR_FORMAT with PCRE2's reason. */
sp_status sp_splitter_add(sp_splitter *splitter, const char *pattern);

/* Calls `use` for every word of the text, in order; the words together are the text. Matches and
 * what lies between them are words. Invalid UTF-8 is allowed: a run of bytes that is not UTF-8 is
 * never part of a match, so it becomes a word. May be called by several threads at once.
 * SP_ERR_FORMAT if a pattern needs too much work or memory on this text. */
sp_status sp_split_words(const sp_splitter *splitter, const char *text, size_t len, sp_use_word use,
                         void *context);

#endif
