/* A hostile tokenizer.json is refused or usable: whatever loads can encode and decode. */
#include "text/tokenizer.h"

#include <stdint.h>
#include <string.h>

static const char sample[] = "It's 12 \xc3\xa9t\xc3\xa9s  \n<|endoftext|> aaaaaaaa\xff\xfe ab";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_tokenizer *tokenizer;
    if (sp_tokenizer_parse((const char *)data, size, "input", &tokenizer)) return 0;
    sp_ints ids = {0};
    sp_buf text = {0};
    if (!sp_tokenizer_encode(tokenizer, sample, sizeof sample - 1, &ids))
        sp_tokenizer_decode(tokenizer, ids.data, ids.len, false, &text);
    if (sp_tokenizer_id(tokenizer, sp_tokenizer_token(tokenizer, 0)) > sp_tokenizer_size(tokenizer))
        sp_panic("id out of range");
    sp_ints_free(&ids);
    sp_buf_free(&text);
    sp_tokenizer_free(tokenizer);
    return 0;
}
