/* A tokenizer's model turns one piece of text, as the pre-tokenizer cuts it, into ids. A kind of
 * model plugs in here: its file adds one sp_token_model_kind, token_model.c lists it. */
#ifndef SP_TEXT_TOKEN_MODEL_H
#define SP_TEXT_TOKEN_MODEL_H

#include "core/memory.h"
#include "text/vocabulary.h"

typedef struct sp_token_model_kind {
    const char *type; /* "type" of the file's "model" */

    /* Whether `read` accepts bytes = true. If not, a byte-level piece comes as its symbols. */
    bool takes_bytes;

    /* Reads the "model" part: adds its tokens to the vocabulary, which outlives the model and must
     * not be added to later by it, and makes *out. With `bytes`, pieces are bytes, each of which
     * stands for its byte-level symbol (text/alphabet.h); otherwise they are UTF-8, with broken
     * bytes where the input has them. SP_ERR_FORMAT; *out is then NULL. */
    sp_status (*read)(const json_t *model, sp_vocabulary *vocabulary, bool bytes, void **out);
    void (*free)(void *model);

    /* Appends the ids of one piece, which is not empty. Several threads may share a model, each
     * with its own scratch memory. */
    sp_status (*encode)(const void *model, void *scratch, const char *piece, size_t len,
                        sp_ints *out);

    /* Working memory of one caller: so many zeroed bytes, released with free_scratch (or NULL). */
    size_t scratch_size;
    void (*free_scratch)(void *scratch);
} sp_token_model_kind;

extern const sp_token_model_kind sp_token_model_bpe, sp_token_model_wordpiece;

/* The kind that reads a file's "model" part. SP_ERR_FORMAT if there is none. A part without a type
 * has merges and is BPE, or is known by the form of its vocabulary, as old files are. */
sp_status sp_token_model_find(const json_t *model, const sp_token_model_kind **out);

#endif
