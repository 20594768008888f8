#include "tuning/soft_prompt.h"

#include "tuning/prompt_file.h"

#include <stdlib.h>
#include <string.h>

static void copy_rows(const sp_var *from, sp_var *to) {
    for (long r = 0; r < from->rows; r++)
        memcpy(to->data + r * to->ld, from->data + r * from->ld,
               (size_t)from->cols * sizeof(float));
}

/* Room for a prefix of `length` with `gates` gates (0: none) in all layers, none of which is used
 * yet. */
static void make_prefix(sp_soft_prompt *p, long length, int layers, long width, long gates) {
    p->layers = layers;
    p->prefix = sp_leaf(length, 2L * layers * width);
    p->views = sp_alloc(3 * (size_t)layers, sizeof *p->views);
    p->kv = sp_alloc((size_t)layers, sizeof *p->kv);
    for (int i = 0; i < 2 * layers; i++)
        p->views[i] = (sp_var){
            .rows = length, .cols = width, .ld = p->prefix.ld, .data = p->prefix.data + i * width};
    if (gates == 0) return;
    p->gates = sp_leaf(layers, gates);
    for (int i = 0; i < layers; i++)
        p->views[2 * layers + i] =
            (sp_var){.rows = 1, .cols = gates, .ld = gates, .data = p->gates.data + i * gates};
}

static void use_layer(sp_soft_prompt *p, int layer) {
    p->kv[layer] = (sp_kv){.key = &p->views[2 * layer],
                           .value = &p->views[2 * layer + 1],
                           .gate = p->gates.rows ? &p->views[2 * p->layers + layer] : NULL};
}

static void copy_prefix(sp_soft_prompt *p, const sp_kv *kv, int layers) {
    for (int i = 0; i < layers; i++) {
        if (!kv[i].key) continue;
        long gates = kv[i].gate ? kv[i].gate->cols : 0;
        if (!p->kv) make_prefix(p, kv[i].key->rows, layers, kv[i].key->cols, gates);
        use_layer(p, i);
        copy_rows(kv[i].key, p->kv[i].key);
        copy_rows(kv[i].value, p->kv[i].value);
        if (gates) copy_rows(kv[i].gate, p->kv[i].gate);
    }
}

void sp_soft_prompt_copy(const sp_model *model, const sp_steering *s, const char *separator,
                         sp_soft_prompt *p) {
    *p = (sp_soft_prompt){
        .separator = sp_strdup(separator), .first_position = s->first_position, .infix = s->infix};
    if (s->virtual_rows) {
        p->virtual_rows = sp_leaf(s->virtual_rows->rows, s->virtual_rows->cols);
        copy_rows(s->virtual_rows, &p->virtual_rows);
    }
    if (s->prefix) copy_prefix(p, s->prefix, model->config.n_layer);
    sp_attached_copy(model, s, &p->attached);
}

sp_status sp_soft_prompt_from(const sp_tuner *tuner, const sp_tokenizer *tokenizer,
                              const char *separator, sp_soft_prompt *p) {
    sp_tape tape = {.inference = true};
    sp_steering steering;
    sp_tuner_inject(tuner, &tape, &steering);
    sp_soft_prompt_copy(tuner->model, &steering, separator, p);
    sp_tape_free(&tape);
    const char *text = tuner->method->uses_template ? tuner->options.template : "x";
    sp_status st = sp_template_parse(text, (int)p->virtual_rows.rows, tokenizer, &p->template);
    if (st) sp_soft_prompt_free(p);
    return st;
}

void sp_soft_prompt_free(sp_soft_prompt *p) {
    sp_template_free(&p->template);
    sp_leaf_free(&p->virtual_rows);
    sp_leaf_free(&p->prefix);
    sp_leaf_free(&p->gates);
    sp_attached_free(&p->attached);
    free(p->views);
    free(p->kv);
    free(p->separator);
    *p = (sp_soft_prompt){0};
}

