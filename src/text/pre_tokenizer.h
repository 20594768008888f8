/* Pre-tokenizers of a tokenizer.json: a normal text -> pieces, of which the model makes ids. */
#ifndef SP_TEXT_PRE_TOKENIZER_H
#define SP_TEXT_PRE_TOKENIZER_H

#include "core/status.h"
#include "text/spans.h"

#include <jansson.h>

typedef struct sp_pre_tokenizer sp_pre_tokenizer;

/* Reads a "pre_tokenizer" part: ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit,
 * CharDelimiterSplit, BertPreTokenizer, Metaspace, or a Sequence of them; null and missing are an
 * empty Sequence, with which a text is one piece. Release with sp_pre_tokenizer_free (NULL is
 * allowed). SP_ERR_FORMAT. */
sp_status sp_pre_tokenizer_read(const json_t *part, sp_pre_tokenizer **out);
void sp_pre_tokenizer_free(sp_pre_tokenizer *pre_tokenizer);

/* Whether the pieces are byte-level symbols (text/alphabet.h): the last stage is ByteLevel. They
 * are then given as the bytes that the symbols stand for. */
bool sp_pre_tokenizer_gives_bytes(const sp_pre_tokenizer *pre_tokenizer);

/* Working memory of one caller; starts as {0}. */
typedef struct sp_pre_tokenizer_scratch {
    sp_pieces other;
    sp_spans cuts;
} sp_pre_tokenizer_scratch;
void sp_pre_tokenizer_scratch_free(sp_pre_tokenizer_scratch *scratch);

/* Replaces `out` by the pieces of `len` bytes, none of which is empty; at_start says whether the
 * text stands at the start of what is encoded. Threads may share a pre-tokenizer. SP_ERR_FORMAT if
 * an expression needs too much work on this text. */
sp_status sp_pre_tokenize(const sp_pre_tokenizer *pre_tokenizer, const char *text, size_t len,
                          bool at_start, sp_pre_tokenizer_scratch *scratch, sp_pieces *out);

#endif
