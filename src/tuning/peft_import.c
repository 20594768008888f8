/* From PEFT's folder to a soft prompt: the tensors become a steering on a tape, of which
 * soft_prompt.c keeps a copy as it does of a method's. */
#include "tuning/peft.h"

#include "core/file.h"
#include "tuning/frame.h"
#include "tuning/peft_adaption.h"
#include "tuning/peft_config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 100000 };
static const double most_alpha = 1e9;

/* An import at work. */
typedef struct adapter_files {
    const sp_model *model;
    sp_peft_config config;
    char *path; /* of the tensors */
    sp_safetensors *file;
    bool *used;      /* [tensors] taken by something */
    sp_params taken; /* their values */
    sp_tape tape;    /* what is computed of them */
} adapter_files;

/* ---- tensors ---- */

static const sp_stored_tensor *find_tensor(adapter_files *in, const char *name) {
    const sp_stored_tensor *t = sp_safetensors_find(in->file, name);
    if (t) in->used[t - sp_safetensors_at(in->file, 0)] = true;
    return t;
}

static sp_status missing(const adapter_files *in, const char *name) {
    return sp_fail(SP_ERR_FORMAT,
                   "%s: has no tensor %s, which " SP_PEFT_CONFIG
                   " asks for on this model; use the model that the adapter was made for, or save "
                   "the adapter again",
                   in->path, name);
}

/* Takes a tensor of `rank` dims (-1: any) as the matrix [rows, cols] of its values. */
static sp_status take(adapter_files *in, const char *name, int rank, const int64_t *dims,
                      sp_var **out) {
    const sp_stored_tensor *t = find_tensor(in, name);
    if (!t) return missing(in, name);
    long cols = 1;
    for (int i = 1; i < t->rank; i++) cols = (long)t->dims[i];
    sp_status st = sp_safetensors_fits(in->file, name, rank, dims);
    if (st) return st;
    long rows = cols && rank > 1 ? (long)t->count / cols : rank == 1 ? 1 : (long)t->dims[0];
    *out = sp_params_add(&in->taken, name, 2, rows, rank == 1 ? (long)t->count : cols);
    st = sp_safetensors_read(in->file, name, rank, dims, (*out)->data);
    for (size_t i = 0; !st && i < t->count; i++)
        if (!isfinite((*out)->data[i]))
            st = sp_fail(SP_ERR_FORMAT,
                         "%s: tensor %s has a number that is not finite at %zu; the adapter is "
                         "broken, train it again",
                         in->path, name, i);
    return st;
}

/* Nothing may be left over: it would change what PEFT says. */
static sp_status check_all_used(const adapter_files *in) {
    size_t left = 0, first = 0, count = sp_safetensors_count(in->file);
    for (size_t i = count; i > 0; i--)
        if (!in->used[i - 1]) {
            left++;
            first = i - 1;
        }
    if (!left) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: tensor %s (%zu of %zu are like it) has no place in a %s adapter of this "
                   "model; use the model that the adapter was made for",
                   in->path, sp_safetensors_at(in->file, first)->name, left, count,
                   sp_peft_type_name(in->config.type));
}

/* ---- rows and prefixes ---- */

/* prompt_embeddings [num_virtual_tokens, width] */
static sp_status take_embeddings(adapter_files *in, long width, sp_var **out) {
    long rows = 0;
    sp_status st = sp_peft_config_expect(&in->config, "num_transformer_submodules", 1,
                                         "a decoder or an encoder has");
    if (!st)
        st = sp_peft_config_int(&in->config, "num_virtual_tokens", 1,
                                in->model->config.n_positions - 1, &rows);
    return st ? st : take(in, "prompt_embeddings", 2, (int64_t[]){rows, width}, out);
}

static sp_status take_rows(adapter_files *in, sp_steering *s) {
    int d = in->model->config.n_embd;
    sp_status st =
        sp_peft_config_expect(&in->config, "token_dim", d, "this model's hidden size is");
    return st ? st : take_embeddings(in, d, &s->virtual_rows);
}

static sp_var *view(adapter_files *in, sp_var *all, long column, long width) {
    sp_var *v = sp_arena_zero(&in->tape.arena, sizeof *v);
    *v = (sp_var){.rows = all->rows, .cols = width, .ld = all->ld, .data = all->data + column};
    return v;
}

