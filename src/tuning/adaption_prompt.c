/* LLaMA-Adapter (Zhang et al. 2023, section 3; PEFT's adaption prompt): rows [length, n_embd] for
 * each of the top layers, of which the layer's own frozen projection makes keys and values that are
 * attended to apart, times a gate that starts at zero:
 *   out = attention(q, k, v) + gate * softmax(q Kp^T / sqrt(d_head)) Vp
 * Rows start as standard normal, as nn.Embedding does. After training the keys and values are kept
 * with the gates. */
#include "tuning/init.h"
#include "tuning/layers.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

#include <stdlib.h>

static const sp_option options[] = {
    SP_OPTION_LENGTH("10"),
    SP_OPTION_LAYERS("number of top layers with a prompt; 0: half of them, at least 1"),
    {0}};

static sp_layer_range adapted_layers(const sp_tuner *tuner) {
    int half = tuner->model->config.n_layer / 2;
    return sp_layers_of(tuner, half ? half : 1);
}

static char *name_of(int layer, const char *what) {
    return sp_format("%d.adaption_%s", layer, what);
}

static void add_layer(sp_tuner *tuner, int layer, sp_rng *rng) {
    char *prompt = name_of(layer, "prompt"), *gate = name_of(layer, "gate");
    sp_init_normal(sp_params_add(&tuner->params, prompt, 2, tuner->options.length,
                                 tuner->model->config.n_embd),
                   1.0f, rng);
    sp_params_add(&tuner->params, gate, 1, 1, 1);
    free(prompt);
    free(gate);
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    sp_status st = sp_layers_check(tuner);
    if (st || tuner->options.length == 0) return st;
    sp_layer_range range = adapted_layers(tuner);
    for (int i = 0; i < range.count; i++) add_layer(tuner, range.first + i, rng);
    return SP_OK;
}

static sp_var *find(const sp_tuner *tuner, int layer, const char *what) {
    char *name = name_of(layer, what);
    sp_param *p = sp_params_find(&tuner->params, name);
    free(name);
    return &p->var;
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    if (tuner->params.count == 0) return;
    size_t layers = (size_t)tuner->model->config.n_layer;
    sp_kv *prefix = sp_arena_zero(&t->arena, layers * sizeof *prefix);
    sp_layer_range range = adapted_layers(tuner);
    for (int layer = range.first; layer < range.first + range.count; layer++) {
        prefix[layer] = sp_model_keys_values(t, tuner->model, layer, find(tuner, layer, "prompt"));
        prefix[layer].gate = find(tuner, layer, "gate");
    }
    out->prefix = prefix;
}

const sp_method sp_method_adaption_prompt = {.name = "adaption-prompt",
                                             .title = "LLaMA-Adapter",
                                             .options = options,
                                             .create = create,
                                             .inject = inject};
