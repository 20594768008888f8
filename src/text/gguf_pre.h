/* The pre-tokenizers that a GGUF file only names (tokenizer.ggml.pre). */
#ifndef SP_TEXT_GGUF_PRE_H
#define SP_TEXT_GGUF_PRE_H

#include "core/status.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct sp_gguf_pre {
    const char *names[8];   /* NULL at the end */
    const char *expression; /* NULL: GPT-2's */
    bool digits;            /* every digit is a word of its own, before the expression */
    bool compose;           /* text is put into NFC */
    bool whole_words_first; /* "ignore_merges" */
    bool begins;            /* a text begins with BOS unless the file says otherwise */
} sp_gguf_pre;

/* The entry of a name; "" (the file has none) is GPT-2's. SP_ERR_FORMAT with the known names. */
sp_status sp_gguf_pre_find(const char *name, const sp_gguf_pre **out);

/* The "pre_tokenizer" and "normalizer" parts of a tokenizer.json; new. */
json_t *sp_gguf_pre_tokenizer(const sp_gguf_pre *pre);
json_t *sp_gguf_pre_normalizer(const sp_gguf_pre *pre);

#endif
