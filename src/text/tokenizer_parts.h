/* Inside of a tokenizer, shared by tokenizer.c (use) and tokenizer_file.c (reading). A text runs
 * through the stages of a tokenizer.json: added tokens that are no normal text, normalizer, added
 * tokens of the normal text, pre-tokenizer, model; ids run through the decoder. Kinds of models
 * plug in at token_model.h, kinds of normalizers at normalizers.h. */
#ifndef SP_TEXT_TOKENIZER_PARTS_H
#define SP_TEXT_TOKENIZER_PARTS_H

#include "text/added_tokens.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/token_decoder.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

struct sp_tokenizer {
    sp_vocabulary vocabulary;
    sp_added_tokens added;
    sp_normalizer *normalizer; /* or NULL */
    sp_pre_tokenizer *pre_tokenizer;
    const sp_token_model_kind *kind;
    void *model; /* the kind's own */
    sp_post_processor post_processor;
    sp_token_decoder *decoder;
    char *source; /* text of a file that makes the same tokenizer */
};

/* A tokenizer from the content of a tokenizer.json, which other formats are turned into; `root`
 * stays the caller's, `name` is used in messages. SP_ERR_FORMAT. */
sp_status sp_tokenizer_from_json(json_t *root, const char *name, sp_tokenizer **out);

#endif
