/* The tokens of a tokenizer, by id and by text: those of its model and the added ones. */
#ifndef SP_TEXT_VOCABULARY_H
#define SP_TEXT_VOCABULARY_H

#include "core/status.h"
#include "text/word_map.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct sp_token {
    char *text; /* as in the file, NULL for an id without a token */
    bool special;
} sp_token;

typedef struct sp_vocabulary {
    sp_token *tokens; /* by id */
    int size;         /* ids are below it */
    sp_word_map ids;  /* text -> id, of the model's tokens only */
} sp_vocabulary;

/* Room for twice `count` ids: ids may leave gaps, but not more of them than there are tokens. */
void sp_vocabulary_start(sp_vocabulary *vocabulary, size_t count);
void sp_vocabulary_free(sp_vocabulary *vocabulary);

/* Gives an id its token. SP_ERR_FORMAT if the id is out of range or another token's. */
sp_status sp_vocabulary_set(sp_vocabulary *vocabulary, const char *text, json_int_t id);
/* The same for a token of the model, which is then found by its text. */
sp_status sp_vocabulary_add(sp_vocabulary *vocabulary, const char *text, json_int_t id);
/* Adds all of a model's "vocab" object, {text: id}. SP_ERR_FORMAT. */
sp_status sp_vocabulary_read(sp_vocabulary *vocabulary, json_t *object);
/* Drops the ids behind the last token. SP_ERR_FORMAT if there is no token. */
sp_status sp_vocabulary_trim(sp_vocabulary *vocabulary);

/* The id of a token of the model, -1 if there is none; `text` need not end with NUL. */
int sp_vocabulary_find(const sp_vocabulary *vocabulary, const char *text, size_t len);
/* NULL for an id that has no token or is out of range. */
const sp_token *sp_vocabulary_token(const sp_vocabulary *vocabulary, int id);

#endif
