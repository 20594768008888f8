#include "model/files.h"

#include "core/file.h"
#include "model/find.h"
#include "model/pretrained.h"

#include <stdlib.h>
#include <string.h>

sp_status sp_model_open_tokenizer(const char *name, const sp_model *model, sp_tokenizer **out) {
    char *path;
    *out = NULL;
    sp_status st = sp_model_find(name, &path);
    if (!st) st = sp_tokenizer_open(path, out);
    if (!st && sp_tokenizer_size(*out) > model->config.vocab_size) {
        st = sp_fail(
            SP_ERR_FORMAT,
            "%s: the tokenizer has %d tokens, but the model's vocabulary is %d; copy the one that "
            "belongs to the model",
            path, sp_tokenizer_size(*out), model->config.vocab_size);
        sp_tokenizer_free(*out);
        *out = NULL;
    }
    free(path);
    return st;
}

/* ---- hashes ---- */

/* Appends the paths of what a tokenizer is read from; for a model without one, where it should be.
 */
static void list_tokenizer(const char *folder, bool required, sp_strings *out) {
    static const char *const parts[] = {
        "added_tokens.json",     "merges.txt", "special_tokens_map.json",
        "tokenizer_config.json", "vocab.json", "vocab.txt"};
    char *whole = sp_path_join(folder, "tokenizer.json");
    bool alone = sp_file_exists(whole);
    size_t before = out->len;
    for (size_t i = 0; !alone && i < sizeof parts / sizeof *parts; i++) {
        char *part = sp_path_join(folder, parts[i]);
        if (sp_file_exists(part)) sp_strings_push(out, part);
        free(part);
    }
    if (alone || (required && out->len == before)) sp_strings_push(out, whole);
    free(whole);
}

/* What `sha256sum` prints for the files in their folder. */
static sp_status print_hashes(const sp_strings *paths, sp_buf *lines) {
    for (size_t i = 0; i < paths->len; i++) {
        const char *slash = strrchr(paths->data[i], '/');
        sp_digest digest;
        sp_status st = sp_sha256_file(paths->data[i], &digest);
        if (st) return st;
        sp_buf_printf(lines, "%s  %s\n", digest.hex, slash ? slash + 1 : paths->data[i]);
    }
    return SP_OK;
}

static sp_status hash_files(const sp_strings *paths, sp_digest *out) {
    sp_buf lines = {0};
    sp_status st = print_hashes(paths, &lines);
    if (!st) *out = sp_sha256(lines.data, lines.len);
    sp_buf_free(&lines);
    return st;
}

static bool is_gguf(const char *path) {
    return sp_has_suffix(path, ".gguf");
}

sp_status sp_model_hash(const char *name, sp_digest *out) {
    char *path;
    sp_strings paths = {0};
    sp_status st = sp_model_find(name, &path);
    if (!st) st = sp_pretrained_files(path, &paths);
    if (!st && !is_gguf(path)) list_tokenizer(path, !is_gguf(paths.data[0]), &paths);
    if (!st) st = hash_files(&paths, out);
    sp_strings_free(&paths);
    free(path);
    return st;
}

sp_status sp_model_hash_weights(const char *name, sp_digest *out) {
    char *path;
    sp_strings paths = {0}, weights = {0};
    sp_status st = sp_model_find(name, &path);
    if (!st) st = sp_pretrained_files(path, &paths);
    size_t first = !st && !is_gguf(paths.data[0]) ? 1 : 0; /* behind config.json */
    for (size_t i = first; i < paths.len; i++) sp_strings_push(&weights, paths.data[i]);
    if (!st)
        st = weights.len == 1 ? sp_sha256_file(weights.data[0], out) : hash_files(&weights, out);
    sp_strings_free(&paths);
    sp_strings_free(&weights);
    free(path);
    return st;
}
