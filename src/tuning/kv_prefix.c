#include "tuning/kv_prefix.h"

#include "tuning/init.h"
#include "tuning/layers.h"

#include <string.h>

static sp_layer_range used_layers(const sp_tuner *tuner) {
    return sp_layers_of(tuner, tuner->model->config.n_layer);
}

static sp_var *find(const sp_tuner *tuner, const char *name) {
    sp_param *p = sp_params_find(&tuner->params, name);
    return p ? &p->var : NULL;
}

/* ---- the MLP ---- */

static void add_mlp(sp_tuner *tuner, long columns, sp_rng *rng) {
    long d = sp_config_kv_width(&tuner->model->config), hidden = tuner->options.hidden;
    sp_var *w0 = sp_params_add(&tuner->params, "transform.0.weight", 2, hidden, d);
    sp_var *b0 = sp_params_add(&tuner->params, "transform.0.bias", 1, 1, hidden);
    sp_var *w2 = sp_params_add(&tuner->params, "transform.2.weight", 2, columns, hidden);
    sp_var *b2 = sp_params_add(&tuner->params, "transform.2.bias", 1, 1, columns);
    sp_init_linear(w0, b0, rng);
    sp_init_linear(w2, b2, rng);
}

static sp_var *apply_mlp(const sp_tuner *tuner, sp_tape *t, sp_var *x) {
    sp_linear_map first = {find(tuner, "transform.0.weight"), find(tuner, "transform.0.bias"),
                           true};
    sp_linear_map second = {find(tuner, "transform.2.weight"), find(tuner, "transform.2.bias"),
                            true};
    return sp_linear(t, sp_tanh(t, sp_linear(t, x, &first)), &second);
}

/* ---- create ---- */

static bool starts_from_words(const sp_tuner *tuner) {
    const char *init = tuner->options.init;
    return strcmp(init, "activations") == 0 || strcmp(init, "vocab") == 0 ||
           strcmp(init, "class-label") == 0;
}

static void zero(sp_var *v) {
    memset(v->data, 0, (size_t)(v->rows * v->cols) * sizeof(float));
}

static sp_status create_with_mlp(sp_tuner *tuner, const sp_init_args *args, long columns) {
    sp_var *inputs = sp_params_add(&tuner->params, "embedding.weight", 2, tuner->options.length,
                                   sp_config_kv_width(&tuner->model->config));
    add_mlp(tuner, columns, args->rng);
    if (!starts_from_words(tuner)) return sp_init_rows(args, inputs);
    sp_init_normal(inputs, 1.0f, args->rng);
    zero(find(tuner, "transform.2.weight"));
    zero(find(tuner, "transform.2.bias"));
    tuner->base = sp_leaf(tuner->options.length, columns);
    return sp_init_prefix(args, used_layers(tuner).first, &tuner->base);
}

/* All tokens of an encoder see each other: none of them stands before an infix. */
static sp_status check_position(const sp_tuner *tuner) {
    if (strcmp(tuner->options.position, "infix") != 0 || !tuner->model->family->bidirectional)
        return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "position is infix, but a model of type %s is an encoder, which reads in both "
                   "directions; use position prefix",
                   tuner->model->config.model_type);
}

sp_status sp_kv_prefix_create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    sp_init_args args = {tuner->model, source, &tuner->options, rng};
    sp_status st = sp_layers_check(tuner);
    if (!st) st = check_position(tuner);
    if (st || tuner->options.length == 0) return st;
    sp_layer_range range = used_layers(tuner);
    long columns = 2L * range.count * sp_config_kv_width(&tuner->model->config);
    if (strcmp(tuner->options.reparametrization, "mlp") == 0)
        return create_with_mlp(tuner, &args, columns);
    sp_var *p =
        sp_params_add(&tuner->params, "embedding.weight", 2, tuner->options.length, columns);
    return sp_init_prefix(&args, range.first, p);
}

/* ---- inject ---- */

/* Views of P for the layers that have columns in it. */
static sp_kv *layer_views(sp_tape *t, const sp_tuner *tuner, sp_var *p) {
    sp_layer_range range = used_layers(tuner);
    long width = p->cols / (2L * range.count);
    sp_kv *views = sp_arena_zero(&t->arena, (size_t)tuner->model->config.n_layer * sizeof *views);
    for (int i = 0; i < range.count; i++)
        views[range.first + i] =
            (sp_kv){.key = sp_slice_columns(t, p, 2L * i * width, width),
                    .value = sp_slice_columns(t, p, (2L * i + 1) * width, width)};
    return views;
}

void sp_kv_prefix_inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    sp_var *p = find(tuner, "embedding.weight");
    if (!p) return;
    if (find(tuner, "transform.0.weight")) p = apply_mlp(tuner, t, p);
    if (tuner->base.data) p = sp_add(t, p, (sp_var *)&tuner->base);
    out->prefix = layer_views(t, tuner, p);
    out->first_position = tuner->options.shift_positions ? tuner->options.length : 0;
    out->infix = strcmp(tuner->options.position, "infix") == 0;
}
