/* Added tokens: recognised in the text before it is cut, the leftmost first and of those the
 * longest. A token is looked for in the text as it is, or in its normal form. */
#ifndef SP_TEXT_ADDED_TOKENS_H
#define SP_TEXT_ADDED_TOKENS_H

#include "text/normalizer.h"
#include "text/trie.h"
#include "text/vocabulary.h"

typedef struct sp_added_token {
    char *text;
    int id;
    bool single_word;             /* not next to a word character */
    bool strip_left, strip_right; /* takes the white space beside it with it */
    bool normalized, special;
} sp_added_token;

typedef struct sp_added_tokens {
    sp_added_token *tokens;
    size_t count;
    sp_trie plain, normal; /* of indexes into tokens */
} sp_added_tokens;

/* Reads a file's "added_tokens" and gives their ids their texts. The normalizer (or NULL) makes the
 * form of those that are looked for in normal text. Starts from {0}. SP_ERR_FORMAT. */
sp_status sp_added_tokens_read(sp_added_tokens *added, const json_t *entries,
                               const sp_normalizer *normalizer, sp_vocabulary *vocabulary);
void sp_added_tokens_free(sp_added_tokens *added);

/* The id of an added token, -1 if there is no such. */
int sp_added_token_id(const sp_added_tokens *added, const char *text);

/* A place where a token was found; [start, end) has the white space it takes. */
typedef struct sp_added_match {
    size_t start, end, next; /* next: where to look on */
    int id;
} sp_added_match;

/* The first token of `trie` at or behind `from`; what is before `done` is used up. False if there
 * is none. */
bool sp_added_tokens_find(const sp_added_tokens *added, const sp_trie *trie, const char *text,
                          size_t len, size_t from, size_t done, sp_added_match *out);

#endif
