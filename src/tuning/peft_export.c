/* From a soft prompt to PEFT's folder. What the prompt holds decides the type; what a type cannot
 * hold is refused before anything is written. */
#include "tuning/peft.h"

#include "core/file.h"
#include "tuning/peft_adaption.h"
#include "tuning/peft_config.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The version whose layout this is. */
#define PEFT_VERSION "0.21.2"

/* Deviation of an adaption prompt's keys and values that is no more than rounding. */
static const double rounding = 1e-4;

/* An export at work. */
typedef struct adapter_parts {
    const sp_peft_source *source;
    sp_peft_type type;
    json_t *config;
    sp_named_tensor *tensors;
    size_t count;
    sp_params own; /* values that the source does not have as they are */
} adapter_parts;

/* ---- what PEFT can hold ---- */

static sp_status refuse(const sp_peft_source *s, const char *what, const char *remedy) {
    return sp_fail(SP_ERR_SPEC, "%s: PEFT cannot hold %s (method %s); %s", s->place, what,
                   s->method, remedy);
}

/* The virtual rows, then of an encoder [CLS]; and behind the input its [SEP]. */
static bool rows_come_first(const sp_soft_prompt *p) {
    const sp_template *t = &p->template;
    long rows = p->virtual_rows.rows, frame = t->framed;
    bool first = (long)t->after.len == frame && (long)t->before.len == rows + frame;
    for (int i = 0; first && i < rows; i++) first = t->before.data[i] == -1 - i;
    return first && (!frame || t->before.data[rows] >= 0);
}

/* PEFT leaves the choice of the row to transformers' encoders, which read the first. */
static sp_status check_encoder(const sp_peft_source *s) {
    const sp_template *t = &s->prompt->template;
    if (!t->framed) return SP_OK;
    if (s->head->output != SP_OUTPUT_LINEAR)
        return refuse(s, "an encoder without a linear head", "train with output linear");
    if (t->row != 0)
        return refuse(s, "a head that reads [CLS] behind virtual tokens",
                      "on an encoder, use prefix, p-tuning-v2, lora or adalora");
    return sp_peft_check_pooler(s->model, s->place);
}

static int prefixed_layers(const sp_soft_prompt *p) {
    int count = 0;
    for (int i = 0; i < p->layers; i++) count += p->kv[i].key != NULL;
    return count;
}

static sp_status check_prefix(const sp_peft_source *s) {
    const sp_soft_prompt *p = s->prompt;
    if (p->infix) return refuse(s, "an infix", "train with position: prefix");
    if (prefixed_layers(p) != p->layers)
        return refuse(s, "a prefix in some of the layers", "train with layers: 0");
    if (p->first_position != p->prefix.rows)
        return refuse(s, "a prefix beside which positions begin at 0",
                      "train with shift_positions: true");
    return SP_OK;
}

/* The layers with a prompt must be the top ones. */
static sp_status check_adaption(const sp_peft_source *s) {
    const sp_soft_prompt *p = s->prompt;
    sp_status st = sp_peft_check_adaption(s->model, s->place);
    if (st) return st;
    if (p->gates.cols != 1) return refuse(s, "a gate a head", "use a run with one gate a layer");
    for (int i = p->layers - prefixed_layers(p); i < p->layers; i++)
        if (!p->kv[i].key)
            return refuse(s, "an adaption prompt in other than the top layers",
                          "use a run of this program's adaption-prompt");
    if (s->head->output == SP_OUTPUT_LINEAR)
        return refuse(s, "an adaption prompt with a class head",
                      "use output text, or another method");
    return SP_OK;
}

static int parts_of(const sp_soft_prompt *p) {
    return (p->virtual_rows.rows > 0) + (p->kv != NULL) + (p->attached.low_rank != NULL);
}

