/* P-tuning (Liu et al. 2021, section 3): virtual tokens h_i placed by a template, made by an
 * encoder that is dropped after training:
 *   h_i = MLP([LSTM_forward(e_0..i) : LSTM_backward(e_i..m)])
 * a bidirectional LSTM of two layers and a two-layer ReLU MLP (the authors' code and PEFT), or an
 * MLP of three linear layers alone (PEFT's "MLP"). Parameters have PEFT's names. With `frozen`
 * false the language model trains along, as in the paper's SuperGLUE experiments (section 4.2). */
#include "tuning/init.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LSTM_LAYERS = 2 };

static const sp_option options[] = {SP_OPTION_LENGTH("20"),
                                    {"encoder", SP_CHOICE, SP_METHOD_FIELD(encoder), "lstm", 0, 0,
                                     "lstm|mlp",
                                     "what turns the trained inputs into virtual tokens"},
                                    SP_OPTION_HIDDEN("128"),
                                    SP_OPTION_INIT("random", SP_ROW_INITS),
                                    SP_OPTION_INIT_TEXT,
                                    SP_OPTION_INIT_TOP,
                                    SP_OPTION_TEMPLATE("P x P"),
                                    SP_OPTION_FROZEN,
                                    {0}};

static bool has_lstm(const sp_tuner *tuner) {
    return strcmp(tuner->options.encoder, "lstm") == 0;
}

static sp_var *find(const sp_tuner *tuner, const char *stem, const char *suffix) {
    char *name = sp_format("%s%s", stem, suffix);
    sp_param *p = sp_params_find(&tuner->params, name);
    free(name);
    return p ? &p->var : NULL;
}

static void add_linear(sp_tuner *tuner, const char *stem, long in, long out, sp_rng *rng) {
    char *weight = sp_format("%s.weight", stem), *bias = sp_format("%s.bias", stem);
    sp_var *w = sp_params_add(&tuner->params, weight, 2, out, in);
    sp_var *b = sp_params_add(&tuner->params, bias, 1, 1, out);
    sp_init_linear(w, b, rng);
    free(weight);
    free(bias);
}

static sp_var *apply_linear(const sp_tuner *tuner, sp_tape *t, const char *stem, sp_var *x) {
    sp_linear_map map = {find(tuner, stem, ".weight"), find(tuner, stem, ".bias"), true};
    return sp_linear(t, x, &map);
}

/* torch.nn.LSTM's names: {weight,bias}_{ih,hh}_l<layer>[_reverse]. */
static char *lstm_name(const char *what, int layer, bool reverse) {
    return sp_format("lstm_head.%s_l%d%s", what, layer, reverse ? "_reverse" : "");
}

static void add_lstm_tensor(sp_tuner *tuner, const char *what, int layer, bool reverse, long cols,
                            sp_rng *rng) {
    long h = tuner->options.hidden;
    char *name = lstm_name(what, layer, reverse);
    bool bias = cols == 0;
    sp_var *v =
        sp_params_add(&tuner->params, name, bias ? 1 : 2, bias ? 1 : 4 * h, bias ? 4 * h : cols);
    sp_init_uniform(v, 1.0f / sqrtf((float)h), rng);
    free(name);
}

static void add_lstm(sp_tuner *tuner, sp_rng *rng) {
    long h = tuner->options.hidden;
    for (int layer = 0; layer < LSTM_LAYERS; layer++)
        for (int reverse = 0; reverse < 2; reverse++) {
            long in = layer ? 2 * h : tuner->model->config.n_embd;
            add_lstm_tensor(tuner, "weight_ih", layer, reverse, in, rng);
            add_lstm_tensor(tuner, "weight_hh", layer, reverse, h, rng);
            add_lstm_tensor(tuner, "bias_ih", layer, reverse, 0, rng);
            add_lstm_tensor(tuner, "bias_hh", layer, reverse, 0, rng);
        }
}

static sp_var *lstm_tensor(const sp_tuner *tuner, const char *what, int layer, bool reverse) {
    char *name = lstm_name(what, layer, reverse);
    sp_var *v = find(tuner, name, "");
    free(name);
    return v;
}

static sp_var *apply_direction(const sp_tuner *tuner, sp_tape *t, int layer, bool reverse,
                               sp_var *x) {
    sp_linear_map input = {lstm_tensor(tuner, "weight_ih", layer, reverse),
                           lstm_tensor(tuner, "bias_ih", layer, reverse), true};
    return sp_lstm(t, sp_linear(t, x, &input), lstm_tensor(tuner, "weight_hh", layer, reverse),
                   lstm_tensor(tuner, "bias_hh", layer, reverse), reverse);
}

static sp_var *apply_lstm(const sp_tuner *tuner, sp_tape *t, sp_var *x) {
    for (int layer = 0; layer < LSTM_LAYERS; layer++)
        x = sp_concat_columns(t, apply_direction(tuner, t, layer, false, x),
                              apply_direction(tuner, t, layer, true, x));
    return x;
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    sp_init_args args = {tuner->model, source, &tuner->options, rng};
    long d = tuner->model->config.n_embd, h = tuner->options.hidden;
    if (tuner->options.length == 0) return SP_OK;
    sp_var *inputs = sp_params_add(&tuner->params, "embedding.weight", 2, tuner->options.length, d);
    if (has_lstm(tuner)) {
        add_lstm(tuner, rng);
        add_linear(tuner, "mlp_head.0", 2 * h, 2 * h, rng);
        add_linear(tuner, "mlp_head.2", 2 * h, d, rng);
    } else {
        add_linear(tuner, "mlp_head.0", d, h, rng);
        add_linear(tuner, "mlp_head.2", h, h, rng);
        add_linear(tuner, "mlp_head.4", h, d, rng);
    }
    return sp_init_rows(&args, inputs);
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    sp_var *x = find(tuner, "embedding", ".weight");
    if (!x) return;
    if (has_lstm(tuner)) x = apply_lstm(tuner, t, x);
    x = sp_relu(t, apply_linear(tuner, t, "mlp_head.0", x));
    x = apply_linear(tuner, t, "mlp_head.2", x);
    if (!has_lstm(tuner)) x = apply_linear(tuner, t, "mlp_head.4", sp_relu(t, x));
    out->virtual_rows = x;
}

const sp_method sp_method_p_tuning = {.name = "p-tuning",
                                      .title = "P-tuning",
                                      .options = options,
                                      .create = create,
                                      .inject = inject,
                                      .uses_template = true};
