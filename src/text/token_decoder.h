/* Decoders of a tokenizer.json: tokens -> text. */
#ifndef SP_TEXT_TOKEN_DECODER_H
#define SP_TEXT_TOKEN_DECODER_H

#include "core/status.h"
#include "text/spans.h"

#include <jansson.h>

typedef struct sp_token_decoder sp_token_decoder;

/* Reads a "decoder" part: ByteLevel, WordPiece, Metaspace, BPEDecoder, Replace, Strip, Fuse,
 * ByteFallback, or a Sequence of them. Null and missing put a space between tokens. Release with
 * sp_token_decoder_free (NULL is allowed). SP_ERR_FORMAT. */
sp_status sp_token_decoder_read(const json_t *part, sp_token_decoder **out);
void sp_token_decoder_free(sp_token_decoder *decoder);

/* Replaces the tokens, the pieces of their text, by pieces that make the decoded text one behind
 * the other. A ByteLevel decoder gives the bytes, be they UTF-8 or not. A stage that gives up on a
 * text leaves it as it is. */
void sp_token_decode(const sp_token_decoder *decoder, sp_pieces *tokens);

#endif
