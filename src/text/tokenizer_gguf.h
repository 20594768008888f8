/* A tokenizer from the metadata of a GGUF file (llama.cpp's keys tokenizer.ggml.*). */
#ifndef SP_TEXT_TOKENIZER_GGUF_H
#define SP_TEXT_TOKENIZER_GGUF_H

#include "format/gguf.h"
#include "text/tokenizer.h"

/* The models "gpt2" (byte-level BPE), "llama" (SentencePiece's BPE) and "t5" (Unigram), turned into
 * the tokenizer.json that says the same. SP_ERR_FORMAT with file and key. */
sp_status sp_tokenizer_from_gguf(const sp_gguf *file, sp_tokenizer **out);

#endif