/* Key and value of each layer side by side, the lowest layer first. */
static sp_status take_prefix(adapter_files *in, sp_steering *s) {
    const sp_config *c = &in->model->config;
    long width = sp_config_kv_width(c);
    sp_var *all;
    sp_status st = sp_peft_config_expect(&in->config, "num_layers", c->n_layer, "this model has");
    if (!st)
        st = sp_peft_config_expect(&in->config, "num_attention_heads", c->n_kv_head,
                                   "this model's heads of keys and values are");
    if (!st)
        st = sp_peft_config_expect(&in->config, "token_dim", width,
                                   "this model's keys have the width");
    if (!st) st = take_embeddings(in, 2L * c->n_layer * width, &all);
    if (st) return st;
    sp_kv *kv = sp_arena_zero(&in->tape.arena, (size_t)c->n_layer * sizeof *kv);
    for (int i = 0; i < c->n_layer; i++) {
        kv[i].key = view(in, all, 2L * i * width, width);
        kv[i].value = view(in, all, (2L * i + 1) * width, width);
    }
    s->prefix = kv;
    s->first_position = (int)all->rows;
    return SP_OK;
}

/* ---- adaption prompt ---- */

static sp_status take_adaption_layer(adapter_files *in, int layer, long length, sp_kv *out) {
    char *prompt = sp_format("base_model.model.model.layers.%d.self_attn.adaption_prompt", layer);
    char *gate = sp_format("base_model.model.model.layers.%d.self_attn.adaption_gate", layer);
    sp_var *rows, *value;
    sp_status st = take(in, prompt, 3, (int64_t[]){1, length, in->model->config.n_embd}, &rows);
    if (!st) st = take(in, gate, 1, (int64_t[]){1}, &value);
    if (!st) {
        *out = sp_model_keys_values(&in->tape, in->model, layer, rows);
        out->gate = value;
    }
    free(prompt);
    free(gate);
    return st;
}

static sp_status take_adaption(adapter_files *in, sp_steering *s) {
    const sp_config *c = &in->model->config;
    long layers = 0, length = 0;
    sp_status st = sp_peft_check_adaption(in->model, in->config.path);
    if (!st) st = sp_peft_config_int(&in->config, "adapter_layers", 1, c->n_layer, &layers);
    if (!st) st = sp_peft_config_int(&in->config, "adapter_len", 1, c->n_positions, &length);
    sp_kv *kv = sp_arena_zero(&in->tape.arena, (size_t)c->n_layer * sizeof *kv);
    for (int i = c->n_layer - (int)layers; !st && i < c->n_layer; i++)
        st = take_adaption_layer(in, i, length, &kv[i]);
    s->prefix = kv;
    return st;
}

/* ---- updates of low rank ---- */

static sp_status take_part(adapter_files *in, const sp_projection *p, const char *part, long rows,
                           long cols, sp_var **out) {
    char *name = sp_format("base_model.model.%s.%s", p->name, part);
    sp_status st = take(in, name, 2, (int64_t[]){rows, cols}, out);
    free(name);
    return st;
}

/* LoRA's scale is alpha / r, or alpha / sqrt(r) in rank-stabilised LoRA (Kalajdzievski 2023). */
static sp_status take_lora(adapter_files *in, const sp_projection *p, sp_low_rank *out) {
    const sp_peft_config *c = &in->config;
    double rank = 0, alpha = 0;
    sp_status st = sp_peft_module_number(c, "rank_pattern", "r", p->name, 1, 65536, &rank);
    if (!st)
        st = sp_peft_module_number(c, "alpha_pattern", "lora_alpha", p->name, -most_alpha,
                                   most_alpha, &alpha);
    if (!st && rank != floor(rank))
        st = sp_fail(SP_ERR_FORMAT, "%s: the rank for %s is %g; it must be a whole number", c->path,
                     p->name, rank);
    if (!st)
        st = take_part(in, p, "lora_A.weight", (long)rank, sp_linear_inputs(&p->map), &out->down);
    if (!st)
        st = take_part(in, p, "lora_B.weight", sp_linear_outputs(&p->map), (long)rank, &out->up);
    double root = sp_peft_config_is_true(c, "use_rslora") ? sqrt(rank) : rank;
    if (!st) out->scale = (float)(alpha / root);
    return st;
}

/* Ranks have fallen to what the tensors have; the scale stays that of init_r (with 1e-5 against a
 * division by zero). A linear map may have rank 0, which is no update. */
static sp_status take_adalora(adapter_files *in, const sp_projection *p, sp_low_rank *out) {
    const sp_peft_config *c = &in->config;
    double alpha = 0;
    long rank = 0;
    sp_status st = sp_peft_config_int(c, "init_r", 1, 65536, &rank);
    if (!st) st = sp_peft_module_number(c, "", "lora_alpha", p->name, 1e-9, most_alpha, &alpha);
    if (!st) st = take_part(in, p, "lora_E", -1, 1, &out->diagonal);
    if (st) return st;
    long kept = out->diagonal->rows;
    st = take_part(in, p, "lora_A", kept, sp_linear_inputs(&p->map), &out->down);
    if (!st) st = take_part(in, p, "lora_B", sp_linear_outputs(&p->map), kept, &out->up);
    if (!st) out->scale = (float)(alpha / ((double)rank + 1e-5));
    if (!st && kept == 0) *out = (sp_low_rank){0};
    return st;
}