static sp_status find_type(const sp_peft_source *s, sp_peft_type *out) {
    const sp_soft_prompt *p = s->prompt;
    if (p->attached.bottleneck)
        return refuse(s, "adapters", "use `softprompt generate --adapter` with the run itself");
    if (s->head->output == SP_OUTPUT_VERBALIZER)
        return refuse(s, "a verbalizer", "train with output text or linear");
    if (s->head->output == SP_OUTPUT_TOKEN_LINEAR)
        return refuse(s, "a head for tags", "train with output text or linear");
    if (parts_of(p) != 1)
        return refuse(s, parts_of(p) ? "several parts in one adapter" : "an adapter of nothing",
                      "use a run of prefix, p-tuning-v2, prompt, p-tuning, lora, adalora or "
                      "adaption-prompt");
    if (!rows_come_first(p))
        return refuse(s, "a template", "train with template: P x (of methods without rows: x)");
    sp_status st = check_encoder(s);
    if (st) return st;
    if (p->virtual_rows.rows) {
        *out = strcmp(s->method, "p-tuning") == 0 ? SP_PEFT_P_TUNING : SP_PEFT_PROMPT_TUNING;
        return SP_OK;
    }
    *out = !p->kv ? SP_PEFT_LORA : p->gates.rows ? SP_PEFT_ADAPTION_PROMPT : SP_PEFT_PREFIX_TUNING;
    if (*out == SP_PEFT_PREFIX_TUNING) return check_prefix(s);
    return *out == SP_PEFT_ADAPTION_PROMPT ? check_adaption(s) : SP_OK;
}

/* ---- tensors ---- */

/* Takes ownership of the name; the values stay where they are. */
static void add(adapter_parts *out, char *name, int rank, const int64_t *dims, const float *data) {
    out->tensors = sp_realloc(out->tensors, out->count + 1, sizeof *out->tensors);
    sp_named_tensor *t = &out->tensors[out->count++];
    *t = (sp_named_tensor){.name = name, .dtype = SP_F32, .rank = rank, .data = data};
    memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
}

static void add_matrix(adapter_parts *out, char *name, const sp_var *v) {
    add(out, name, 2, (int64_t[]){v->rows, v->cols}, v->data);
}

static void set(adapter_parts *out, const char *key, json_t *value) {
    json_object_set_new(out->config, key, value);
}

static void set_prompt(adapter_parts *out, long rows, long width, int heads) {
    set(out, "num_virtual_tokens", json_integer(rows));
    set(out, "token_dim", json_integer(width));
    set(out, "num_layers", json_integer(out->source->model->config.n_layer));
    set(out, "num_attention_heads", json_integer(heads));
    set(out, "num_transformer_submodules", json_integer(1));
}

/* PEFT keeps what its encoder gives, too; without an encoder, training can go on there. */
static void add_prefix(adapter_parts *out) {
    const sp_model *m = out->source->model;
    const sp_var *prefix = &out->source->prompt->prefix;
    long width = sp_config_kv_width(&m->config);
    add_matrix(out, sp_strdup("prompt_embeddings"), prefix);
    set_prompt(out, prefix->rows, width, m->config.n_kv_head);
    set(out, "encoder_hidden_size", json_integer(width));
    set(out, "prefix_projection", json_false());
}

static void add_rows(adapter_parts *out) {
    const sp_config *c = &out->source->model->config;
    const sp_var *rows = &out->source->prompt->virtual_rows;
    add_matrix(out, sp_strdup("prompt_embeddings"), rows);
    set_prompt(out, rows->rows, c->n_embd, c->n_head);
    if (out->type == SP_PEFT_PROMPT_TUNING) {
        set(out, "prompt_tuning_init", json_string("RANDOM"));
        return;
    }
    set(out, "encoder_reparameterization_type", json_string("MLP"));
    set(out, "encoder_hidden_size", json_integer(c->n_embd));
    set(out, "encoder_num_layers", json_integer(2));
    set(out, "encoder_dropout", json_real(0));
}

