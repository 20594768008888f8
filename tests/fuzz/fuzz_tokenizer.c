/* A hostile tokenizer.json is refused or usable: whatever loads can encode and decode. */
#include "text/tokenizer.h"

#include <stdint.h>
#include <string.h>

/* Every script and kind of character that a stage looks for, and bytes that are not UTF-8. */
static const char sample[] =
    "It's 12 \xc3\xa9t\xc3\xa9s  \n<|endoftext|> aaaaaaaa\xff\xfe ab [MASK] \xe4\xb8\xad"
    "\xe6\x96\x87 e\xcc\x81\xcc\xa7 \xe2\x96\x81low \xef\xb7\xba \xc4\xb0 (x)\t\xe3\x80\x80<mask>";
static const char other[] = "\xf0\x9f\x98\x80 Lower, lower!\x01\xef\xbf\xbd";

static void decode_both_ways(const sp_tokenizer *tokenizer, const sp_ints *ids) {
    sp_buf text = {0};
    sp_tokenizer_decode(tokenizer, ids->data, ids->len, false, &text);
    sp_tokenizer_decode(tokenizer, ids->data, ids->len, true, &text);
    sp_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_tokenizer *tokenizer;
    if (sp_tokenizer_parse((const char *)data, size, "input", &tokenizer)) return 0;
    sp_ints ids = {0}, types = {0};
    int count = sp_tokenizer_size(tokenizer);
    if (!sp_tokenizer_encode(tokenizer, sample, sizeof sample - 1, &ids))
        decode_both_ways(tokenizer, &ids);
    ids.len = 0;
    if (!sp_tokenizer_encode_pair(tokenizer, sample, sizeof sample - 1, other, sizeof other - 1,
                                  &ids, &types) &&
        ids.len != types.len)
        sp_panic("%zu ids have %zu types", ids.len, types.len);
    ids.len = 0;
    for (int id = -1; id <= count && id < 300; id++) sp_ints_push(&ids, id);
    decode_both_ways(tokenizer, &ids);
    if (sp_tokenizer_id(tokenizer, sp_tokenizer_token(tokenizer, 0)) >= count)
        sp_panic("id out of range");
    if (sp_tokenizer_mask(tokenizer) >= count) sp_panic("the mask is out of range");
    sp_ints_free(&ids), sp_ints_free(&types);
    sp_tokenizer_free(tokenizer);
    return 0;
}
