#include "cli/steered.h"

#include "core/file.h"
#include "model/files.h"
#include "tensor/gemm.h"

#include <stdlib.h>
#include <string.h>

/* A soft prompt means nothing to any other model than the one it was tuned for. */
static const struct argp_option options[] = {
    {"model", 'm', "NAME", 0,
     "a folder, a .gguf file, or a name of `softprompt model list` (required)", 0},
    {"adapter", 'a', "RUN.h5", 0, "a finished run whose prompt or weights steer the model", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    sp_steered_names *names = state->input;
    switch (key) {
    case 'm':
        names->model = value;
        return 0;
    case 'a':
        names->adapter = value;
        return 0;
    case ARGP_KEY_END:
        if (!names->model) argp_error(state, "which model? --model NAME");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sp_steered_parser = {.options = options, .parser = parse};

sp_status sp_adapter_check_model(sp_h5 *file, const char *model, const sp_digest *found) {
    char *name = NULL, *expected = NULL;
    sp_status st = sp_h5_get_text(file, "/", "model", &name);
    if (!st) st = sp_h5_get_text(file, "/", "model_sha256", &expected);
    if (!st && strcmp(expected, found->hex) != 0)
        st = sp_fail(SP_ERR_SPEC,
                     "%s: was made with model '%s' (model_sha256 %.12s), but '%s' is another one "
                     "(%.12s); use the model it was made with",
                     sp_h5_path(file), name, expected, model, found->hex);
    free(name);
    free(expected);
    return st;
}

/* The log of a failed run holds no prompt. */
static sp_status check_finished(sp_h5 *file) {
    char *status = NULL;
    sp_status st = sp_h5_get_text(file, "/", "status", &status);
    if (!st && strcmp(status, "finished") != 0 && strcmp(status, "imported") != 0)
        st = sp_fail(SP_ERR_SPEC, "%s: its status is '%s'; use a finished run", sp_h5_path(file),
                     status);
    free(status);
    return st;
}

/* What PEFT saves is a folder; it has to be turned into a run file first. */
static sp_status refuse_peft(const char *path, const char *model) {
    char *config = sp_path_join(path, "adapter_config.json");
    bool peft = sp_file_exists(config);
    free(config);
    if (!peft) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "%s: is an adapter in PEFT's layout; run: softprompt adapter import %s OUT.h5 "
                   "--model %s, and use OUT.h5",
                   path, path, model ? model : "NAME");
}

sp_status sp_adapter_open(const char *path, const char *model, sp_h5 **file) {
    *file = NULL;
    sp_status st = refuse_peft(path, model);
    if (!st) st = sp_h5_open(path, file);
    if (!st) st = check_finished(*file);
    if (!st) return SP_OK;
    sp_h5_close(*file);
    *file = NULL;
    return st;
}

static sp_status open_adapter(const char *path, const char *model, sp_steered *s) {
    sp_h5 *file;
    sp_digest found;
    sp_status st = sp_adapter_open(path, model, &file);
    if (st) return st;
    st = sp_model_hash(model, &found);
    if (!st) st = sp_adapter_check_model(file, model, &found);
    if (!st) st = sp_soft_prompt_read(file, s->model, &s->prompt);
    if (!st) st = sp_class_head_read(file, s->model, &s->head);
    sp_h5_close(file);
    return st;
}

sp_status sp_steered_open(const sp_steered_names *names, sp_steered *s) {
    const char *model = names->model, *adapter = names->adapter;
    *s = (sp_steered){0};
    sp_status st = sp_gemm_start(0);
    if (!st) st = sp_model_open(model, SP_PRECISION_FP32, &s->model);
    if (st) return st;
    st = sp_model_open_tokenizer(model, s->model, &s->tokenizer);
    if (!st && adapter) return open_adapter(adapter, model, s);
    if (!st) s->prompt.separator = sp_strdup("\n");
    return st;
}

void sp_steered_close(sp_steered *s) {
    sp_soft_prompt_free(&s->prompt);
    sp_class_head_free(&s->head);
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