long sp_soft_prompt_size(const sp_soft_prompt *p, const sp_model *model) {
    long n = p->virtual_rows.rows * p->virtual_rows.cols + sp_params_trainable(&model->params) +
             sp_attached_size(&p->attached);
    for (int i = 0; i < p->layers; i++)
        if (p->kv[i].key) n += 2 * p->kv[i].key->rows * p->kv[i].key->cols + p->gates.cols;
    return n;
}

void sp_soft_prompt_merge(sp_soft_prompt *p, sp_model *model) {
    sp_attached_merge(&p->attached, model);
}

void sp_soft_prompt_unmerge(sp_soft_prompt *p, sp_model *model) {
    sp_attached_unmerge(&p->attached, model);
}

sp_steering sp_soft_prompt_steering(sp_soft_prompt *p) {
    return (sp_steering){.virtual_rows = p->virtual_rows.rows ? &p->virtual_rows : NULL,
                         .prefix = p->kv,
                         .low_rank = p->attached.unmerged ? NULL : p->attached.low_rank,
                         .bottleneck = p->attached.bottleneck,
                         .first_position = p->first_position,
                         .infix = p->infix};
}

/* ---- the /prompt group ---- */

/* One side (keys or values) of the layers that have a prefix, as [k, length, width]. */
static sp_status write_side(const sp_soft_prompt *p, sp_h5 *file, const char *path, bool value,
                            const sp_ints *layers) {
    const sp_var *first = p->kv[layers->data[0]].key;
    size_t dims[3] = {layers->len, (size_t)first->rows, (size_t)first->cols};
    float *packed = sp_alloc_floats(dims[0] * dims[1] * dims[2]);
    for (size_t i = 0; i < layers->len; i++) {
        sp_var target = {.ld = first->cols, .data = packed + i * dims[1] * dims[2]};
        const sp_kv *kv = &p->kv[layers->data[i]];
        copy_rows(value ? kv->value : kv->key, &target);
    }
    sp_status st = sp_h5_write_floats(file, path, 3, dims, packed);
    free(packed);
    return st;
}

static sp_status write_gates(const sp_soft_prompt *p, sp_h5 *file, const sp_ints *layers) {
    size_t dims[2] = {layers->len, (size_t)p->gates.cols};
    float *packed = sp_alloc_floats(dims[0] * dims[1]);
    for (size_t i = 0; i < layers->len; i++)
        memcpy(packed + i * dims[1], p->kv[layers->data[i]].gate->data, dims[1] * sizeof(float));
    sp_status st = sp_h5_write_floats(file, "/prompt/gate", 2, dims, packed);
    free(packed);
    return st;
}

static sp_status write_prefix(const sp_soft_prompt *p, sp_h5 *file) {
    sp_ints layers = {0};
    for (int i = 0; i < p->layers; i++)
        if (p->kv[i].key) sp_ints_push(&layers, i);
    sp_status st = sp_prompt_write_ids(file, "/prompt/layers", &layers);
    if (!st) st = write_side(p, file, "/prompt/key", false, &layers);
    if (!st) st = write_side(p, file, "/prompt/value", true, &layers);
    if (!st && p->gates.rows) st = write_gates(p, file, &layers);
    if (!st && p->infix) st = sp_h5_set_int(file, "/prompt", "infix", 1);
    sp_ints_free(&layers);
    return st;
}

static sp_status write_weights(const sp_model *model, sp_h5 *file) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < model->params.count; i++) {
        const sp_param *p = model->params.items[i];
        if (!p->var.needs_grad) continue;
        char *path = sp_format("/prompt/weights/%s", p->name);
        size_t dims[2] = {(size_t)p->dims[0], (size_t)p->dims[1]};
        st = sp_h5_write_floats(file, path, p->rank, dims, p->var.data);
        free(path);
    }
    return st;
}

