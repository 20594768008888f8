/* Any bytes as a GGUF file with a tokenizer: refused, or the tokenizer works. */
#include "core/memory.h"
#include "use_tokenizer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-tokenizer-%ld.gguf", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_tokenizer *tokenizer;
    if (!sp_tokenizer_open(path, &tokenizer)) {
        use_tokenizer(tokenizer);
        sp_tokenizer_free(tokenizer);
    }
    unlink(path);
    free(path);
    return 0;
}
