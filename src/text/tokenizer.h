/* Byte-level BPE tokenizers in the Hugging Face format (tokenizer.json): GPT-2, RoBERTa, Qwen,
 * SmolLM and the embedded models. The same ids as the `tokenizers` library. */
#ifndef SP_TEXT_TOKENIZER_H
#define SP_TEXT_TOKENIZER_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>

typedef struct sp_tokenizer sp_tokenizer;

/* Reads a tokenizer.json: model BPE; pre-tokenizer ByteLevel, or a Sequence of Split (by regular
 * expression, isolated), Digits and ByteLevel; normalizer none or NFC. SP_ERR_MISSING;
 * SP_ERR_FORMAT with file and reason. Release with sp_tokenizer_free (NULL is allowed). */
sp_status sp_tokenizer_load(const char *path, sp_tokenizer **out);
/* The tokenizer of a model, from the first of these that is there: the metadata of a .gguf file; in
 * a folder tokenizer.json, vocab.json with merges.txt, vocab.txt (with what tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json say). SP_ERR_MISSING; SP_ERR_FORMAT. */
sp_status sp_tokenizer_open(const char *path, sp_tokenizer **out);
/* The same from the text of such a file; `name` is used in messages. */
sp_status sp_tokenizer_parse(const char *text, size_t len, const char *name, sp_tokenizer **out);
void sp_tokenizer_free(sp_tokenizer *tokenizer);

/* Appends the ids of `len` bytes. Special and other added tokens are recognised in the text, the
 * leftmost first and of those the longest. Nothing is put at the ends (no BOS or EOS). Text that is
 * not UTF-8 is encoded all the same: each run of invalid bytes is a word of its own, spelt with the
 * byte tokens, and decoding gives the bytes back. Threads may share a tokenizer. SP_ERR_FORMAT only
 * if a split pattern of the file needs too much work. */
sp_status sp_tokenizer_encode(const sp_tokenizer *tokenizer, const char *text, size_t len,
                              sp_ints *out);

/* Appends the bytes of the ids; ids outside the vocabulary stand for nothing. */
void sp_tokenizer_decode(const sp_tokenizer *tokenizer, const int *ids, size_t count,
                         bool skip_special, sp_buf *out);

/* The ids as a text for people: without special tokens and white space at its ends, U+FFFD where
 * the bytes are not UTF-8 (a token can be part of a character). Owned by the caller. */
char *sp_tokenizer_text(const sp_tokenizer *tokenizer, const sp_ints *ids);

/* Number of ids: the largest id + 1. */
int sp_tokenizer_size(const sp_tokenizer *tokenizer);
/* -1 if there is no such token; `token` as in the file (byte-level symbols). */
int sp_tokenizer_id(const sp_tokenizer *tokenizer, const char *token);
/* The token as in the file; "" for an id without one. */
const char *sp_tokenizer_token(const sp_tokenizer *tokenizer, int id);
bool sp_tokenizer_is_special(const sp_tokenizer *tokenizer, int id);

/* Writes the tokenizer.json it was made from. SP_ERR_IO. */
sp_status sp_tokenizer_save(const sp_tokenizer *tokenizer, const char *path);

#endif