sp_status sp_soft_prompt_write(const sp_soft_prompt *p, const sp_model *model, sp_h5 *file) {
    sp_status st = sp_h5_set_int(file, "/prompt", "first_position", p->first_position);
    if (!st) st = sp_h5_set_text(file, "/prompt", "separator", p->separator);
    if (!st) st = sp_prompt_write_ids(file, "/prompt/template_before", &p->template.before);
    if (!st) st = sp_prompt_write_ids(file, "/prompt/template_after", &p->template.after);
    if (!st && p->template.framed)
        st = sp_h5_set_int(file, "/prompt", "framed_row", p->template.row);
    if (!st && p->virtual_rows.rows) {
        size_t dims[2] = {(size_t)p->virtual_rows.rows, (size_t)p->virtual_rows.cols};
        st = sp_h5_write_floats(file, "/prompt/embeddings", 2, dims, p->virtual_rows.data);
    }
    if (!st && p->kv) st = write_prefix(p, file);
    if (!st) st = sp_attached_write(&p->attached, model, file);
    return st ? st : write_weights(model, file);
}

/* Ids must be in the vocabulary or name one of the virtual rows. */
static sp_status read_template(sp_h5 *file, const sp_model *model, sp_soft_prompt *p) {
    long least = -p->virtual_rows.rows, limit = model->config.vocab_size;
    sp_status st =
        sp_prompt_read_ids(file, "/prompt/template_before", least, limit, &p->template.before);
    return st ? st
              : sp_prompt_read_ids(file, "/prompt/template_after", least, limit,
                                   &p->template.after);
}

/* Of a framed template, the row must lie in the template's part of every sequence. */
static sp_status read_frame(sp_h5 *file, const sp_model *model, sp_template *t) {
    t->framed = sp_h5_has_attribute(file, "/prompt", "framed_row");
    if (t->framed != model->family->bidirectional)
        return sp_prompt_misfit(file, "/prompt/framed_row");
    if (!t->framed) return SP_OK;
    int64_t row = 0;
    sp_status st = sp_h5_get_int(file, "/prompt", "framed_row", &row);
    if (!st && (row >= (int64_t)t->before.len || row < -(int64_t)t->after.len))
        st = sp_prompt_misfit(file, "/prompt/framed_row");
    t->row = (int)row;
    return st;
}

static sp_status read_embeddings(sp_h5 *file, const sp_model *model, sp_soft_prompt *p) {
    if (!sp_h5_exists(file, "/prompt/embeddings")) return SP_OK;
    int rank;
    size_t dims[3], count;
    float *rows = NULL;
    sp_status st = sp_h5_shape(file, "/prompt/embeddings", &rank, dims);
    if (st) return st;
    if (rank != 2 || dims[1] != (size_t)model->config.n_embd)
        return sp_prompt_misfit(file, "/prompt/embeddings");
    if ((st = sp_h5_read_floats(file, "/prompt/embeddings", &rows, &count))) return st;
    p->virtual_rows = sp_leaf((long)dims[0], (long)dims[1]);
    memcpy(p->virtual_rows.data, rows, count * sizeof(float));
    free(rows);
    return SP_OK;
}

static sp_status read_side(sp_h5 *file, const char *path, bool value, const int64_t *layers,
                           size_t layer_count, sp_soft_prompt *p) {
    float *packed = NULL;
    size_t count;
    sp_status st = sp_h5_read_floats(file, path, &packed, &count);
    size_t side = (size_t)p->prefix.rows * (size_t)p->views[0].cols;
    if (!st && count != layer_count * side) st = sp_prompt_misfit(file, path);
    for (size_t i = 0; !st && i < layer_count; i++) {
        sp_var from = {.rows = p->prefix.rows,
                       .cols = p->views[0].cols,
                       .ld = p->views[0].cols,
                       .data = packed + i * side};
        copy_rows(&from, &p->views[2 * layers[i] + value]);
        use_layer(p, (int)layers[i]);
    }
    free(packed);
    return st;
}

/* How many gates a layer's prefix has; 0: none. */
static sp_status read_gate_count(sp_h5 *file, const sp_model *model, size_t layers, long *out) {
    *out = 0;
    if (!sp_h5_exists(file, "/prompt/gate")) return SP_OK;
    int rank;
    size_t dims[3];
    sp_status st = sp_h5_shape(file, "/prompt/gate", &rank, dims);
    if (st) return st;
    if (rank != 2 || dims[0] != layers || (dims[1] != 1 && dims[1] != (size_t)model->config.n_head))
        return sp_prompt_misfit(file, "/prompt/gate");
    *out = (long)dims[1];
    return SP_OK;
}

