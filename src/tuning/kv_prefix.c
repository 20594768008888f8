#include "tuning/kv_prefix.h"

#include "tuning/init.h"

long sp_prefix_columns(const sp_model *model) {
    return 2L * model->config.n_layer * model->config.n_embd;
}

static int last_layer(const sp_tuner *tuner) {
    return tuner->options.last_layer < 0 ? tuner->model->config.n_layer - 1
                                         : tuner->options.last_layer;
}

sp_status sp_prefix_check_layers(const sp_tuner *tuner) {
    int first = tuner->options.first_layer, last = last_layer(tuner);
    if (first <= last && last < tuner->model->config.n_layer) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "layers %d to %d; the model has layers 0 to %d", first, last,
                   tuner->model->config.n_layer - 1);
}

sp_kv *sp_prefix_views(sp_tape *t, const sp_tuner *tuner, sp_var *p) {
    if (p->rows == 0) return NULL;
    int layers = tuner->model->config.n_layer;
    long width = p->cols / (2L * layers);
    sp_kv *views = sp_arena_zero(&t->arena, (size_t)layers * sizeof *views);
    for (int i = tuner->options.first_layer; i <= last_layer(tuner); i++)
        views[i] = (sp_kv){sp_slice_columns(t, p, 2L * i * width, width),
                           sp_slice_columns(t, p, (2L * i + 1) * width, width)};
    return views;
}

static sp_linear_map linear(const sp_tuner *tuner, const char *weight, const char *bias) {
    return (sp_linear_map){&sp_params_find(&tuner->params, weight)->var,
                           &sp_params_find(&tuner->params, bias)->var, true};
}

void sp_prefix_add_mlp(sp_tuner *tuner, long columns, sp_rng *rng) {
    long d = tuner->model->config.n_embd, hidden = tuner->options.hidden;
    sp_var *w0 = sp_params_add(&tuner->params, "transform.0.weight", 2, hidden, d);
    sp_var *b0 = sp_params_add(&tuner->params, "transform.0.bias", 1, 1, hidden);
    sp_var *w2 = sp_params_add(&tuner->params, "transform.2.weight", 2, columns, hidden);
    sp_var *b2 = sp_params_add(&tuner->params, "transform.2.bias", 1, 1, columns);
    sp_init_linear(w0, b0, rng);
    sp_init_linear(w2, b2, rng);
}

sp_var *sp_prefix_apply_mlp(const sp_tuner *tuner, sp_tape *t, sp_var *x) {
    sp_linear_map first = linear(tuner, "transform.0.weight", "transform.0.bias");
    sp_linear_map second = linear(tuner, "transform.2.weight", "transform.2.bias");
    return sp_linear(t, sp_tanh(t, sp_linear(t, x, &first)), &second);
}
