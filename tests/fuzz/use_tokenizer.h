/* A tokenizer that was read must be usable: it encodes and decodes a text. */
#ifndef TESTS_FUZZ_USE_TOKENIZER_H
#define TESTS_FUZZ_USE_TOKENIZER_H

#include "text/tokenizer.h"

static inline void use_tokenizer(const sp_tokenizer *tokenizer) {
    static const char sample[] =
        "It's 12 \xc3\xa9t\xc3\xa9s  \n<|endoftext|> <s>aaaaaaaa\xff\xfe ab[MASK] \xe4\xb8\x80";
    sp_ints ids = {0}, types = {0};
    sp_buf text = {0};
    if (!sp_tokenizer_encode_pair(tokenizer, sample, sizeof sample - 1, "b", 1, &ids, &types))
        sp_tokenizer_decode(tokenizer, ids.data, ids.len, false, &text);
    for (size_t i = 0; i < ids.len; i++)
        if (ids.data[i] < 0 || ids.data[i] >= sp_tokenizer_size(tokenizer))
            sp_panic("id out of range");
    sp_ints_free(&ids);
    sp_ints_free(&types);
    sp_buf_free(&text);
}

#endif
