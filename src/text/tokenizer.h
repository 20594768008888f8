/* Tokenizers in the Hugging Face format (tokenizer.json), with the ids of the `tokenizers` library.
 */
#ifndef SP_TEXT_TOKENIZER_H
#define SP_TEXT_TOKENIZER_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>

typedef struct sp_tokenizer sp_tokenizer;

/* Reads a tokenizer.json (docs/formats.md says which). SP_ERR_MISSING; SP_ERR_FORMAT with file and
 * reason. Release with sp_tokenizer_free (NULL is allowed). */
sp_status sp_tokenizer_load(const char *path, sp_tokenizer **out);
/* The same from the text of such a file; `name` is used in messages. */
sp_status sp_tokenizer_parse(const char *text, size_t len, const char *name, sp_tokenizer **out);
void sp_tokenizer_free(sp_tokenizer *tokenizer);

/* Appends the ids of `len` bytes. Special and other added tokens are recognised in the text, the
 * leftmost first and of those the longest. Nothing is put at the ends (no BOS or EOS). Text that is
 * not UTF-8 is encoded all the same: with a ByteLevel tokenizer each run of invalid bytes is a word
 * of its own, spelt with the byte tokens, and decoding gives the bytes back; others make unknown
 * tokens of it. Threads may share a tokenizer. SP_ERR_FORMAT only if a stage of the file needs too
 * much work or makes too much of the text. */
sp_status sp_tokenizer_encode(const sp_tokenizer *tokenizer, const char *text, size_t len,
                              sp_ints *out);

/* The same with what the file's post-processor puts around one text or two (b is NULL for one):
 * [CLS], [SEP], BOS. Appends as many token types as ids, unless `types` is NULL. */
sp_status sp_tokenizer_encode_pair(const sp_tokenizer *tokenizer, const char *a, size_t a_len,
                                   const char *b, size_t b_len, sp_ints *ids, sp_ints *types);

/* Appends the text of the ids, as the file's decoder makes it; ids outside the vocabulary stand for
 * nothing. A ByteLevel decoder gives the bytes, which need not be UTF-8. */
void sp_tokenizer_decode(const sp_tokenizer *tokenizer, const int *ids, size_t count,
                         bool skip_special, sp_buf *out);

/* The ids as a text for people: without special tokens and white space at its ends, U+FFFD where
 * the bytes are not UTF-8 (a token can be part of a character). Owned by the caller. */
char *sp_tokenizer_text(const sp_tokenizer *tokenizer, const sp_ints *ids);

/* Number of ids: the largest id + 1. */
int sp_tokenizer_size(const sp_tokenizer *tokenizer);
/* -1 if there is no such token; `token` as in the file (byte-level symbols). */
int sp_tokenizer_id(const sp_tokenizer *tokenizer, const char *token);
/* The id of [MASK] or <mask>, -1 if there is none. */
int sp_tokenizer_mask(const sp_tokenizer *tokenizer);
/* The token as in the file; "" for an id without one. */
const char *sp_tokenizer_token(const sp_tokenizer *tokenizer, int id);
bool sp_tokenizer_is_special(const sp_tokenizer *tokenizer, int id);

/* Writes the tokenizer.json it was made from. SP_ERR_IO. */
sp_status sp_tokenizer_save(const sp_tokenizer *tokenizer, const char *path);

#endif