static sp_status add_adaption_layer(adapter_parts *out, int layer) {
    const sp_kv *kv = &out->source->prompt->kv[layer];
    long d = out->source->model->config.n_embd;
    char *start = sp_format("base_model.model.model.layers.%d.self_attn", layer);
    char *name = sp_format("%s.adaption_prompt", start);
    sp_var *rows = sp_params_add(&out->own, name, 2, kv->key->rows, d);
    double deviation = sp_adaption_rows(out->source->model, layer, kv, rows->data);
    add(out, name, 3, (int64_t[]){1, rows->rows, d}, rows->data);
    add(out, sp_format("%s.adaption_gate", start), 1, (int64_t[]){1}, kv->gate->data);
    free(start);
    if (deviation <= rounding) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "%s: no rows give the keys and values of layer %d (best deviation %.1e of the "
                   "largest); was it trained in bf16? train it in fp32",
                   out->source->place, layer, deviation);
}

static sp_status add_adaption(adapter_parts *out) {
    const sp_soft_prompt *p = out->source->prompt;
    int count = prefixed_layers(p);
    sp_status st = SP_OK;
    for (int i = p->layers - count; !st && i < p->layers; i++) st = add_adaption_layer(out, i);
    set(out, "adapter_layers", json_integer(count));
    set(out, "adapter_len", json_integer(p->prefix.rows));
    set(out, "target_modules", json_string("self_attn"));
    return st;
}

/* ---- updates of low rank ---- */