static sp_status take_updates(adapter_files *in, sp_steering *s) {
    const sp_model *m = in->model;
    size_t count = (size_t)m->projection_count;
    sp_low_rank *updates = sp_arena_zero(&in->tape.arena, count * sizeof *updates);
    bool *chosen = sp_alloc(count, sizeof *chosen);
    bool plain = in->config.type == SP_PEFT_LORA;
    sp_status st = sp_peft_targets(&in->config, m, chosen);
    for (size_t i = 0; !st && i < count; i++)
        if (chosen[i]) st = (plain ? take_lora : take_adalora)(in, &m->projections[i], &updates[i]);
    free(chosen);
    s->low_rank = updates;
    return st;
}

/* ---- class head ---- */

/* The last linear map's name: of LoRA and the like below the wrapped model, of prompts beside it.
 * RoBERTa's has a dense map before it. NULL if there is none. The caller's. */
static char *head_name(const adapter_files *in) {
    static const char *const places[] = {"base_model.model.", "base_model."};
    static const char *const heads[] = {"score", "classifier", "classifier.out_proj"};
    for (int i = 0; i < 6; i++) {
        char *name = sp_format("%s%s", places[i / 3], heads[i % 3]);
        char *weight = sp_format("%s.weight", name);
        bool found = sp_safetensors_find(in->file, weight);
        free(weight);
        if (found) return name;
        free(name);
    }
    return NULL;
}

static sp_status check_labels(const adapter_files *in, const sp_strings *labels, long count) {
    if (labels->len == 0 || (long)labels->len == count) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "%s: its head has %ld labels, but %zu are named; name all of them",
                   in->path, count, labels->len);
}

/* A linear head over `count` labels, named as transformers does unless names are given. */
static sp_status make_head(const adapter_files *in, const sp_strings *names, long count,
                           sp_class_head *out) {
    sp_status st = check_labels(in, names, count);
    if (st) return st;
    sp_label *labels = sp_alloc((size_t)count, sizeof *labels);
    for (long i = 0; i < count; i++)
        labels[i].name = names->len ? sp_strdup(names->data[i]) : sp_format("LABEL_%ld", i);
    st = sp_class_head_create(SP_OUTPUT_LINEAR, labels, (size_t)count, NULL, in->model, 0, out);
    for (long i = 0; i < count; i++) free(labels[i].name);
    free(labels);
    return st;
}

static void copy_values(const sp_var *from, sp_var *to) {
    memcpy(to->data, from->data, (size_t)(to->rows * to->cols) * sizeof(float));
}

/* The bias [n] of a map; transformers' decoders have none, which leaves zeros. */
static sp_status take_bias(adapter_files *in, const char *name, sp_var *out) {
    char *full = sp_format("%s.bias", name);
    sp_var *bias;
    sp_status st = SP_OK;
    memset(out->data, 0, (size_t)out->cols * sizeof(float));
    if (sp_safetensors_find(in->file, full)) {
        st = take(in, full, 1, (int64_t[]){out->cols}, &bias);
        if (!st) copy_values(bias, out);
    }
    free(full);
    return st;
}

/* "classifier.dense" beside "classifier.out_proj". */
static sp_status take_dense(adapter_files *in, const char *name, sp_class_head *head) {
    if (!head->dense_weight) return SP_OK;
    char *dense = sp_format("%.*s.dense", (int)(strrchr(name, '.') - name), name);
    char *weight_name = sp_format("%s.weight", dense);
    sp_var *weight, *to = head->dense_weight;
    sp_status st = take(in, weight_name, 2, (int64_t[]){to->rows, to->cols}, &weight);
    if (!st) copy_values(weight, to);
    if (!st) st = take_bias(in, dense, head->dense_bias);
    free(weight_name);
    free(dense);
    return st;
}