static sp_status read_gates(sp_h5 *file, const int64_t *layers, sp_soft_prompt *p) {
    if (p->gates.rows == 0) return SP_OK;
    float *packed = NULL;
    size_t count, gates = (size_t)p->gates.cols;
    sp_status st = sp_h5_read_floats(file, "/prompt/gate", &packed, &count);
    for (size_t i = 0; !st && i < count / gates; i++)
        memcpy(p->kv[layers[i]].gate->data, packed + i * gates, gates * sizeof(float));
    free(packed);
    return st;
}

static sp_status read_prefix(sp_h5 *file, const sp_model *model, sp_soft_prompt *p) {
    if (!sp_h5_exists(file, "/prompt/key")) return SP_OK;
    int rank;
    size_t dims[3], count = 0;
    long gates = 0;
    int64_t *layers = NULL;
    sp_status st = sp_h5_shape(file, "/prompt/key", &rank, dims);
    if (!st) st = sp_h5_read_ints(file, "/prompt/layers", &layers, &count);
    if (!st && (rank != 3 || count == 0 || dims[0] != count || dims[1] == 0 ||
                dims[2] != (size_t)sp_config_kv_width(&model->config)))
        st = sp_prompt_misfit(file, "/prompt/key");
    for (size_t i = 0; !st && i < count; i++)
        if (layers[i] < 0 || layers[i] >= model->config.n_layer)
            st = sp_prompt_misfit(file, "/prompt/layers");
    if (!st) st = read_gate_count(file, model, count, &gates);
    if (!st) {
        make_prefix(p, (long)dims[1], model->config.n_layer, (long)dims[2], gates);
        st = read_side(file, "/prompt/key", false, layers, count, p);
    }
    if (!st) st = read_side(file, "/prompt/value", true, layers, count, p);
    if (!st) st = read_gates(file, layers, p);
    p->infix = sp_h5_has_attribute(file, "/prompt", "infix");
    free(layers);
    return st;
}

static sp_status read_weight(sp_h5 *file, const char *name, sp_model *model) {
    sp_param *param = sp_params_find(&model->params, name);
    char *path = sp_format("/prompt/weights/%s", name);
    if (param) sp_leaf_floats(&param->var);
    sp_status st =
        param ? sp_prompt_read_var(file, path, &param->var) : sp_prompt_misfit(file, path);
    free(path);
    return st;
}

static sp_status read_weights(sp_h5 *file, sp_model *model) {
    if (!sp_h5_is_group(file, "/prompt/weights")) return SP_OK;
    sp_strings names = {0};
    sp_status st = sp_h5_members(file, "/prompt/weights", &names);
    for (size_t i = 0; !st && i < names.len; i++) st = read_weight(file, names.data[i], model);
    sp_strings_free(&names);
    return st;
}

sp_status sp_soft_prompt_read(sp_h5 *file, sp_model *model, sp_soft_prompt *p) {
    *p = (sp_soft_prompt){0};
    int64_t first_position = 0;
    sp_status st = sp_h5_get_int(file, "/prompt", "first_position", &first_position);
    if (!st && (first_position < 0 || first_position >= model->config.n_positions))
        st = sp_prompt_misfit(file, "/prompt/first_position");
    p->first_position = (int)first_position;
    if (!st) st = sp_h5_get_text(file, "/prompt", "separator", &p->separator);
    if (!st) st = read_embeddings(file, model, p);
    if (!st) st = read_template(file, model, p);
    if (!st) st = read_frame(file, model, &p->template);
    if (!st) st = read_prefix(file, model, p);
    if (!st) st = read_weights(file, model);
    if (!st) st = sp_attached_read(file, model, &p->attached);
    if (!st) sp_soft_prompt_merge(p, model);
    if (st) sp_soft_prompt_free(p);
    return st;
}