static json_t *number(double value) {
    bool whole = value == floor(value) && fabs(value) < 1e15;
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static double alpha_of(const sp_low_rank *u) {
    return (double)u->scale * (double)u->down->rows;
}

/* Ranks and alphas that are not those of the first update go into the patterns. */
static void add_updates(adapter_parts *out) {
    const sp_model *m = out->source->model;
    const sp_low_rank *updates = out->source->prompt->attached.low_rank, *first = NULL;
    bool *chosen = sp_alloc((size_t)m->projection_count, sizeof *chosen), stored_plain = false;
    json_t *ranks = json_object(), *alphas = json_object();
    for (int i = 0; i < m->projection_count; i++) {
        const sp_low_rank *u = &updates[i];
        const sp_projection *p = &m->projections[i];
        if (!u->down) continue;
        if (!first) first = u;
        chosen[i] = true;
        stored_plain |= !p->map.transposed;
        if (u->down->rows != first->down->rows)
            json_object_set_new(ranks, p->name, json_integer(u->down->rows));
        if (alpha_of(u) != alpha_of(first))
            json_object_set_new(alphas, p->name, number(alpha_of(u)));
        add_matrix(out, sp_format("base_model.model.%s.lora_A.weight", p->name), u->down);
        add_matrix(out, sp_format("base_model.model.%s.lora_B.weight", p->name), u->up);
    }
    set(out, "r", json_integer(first->down->rows));
    set(out, "lora_alpha", number(alpha_of(first)));
    set(out, "rank_pattern", ranks);
    set(out, "alpha_pattern", alphas);
    set(out, "target_modules", sp_peft_target_names(m, chosen));
    set(out, "fan_in_fan_out", json_boolean(stored_plain));
    set(out, "bias", json_string("none"));
    set(out, "lora_dropout", json_real(0));
    set(out, "init_lora_weights", json_true());
    free(chosen);
}

/* ---- the whole ---- */

static void add_map(adapter_parts *out, const char *name, const sp_var *weight,
                    const sp_var *bias) {
    add_matrix(out, sp_format("%s.weight", name), weight);
    add(out, sp_format("%s.bias", name), 1, (int64_t[]){bias->cols}, bias->data);
}

/* Below the model that PEFT wraps: of LoRA it is one deeper than of prompts. A decoder's head is
 * `score`, an encoder's `classifier`, of RoBERTa in two maps. */
static void add_head(adapter_parts *out) {
    const sp_class_head *h = out->source->head;
    if (h->output != SP_OUTPUT_LINEAR) return;
    const char *start = out->type == SP_PEFT_LORA ? "base_model.model" : "base_model";
    bool encoder = out->source->model->family->bidirectional;
    const char *last = h->dense_weight ? "classifier.out_proj" : encoder ? "classifier" : "score";
    char *name = sp_format("%s.%s", start, last), *dense = sp_format("%s.classifier.dense", start);
    add_map(out, name, h->weight, h->bias);
    if (h->dense_weight) add_map(out, dense, h->dense_weight, h->dense_bias);
    set(out, "modules_to_save", json_pack("[s, s]", "classifier", "score"));
    free(name);
    free(dense);
}

static sp_status fill(adapter_parts *out) {
    const sp_peft_source *s = out->source;
    bool classifies = s->head->output == SP_OUTPUT_LINEAR;
    sp_status st = SP_OK;
    set(out, "peft_type", json_string(sp_peft_type_name(out->type)));
    set(out, "peft_version", json_string(PEFT_VERSION));
    set(out, "task_type", json_string(classifies ? "SEQ_CLS" : "CAUSAL_LM"));
    set(out, "base_model_name_or_path", json_string(s->base));
    set(out, "inference_mode", json_true());
    switch (out->type) {
    case SP_PEFT_PREFIX_TUNING:
        add_prefix(out);
        break;
    case SP_PEFT_PROMPT_TUNING:
    case SP_PEFT_P_TUNING:
        add_rows(out);
        break;
    case SP_PEFT_ADAPTION_PROMPT:
        st = add_adaption(out);
        break;
    default:
        add_updates(out);
    }
    add_head(out);
    return st;
}

static sp_status write_config(const json_t *config, const char *path) {
    char *text = json_dumps(config, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (!text) return sp_fail(SP_ERR_SPEC, "%s: a name in it is not UTF-8", path);
    sp_status st = sp_write_file(path, text, strlen(text));
    free(text);
    return st;
}

/* The configuration comes last, after an older one has gone: a reader never sees one beside tensors
 * that are not its own. */
static sp_status write_files(const adapter_parts *parts, const char *folder) {
    char *config = sp_path_join(folder, SP_PEFT_CONFIG);
    char *weights = sp_path_join(folder, SP_PEFT_WEIGHTS);
    sp_status st = SP_OK;
    if (unlink(config) != 0 && errno != ENOENT)
        st = sp_fail(SP_ERR_IO, "%s: cannot be replaced: %s", config, strerror(errno));
    if (!st) st = sp_safetensors_write(weights, parts->tensors, parts->count);
    if (!st) st = write_config(parts->config, config);
    free(config);
    free(weights);
    return st;
}

static void remove_folder(const char *folder) {
    static const char *const files[] = {SP_PEFT_CONFIG, SP_PEFT_WEIGHTS};
    for (int i = 0; i < 2; i++) {
        char *path = sp_path_join(folder, files[i]);
        unlink(path);
        free(path);
    }
    rmdir(folder);
}

/* Fills a folder beside the wanted one and renames it, which also replaces an empty one. */
static sp_status write_folder(const adapter_parts *parts, const char *folder) {
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/') len--;
    char *wanted = sp_strndup(folder, len), *parent = sp_path_folder(wanted);
    char *temporary = sp_format("%s.XXXXXX", wanted);
    sp_status st = sp_make_folders(parent);
    if (!st && !mkdtemp(temporary))
        st = sp_fail(SP_ERR_IO, "%s: a folder cannot be made there: %s", parent, strerror(errno));
    if (!st) {
        chmod(temporary, 0755);
        st = write_files(parts, temporary);
        if (!st && rename(temporary, wanted) != 0)
            st = sp_fail(SP_ERR_IO,
                         "%s: exists and is no empty folder (%s); use another name, or --force to "
                         "replace an adapter in it",
                         wanted, strerror(errno));
        if (st) remove_folder(temporary);
    }
    free(temporary);
    free(parent);
    free(wanted);
    return st;
}

static bool is_folder(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

sp_status sp_peft_export(const sp_peft_source *source, const char *folder, bool force) {
    adapter_parts parts = {.source = source, .config = json_object()};
    sp_status st = find_type(source, &parts.type);
    if (!st) st = fill(&parts);
    if (!st)
        st =
            force && is_folder(folder) ? write_files(&parts, folder) : write_folder(&parts, folder);
    for (size_t i = 0; i < parts.count; i++) free((char *)parts.tensors[i].name);
    free(parts.tensors);
    sp_params_free(&parts.own);
    json_decref(parts.config);
    return st;
}
