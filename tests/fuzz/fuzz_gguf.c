/* Any bytes as a GGUF file: opening fails cleanly, or every tensor and the configuration can be
 * read or is refused. */
#include "core/file.h"
#include "core/memory.h"
#include "format/gguf.h"
#include "model/model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_tensors(const sp_gguf *f) {
    for (size_t i = 0; i < sp_gguf_tensor_count(f); i++) {
        const sp_gguf_tensor *t = sp_gguf_tensor_at(f, i);
        char *name = sp_strndup(t->name.data, t->name.len);
        float *out = sp_alloc_floats(t->bytes ? t->count : 1);
        bool read = strlen(name) == t->name.len && t->bytes;
        if (read && sp_gguf_read(f, name, t->rank, t->dims, out)) abort();
        free(out);
        free(name);
    }
}

static void read_tokens(const sp_gguf *f) {
    static const char *const keys[] = {"tokenizer.ggml.tokens", "tokenizer.ggml.token_type"};
    size_t bytes = 0;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i <= sp_gguf_array_count(f, keys[k]); i++) {
            sp_gguf_text text;
            int64_t whole;
            double real;
            if (sp_gguf_text_at(f, keys[k], i, &text))
                for (size_t j = 0; j < text.len; j++) bytes += (unsigned char)text.data[j];
            if (sp_gguf_int_at(f, keys[k], i, &whole) != sp_gguf_real_at(f, keys[k], i, &real) &&
                sp_gguf_int_at(f, keys[k], i, &whole))
                abort();
        }
    if (bytes == SIZE_MAX) abort();
}

static void read_model(const char *path) {
    sp_model *model = NULL;
    if (!sp_model_open(path, SP_PRECISION_FP32, &model)) sp_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-%ld.gguf", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_gguf *f;
    if (!sp_gguf_open(path, &f)) {
        read_tensors(f);
        read_tokens(f);
        read_model(path);
    }
    sp_gguf_close(f);
    unlink(path);
    free(path);
    return 0;
}
