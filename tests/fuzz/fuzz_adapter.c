/* Any bytes as an adapter of PEFT for a small model, the configuration up to the first NUL and the
 * tensors behind it: importing fails cleanly, or what was imported steers the model and can be
 * exported or is refused. */
#include "core/file.h"
#include "tensor/gemm.h"
#include "tuning/peft.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* GPT-2 or, for the adaption prompt, Llama; sizes as in tests/golden. */
static sp_model *make_model(const char *type) {
    sp_config config = {.vocab_size = 11,
                        .n_positions = 64,
                        .n_embd = 32,
                        .n_layer = 2,
                        .n_head = 4,
                        .n_inner = 48,
                        .n_kv_head = strcmp(type, "llama") ? 4 : 2,
                        .layer_norm_epsilon = 1e-5,
                        .initializer_range = 0.1,
                        .rope_theta = 1e4,
                        .tie_word_embeddings = true};
    snprintf(config.model_type, sizeof config.model_type, "%s", type);
    sp_model *model;
    if (sp_gemm_start(1) || sp_model_new(&config, &model)) abort();
    sp_model_initialise(model, 1);
    return model;
}

static void write_file(const char *folder, const char *name, const uint8_t *data, size_t size) {
    char *path = sp_path_join(folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    if (size) fwrite(data, 1, size, file);
    fclose(file);
    free(path);
}

static void check_prompt(const sp_model *m, const sp_soft_prompt *p) {
    const sp_var *all[] = {&p->virtual_rows, &p->prefix, &p->gates};
    for (int i = 0; i < 3; i++)
        for (long k = 0; k < all[i]->rows * all[i]->cols; k++)
            if (isnan(all[i]->data[k])) abort();
    if (p->first_position >= m->config.n_positions) abort();
}

static void try_import(const char *folder, const char *out, const sp_model *model) {
    static const sp_strings no_labels = {0};
    sp_peft_extras extras = {.separator = "\n", .labels = &no_labels};
    sp_peft_adapter adapter;
    if (sp_peft_import(folder, model, &extras, &adapter)) return;
    check_prompt(model, &adapter.prompt);
    sp_peft_source source = {.model = model,
                             .prompt = &adapter.prompt,
                             .head = &adapter.head,
                             .method = adapter.method,
                             .place = "fuzz",
                             .base = "fuzz"};
    sp_peft_export(&source, out, true);
    sp_peft_adapter_free(&adapter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sp_model *models[2];
    static char *folder, *out;
    if (!models[0]) {
        models[0] = make_model("gpt2");
        models[1] = make_model("llama");
        folder = sp_format("/tmp/sp-fuzz-adapter-%ld", (long)getpid());
        out = sp_format("%s/out", folder);
        if (sp_make_folders(out)) abort();
    }
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t config = end ? (size_t)(end - data) : size;
    write_file(folder, "adapter_config.json", data, config);
    write_file(folder, "adapter_model.safetensors", end ? end + 1 : NULL,
               end ? size - config - 1 : 0);
    for (int i = 0; i < 2; i++) try_import(folder, out, models[i]);
    return 0;
}
