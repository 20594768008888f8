#include "core/file.h"
#include "text/tokenizer_gguf.h"

#include <stdlib.h>
#include <string.h>

static bool is_gguf(const char *path) {
    size_t len = strlen(path);
    return len > 5 && strcmp(path + len - 5, ".gguf") == 0;
}

static sp_status open_gguf(const char *path, sp_tokenizer **out) {
    sp_gguf *file;
    sp_status st = sp_gguf_open(path, &file);
    if (st) return st;
    st = sp_tokenizer_from_gguf(file, out);
    sp_gguf_close(file);
    return st;
}

sp_status sp_tokenizer_open(const char *path, sp_tokenizer **out) {
    *out = NULL;
    if (is_gguf(path)) return open_gguf(path, out);
    char *json = sp_path_join(path, "tokenizer.json");
    sp_status st = sp_tokenizer_load(json, out);
    free(json);
    return st;
}
