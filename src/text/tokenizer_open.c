/* Which files of a model make its tokenizer. */
#include "core/file.h"
#include "text/tokenizer_gguf.h"
#include "text/tokenizer_vocab.h"

#include <stdlib.h>
#include <string.h>

static sp_status open_gguf(const char *path, sp_tokenizer **out) {
    sp_gguf *file;
    sp_status st = sp_gguf_open(path, &file);
    if (st) return st;
    st = sp_tokenizer_from_gguf(file, out);
    sp_gguf_close(file);
    return st;
}

/* Reads folder/name if there is such a file. */
static sp_status read_if_there(const char *folder, const char *name, sp_buf *out) {
    char *path = sp_path_join(folder, name);
    sp_status st = sp_file_exists(path) ? sp_read_file(path, out) : SP_OK;
    free(path);
    return st;
}

static sp_status read_texts(const char *folder, bool has_merges, sp_vocab_texts *out) {
    sp_status st;
    if ((st = read_if_there(folder, has_merges ? "vocab.json" : "vocab.txt", &out->vocabulary)))
        return st;
    if (has_merges && (st = read_if_there(folder, "merges.txt", &out->merges))) return st;
    if ((st = read_if_there(folder, "tokenizer_config.json", &out->config))) return st;
    if ((st = read_if_there(folder, "special_tokens_map.json", &out->special_tokens))) return st;
    return read_if_there(folder, "added_tokens.json", &out->added_tokens);
}

static sp_status open_vocab(const char *folder, bool has_merges, sp_tokenizer **out) {
    sp_vocab_texts texts = {0};
    sp_status st = read_texts(folder, has_merges, &texts);
    if (!st) st = sp_tokenizer_from_vocab(&texts, folder, out);
    sp_vocab_texts_free(&texts);
    return st;
}

static bool has_file(const char *folder, const char *name) {
    char *path = sp_path_join(folder, name);
    bool found = sp_file_exists(path);
    free(path);
    return found;
}

static sp_status open_json(const char *folder, sp_tokenizer **out) {
    char *path = sp_path_join(folder, "tokenizer.json");
    sp_status st = sp_tokenizer_load(path, out);
    free(path);
    return st;
}

sp_status sp_tokenizer_open(const char *path, sp_tokenizer **out) {
    *out = NULL;
    if (sp_has_suffix(path, ".gguf")) return open_gguf(path, out);
    if (has_file(path, "tokenizer.json")) return open_json(path, out);
    bool has_merges = has_file(path, "merges.txt");
    if (has_file(path, has_merges ? "vocab.json" : "vocab.txt"))
        return open_vocab(path, has_merges, out);
    return sp_fail(SP_ERR_MISSING,
                   "%s: no tokenizer.json, vocab.json with merges.txt, or vocab.txt; copy the "
                   "tokenizer of the model there",
                   path);
}
