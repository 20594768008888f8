/* Inside of a tokenizer, shared by tokenizer.c (use) and tokenizer_file.c (reading). */
#ifndef SP_TEXT_TOKENIZER_PARTS_H
#define SP_TEXT_TOKENIZER_PARTS_H

#include "text/bpe.h"
#include "text/splitter.h"
#include "text/tokenizer.h"

typedef struct sp_token {
    char *text;   /* as in the file, NULL for an id without a token */
    sp_buf bytes; /* what it stands for */
    bool special;
} sp_token;

/* A token that is recognised in the text before it is split. */
typedef struct sp_added_token {
    char *text;
    size_t len;
    int id;
    bool strip_left, strip_right; /* takes the white space beside it with it */
} sp_added_token;

struct sp_tokenizer {
    sp_token *tokens; /* by id */
    int size;
    sp_bpe bpe;
    sp_splitter *splitter;
    sp_added_token *added; /* the longest first */
    int added_count;
    bool starts_added[256]; /* first bytes of added tokens */
    bool prefix_space, compose;
    char *source; /* text of the file */
    size_t source_len;
};

#endif
