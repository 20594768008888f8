#include "model/files.h"

#include "core/file.h"
#include "model/find.h"

#include <stdlib.h>

sp_status sp_model_open_tokenizer(const char *name, const sp_model *model, sp_tokenizer **out) {
    char *folder;
    *out = NULL;
    sp_status st = sp_model_find(name, &folder);
    if (st) return st;
    char *path = sp_path_join(folder, "tokenizer.json");
    st = sp_tokenizer_load(path, out);
    if (!st && sp_tokenizer_size(*out) > model->config.vocab_size) {
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: has %d tokens, but the model's vocabulary is %d; copy the tokenizer that "
                     "belongs to the model",
                     path, sp_tokenizer_size(*out), model->config.vocab_size);
        sp_tokenizer_free(*out);
        *out = NULL;
    }
    free(path);
    free(folder);
    return st;
}

sp_status sp_model_hash(const char *name, sp_digest *out) {
    static const char *const files[] = {"config.json", "model.safetensors", "tokenizer.json"};
    char *folder;
    sp_buf lines = {0};
    sp_status st = sp_model_find(name, &folder);
    for (size_t i = 0; !st && i < sizeof files / sizeof *files; i++) {
        char *path = sp_path_join(folder, files[i]);
        sp_digest digest;
        st = sp_sha256_file(path, &digest);
        if (!st) sp_buf_printf(&lines, "%s  %s\n", digest.hex, files[i]);
        free(path);
    }
    if (!st) *out = sp_sha256(lines.data, lines.len);
    sp_buf_free(&lines);
    free(folder);
    return st;
}
