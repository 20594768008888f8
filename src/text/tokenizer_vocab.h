/* Tokenizers of folders without a tokenizer.json: vocab.json with merges.txt (GPT-2, RoBERTa and
 * what is built like them), or vocab.txt (BERT). */
#ifndef SP_TEXT_TOKENIZER_VOCAB_H
#define SP_TEXT_TOKENIZER_VOCAB_H

#include "core/memory.h"
#include "text/tokenizer.h"

/* The texts of a folder's files; without memory where there is no such file. */
typedef struct sp_vocab_texts {
    sp_buf vocabulary;     /* vocab.json or vocab.txt */
    sp_buf merges;         /* merges.txt; without it `vocabulary` is a vocab.txt */
    sp_buf config;         /* tokenizer_config.json */
    sp_buf special_tokens; /* special_tokens_map.json */
    sp_buf added_tokens;   /* added_tokens.json */
} sp_vocab_texts;

void sp_vocab_texts_free(sp_vocab_texts *texts);

/* Turns the files into the tokenizer.json that says the same; what they do not say is as in
 * transformers' class for the model. `name` is used in messages. SP_ERR_FORMAT. */
sp_status sp_tokenizer_from_vocab(const sp_vocab_texts *texts, const char *name,
                                  sp_tokenizer **out);

#endif
