/* Any bytes as a safetensors file: opening fails cleanly, or every listed tensor can be read. */
#include "core/file.h"
#include "core/memory.h"
#include "format/safetensors.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const sp_safetensors *f) {
    for (size_t i = 0; i < sp_safetensors_count(f); i++) {
        const sp_stored_tensor *t = sp_safetensors_at(f, i);
        float *out = sp_alloc_floats(t->count + 1);
        if (sp_safetensors_read(f, t->name, t->rank, t->dims, out)) abort();
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-safetensors-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_safetensors *f;
    if (!sp_safetensors_open(path, &f)) read_all(f);
    sp_safetensors_close(f);
    unlink(path);
    free(path);
    return 0;
}
