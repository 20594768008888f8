#include "bench/shape.h"

#include "core/file.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

const char *const sp_bench_shapes[] = {"gpt2-17m", "llama-135m", NULL};

/* config.json of each, with Hugging Face's keys. */
static const char *const configs[] = {
    "{\"model_type\": \"gpt2\", \"vocab_size\": 8192, \"n_positions\": 512, \"n_embd\": 384,"
    " \"n_layer\": 8, \"n_head\": 6}",
    /* SmolLM2-135M (Hugging Face, 2025) */
    "{\"model_type\": \"llama\", \"vocab_size\": 49152, \"max_position_embeddings\": 2048,"
    " \"hidden_size\": 576, \"intermediate_size\": 1536, \"num_hidden_layers\": 30,"
    " \"num_attention_heads\": 9, \"num_key_value_heads\": 3, \"rope_theta\": 10000.0,"
    " \"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\", \"tie_word_embeddings\": true}"};

static int index_of(const char *name) {
    for (int i = 0; sp_bench_shapes[i]; i++)
        if (strcmp(sp_bench_shapes[i], name) == 0) return i;
    return -1;
}

bool sp_bench_is_shape(const char *name) {
    return index_of(name) >= 0;
}

sp_status sp_bench_write_shape(const char *name, uint64_t seed, const char *folder) {
    const char *text = configs[index_of(name)];
    char *path = sp_path_join(folder, "config.json");
    sp_config config;
    sp_model *model = NULL;
    sp_status st = sp_write_file(path, text, strlen(text));
    if (!st) st = sp_config_read(path, &config);
    if (!st) st = sp_model_new(&config, &model);
    if (!st) sp_model_initialise(model, seed);
    if (!st) st = sp_model_save(model, folder, SP_BF16);
    sp_model_free(model);
    free(path);
    return st;
}
