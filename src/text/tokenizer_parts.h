/* Inside of a tokenizer, shared by tokenizer.c (use) and tokenizer_file.c (reading). A text runs
 * through the stages of a tokenizer.json: added tokens that are no normal text, normalizer, added
 * tokens of the normal text, pre-tokenizer, model; ids run through the decoder. Kinds of models
 * plug in at token_model.h, kinds of normalizers at normalizers.h. */
#ifndef SP_TEXT_TOKENIZER_PARTS_H
#define SP_TEXT_TOKENIZER_PARTS_H

#include "text/normalizer.h"
#include "text/splitter.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

/* A token that is recognised in the text before it is split. */
typedef struct sp_added_token {
    char *text;
    size_t len;
    int id;
    bool strip_left, strip_right; /* takes the white space beside it with it */
} sp_added_token;

struct sp_tokenizer {
    sp_vocabulary vocabulary;
    sp_normalizer *normalizer; /* or NULL */
    const sp_token_model_kind *kind;
    void *model; /* the kind's own */
    sp_splitter *splitter;
    sp_added_token *added; /* the longest first */
    int added_count;
    bool starts_added[256]; /* first bytes of added tokens */
    bool prefix_space;
    char *source; /* text of a file that makes the same tokenizer */
};

/* A tokenizer from the content of a tokenizer.json, which other formats are turned into; `root`
 * stays the caller's, `name` is used in messages. SP_ERR_FORMAT. */
sp_status sp_tokenizer_from_json(json_t *root, const char *name, sp_tokenizer **out);

#endif
