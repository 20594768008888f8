#include "cli/steered.h"

#include "core/file.h"
#include "tensor/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sp_status open_adapter(const char *path, sp_steered *s) {
    sp_h5 *file;
    sp_status st = sp_h5_open(path, &file);
    if (st) return st;
    st = sp_soft_prompt_read(file, s->model, &s->prompt);
    sp_h5_close(file);
    return st;
}

sp_status sp_steered_open(const char *model, const char *adapter, sp_steered *s) {
    *s = (sp_steered){0};
    sp_status st = sp_gemm_start(0);
    if (!st) st = sp_model_open(model, &s->model);
    if (st) return st;
    char *folder = sp_model_folder(model);
    char *path = sp_path_join(folder, "tokenizer.json");
    st = sp_tokenizer_load(path, &s->tokenizer);
    free(path);
    free(folder);
    if (!st && adapter) return open_adapter(adapter, s);
    if (!st) s->prompt.separator = sp_strdup("\n");
    return st;
}

void sp_steered_close(sp_steered *s) {
    sp_soft_prompt_free(&s->prompt);
    sp_tokenizer_free(s->tokenizer);
    sp_model_free(s->model);
    *s = (sp_steered){0};
}

sp_status sp_steered_input(const sp_steered *s, const char *input, sp_ints *out) {
    char *text = sp_format("%s%s", input, s->prompt.separator);
    sp_ints ids = {0};
    sp_status st = sp_tokenizer_encode(s->tokenizer, text, strlen(text), &ids);
    if (!st) sp_template_apply(&s->prompt.template, &ids, out);
    sp_ints_free(&ids);
    free(text);
    return st;
}

bool sp_read_line(sp_buf *line) {
    char *text = NULL;
    size_t cap = 0;
    ssize_t n = getline(&text, &cap, stdin);
    if (n > 0 && text[n - 1] == '\n') n--;
    sp_buf_clear(line);
    if (n >= 0) sp_buf_append(line, text, (size_t)n);
    free(text);
    return n >= 0;
}