static sp_status take_head(adapter_files *in, const sp_strings *names, sp_class_head *out) {
    if (!in->config.classifies) return SP_OK;
    char *name = head_name(in);
    if (!name) return missing(in, "score.weight or classifier.weight");
    char *weight_name = sp_format("%s.weight", name);
    sp_var *weight;
    int64_t count = sp_safetensors_find(in->file, weight_name)->dims[0];
    sp_status st = SP_OK;
    if (count < 2 || count > MOST_LABELS)
        st = sp_fail(SP_ERR_FORMAT, "%s: tensor %s is for %lld labels; a head has 2 to %d",
                     in->path, weight_name, (long long)count, MOST_LABELS);
    if (!st) st = take(in, weight_name, 2, (int64_t[]){count, in->model->config.n_embd}, &weight);
    if (!st) st = make_head(in, names, (long)count, out);
    if (!st) copy_values(weight, out->weight);
    if (!st) st = take_bias(in, name, out->bias);
    if (!st) st = take_dense(in, name, out);
    free(weight_name);
    free(name);
    return st;
}

/* ---- the whole ---- */

typedef struct reader {
    const char *method;
    sp_status (*take)(adapter_files *in, sp_steering *out);
} reader;

static const reader readers[SP_PEFT_TYPES] = {
    [SP_PEFT_LORA] = {"lora", take_updates},
    [SP_PEFT_ADALORA] = {"adalora", take_updates},
    [SP_PEFT_PREFIX_TUNING] = {"prefix", take_prefix},
    [SP_PEFT_PROMPT_TUNING] = {"prompt", take_rows},
    [SP_PEFT_P_TUNING] = {"p-tuning", take_rows},
    [SP_PEFT_ADAPTION_PROMPT] = {"adaption-prompt", take_adaption}};

static sp_status open_weights(const char *folder, adapter_files *in) {
    in->path = sp_path_join(folder, SP_PEFT_WEIGHTS);
    char *pickled = sp_path_join(folder, "adapter_model.bin");
    sp_status st = SP_OK;
    if (!sp_file_exists(in->path) && sp_file_exists(pickled))
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: tensors in a pickle are not read; load the adapter with PEFT and "
                     "save_pretrained it with safe_serialization=True",
                     pickled);
    if (!st) st = sp_safetensors_open(in->path, &in->file);
    if (!st) in->used = sp_alloc(sp_safetensors_count(in->file) + 1, sizeof *in->used);
    free(pickled);
    return st;
}

/* Virtual rows stand first. Of an encoder, [CLS] and the input follow, and PEFT's head reads what
 * stands first, be it [CLS] or a virtual row. */
static sp_status add_template(const sp_model *m, const sp_peft_extras *extras, sp_soft_prompt *p) {
    for (int i = 0; i < (int)p->virtual_rows.rows; i++) sp_ints_push(&p->template.before, -1 - i);
    if (!m->family->bidirectional) return SP_OK;
    sp_frame frame;
    sp_status st = sp_frame_open(extras->tokenizer, &frame);
    if (st) return st;
    st = sp_frame_place(&frame, SP_OUTPUT_LINEAR, &p->template);
    p->template.row = 0;
    sp_frame_free(&frame);
    return st;
}

/* An encoder says nothing without a head; BERT's stands behind the pooler of the checkpoint. */
static sp_status check_encoder(const adapter_files *in) {
    const sp_model *m = in->model;
    if (!m->family->bidirectional) return SP_OK;
    if (!in->config.classifies)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: the model is an encoder, of which adapters for SEQ_CLS can be taken; "
                       "\"task_type\" is another",
                       in->config.path);
    return sp_peft_check_pooler(m, in->config.path);
}

static sp_status read_adapter(adapter_files *in, const sp_peft_extras *extras,
                              sp_peft_adapter *out) {
    sp_steering steering = {0};
    out->method = readers[in->config.type].method;
    sp_status st = check_encoder(in);
    if (!st) st = readers[in->config.type].take(in, &steering);
    if (!st) st = take_head(in, extras->labels, &out->head);
    if (!st) st = check_all_used(in);
    if (st) return st;
    sp_soft_prompt_copy(in->model, &steering, extras->separator, &out->prompt);
    return add_template(in->model, extras, &out->prompt);
}

sp_status sp_peft_import(const char *folder, const sp_model *model, const sp_peft_extras *extras,
                         sp_peft_adapter *out) {
    adapter_files in = {.model = model, .tape = {.inference = true}};
    *out = (sp_peft_adapter){0};
    sp_status st = sp_peft_config_read(folder, &in.config);
    if (!st) st = open_weights(folder, &in);
    if (!st) st = read_adapter(&in, extras, out);
    if (st) sp_peft_adapter_free(out);
    sp_params_free(&in.taken);
    sp_tape_free(&in.tape);
    sp_safetensors_close(in.file);
    sp_peft_config_free(&in.config);
    free(in.used);
    free(in.path);
    return st;
}

void sp_peft_adapter_free(sp_peft_adapter *adapter) {
    sp_soft_prompt_free(&adapter->prompt);
    sp_class_head_free(&adapter->head);
    *adapter = (sp_peft_adapter){0};
}
