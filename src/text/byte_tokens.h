/* The tokens <0x00> to <0xFF> that SentencePiece spells unknown characters with. */
#ifndef SP_TEXT_BYTE_TOKENS_H
#define SP_TEXT_BYTE_TOKENS_H

#include "text/vocabulary.h"

/* Their ids by byte, -1 where the vocabulary has none. */
void sp_find_byte_tokens(const sp_vocabulary *vocabulary, int ids[256]);

#endif
