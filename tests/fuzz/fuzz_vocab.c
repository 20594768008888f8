/* Hostile vocab.json and merges.txt, or vocab.txt, with their small files: parts of the input,
 * which a byte 0xfe separates. */
#include "text/tokenizer_vocab.h"
#include "use_tokenizer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Moves the next part of the input to `out`; an absent or empty one is no file. */
static void take_part(const uint8_t **data, size_t *size, sp_buf *out) {
    const uint8_t *end = *size ? memchr(*data, 0xfe, *size) : NULL;
    size_t len = end ? (size_t)(end - *data) : *size;
    if (len) sp_buf_append(out, *data, len);
    *data += end ? len + 1 : len;
    *size -= end ? len + 1 : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_vocab_texts texts = {0};
    sp_tokenizer *tokenizer;
    take_part(&data, &size, &texts.vocabulary);
    take_part(&data, &size, &texts.merges);
    take_part(&data, &size, &texts.config);
    take_part(&data, &size, &texts.special_tokens);
    take_part(&data, &size, &texts.added_tokens);
    if (!sp_tokenizer_from_vocab(&texts, "input", &tokenizer)) {
        use_tokenizer(tokenizer);
        sp_tokenizer_free(tokenizer);
    }
    sp_vocab_texts_free(&texts);
    return 0;
}
