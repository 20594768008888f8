/* config.json of Llama, Mistral and Qwen2, with Hugging Face's keys. What a file leaves out is as
 * in transformers. */
#include "model/config.h"
#include "model/families.h"
#include "model/rotations.h"

#include <string.h>

/* Far above any real head: the table of its rotations is then of 64 MB. */
enum { LARGEST_HEAD = 4096 };

/* `kv_heads`: what a file without the key means; null means as many as heads. */
static sp_status read_heads(sp_config_source s, int kv_heads, sp_config *c) {
    sp_status st;
    if ((st = sp_config_int(s, "num_attention_heads", SP_CONFIG_REQUIRED, &c->n_head))) return st;
    if (kv_heads == 0 || json_object_get(s.root, "num_key_value_heads")) kv_heads = c->n_head;
    if ((st = sp_config_int(s, "num_key_value_heads", kv_heads, &c->n_kv_head))) return st;
    if (!json_is_integer(json_object_get(s.root, "head_dim")) && c->n_embd % c->n_head)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: hidden_size %d is not a multiple of num_attention_heads %d, and there "
                       "is no head_dim",
                       s.path, c->n_embd, c->n_head);
    long each = c->n_embd / c->n_head;
    if ((st = sp_config_int(s, "head_dim", each ? each : 1, &c->head_size))) return st;
    if (c->head_size % 2 || c->head_size > LARGEST_HEAD)
        return sp_fail(
            SP_ERR_FORMAT,
            "%s: heads of %d numbers cannot be rotated in pairs; their size must be even "
            "and at most %d",
            s.path, c->head_size, LARGEST_HEAD);
    return SP_OK;
}

/* The keys that all three have. */
static sp_status read_common(sp_config_source s, int kv_heads, sp_config *c) {
    static const char *const silu[] = {"silu", NULL};
    sp_status st;
    if ((st = sp_config_int(s, "vocab_size", SP_CONFIG_REQUIRED, &c->vocab_size))) return st;
    if ((st = sp_config_int(s, "max_position_embeddings", SP_CONFIG_REQUIRED, &c->n_positions)))
        return st;
    if ((st = sp_config_int(s, "hidden_size", SP_CONFIG_REQUIRED, &c->n_embd))) return st;
    if ((st = sp_config_int(s, "num_hidden_layers", SP_CONFIG_REQUIRED, &c->n_layer))) return st;
    if ((st = sp_config_int(s, "intermediate_size", SP_CONFIG_REQUIRED, &c->n_inner))) return st;
    if ((st = read_heads(s, kv_heads, c))) return st;
    if ((st = sp_config_token(s, "bos_token_id", c->vocab_size, &c->bos_token_id))) return st;
    if ((st = sp_config_token(s, "eos_token_id", c->vocab_size, &c->eos_token_id))) return st;
    if ((st = sp_config_real(s, "rms_norm_eps", 1e-6, 1, &c->layer_norm_epsilon))) return st;
    if ((st = sp_config_real(s, "initializer_range", 0.02, 1, &c->initializer_range))) return st;
    if ((st = sp_config_bool(s, "tie_word_embeddings", false, &c->tie_word_embeddings))) return st;
    if ((st = sp_config_only_text(s, "hidden_act", silu))) return st;
    if ((st = sp_config_absent(s, "quantization_config"))) return st;
    return sp_rope_read_config(s, c);
}

static void set_text(json_t *root, const char *key, const char *text) {
    json_object_set_new(root, key, json_string(text));
}

static void set_int(json_t *root, const char *key, int value) {
    json_object_set_new(root, key, json_integer(value));
}

static void set_bool(json_t *root, const char *key, bool value) {
    json_object_set_new(root, key, json_boolean(value));
}

static json_t *write_common(const sp_config *c, const char *architecture) {
    json_t *root = json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "architectures",
        architecture, "model_type", c->model_type, "vocab_size", c->vocab_size,
        "max_position_embeddings", c->n_positions, "hidden_size", c->n_embd, "num_hidden_layers",
        c->n_layer, "intermediate_size", c->n_inner, "num_attention_heads", c->n_head,
        "num_key_value_heads", c->n_kv_head, "head_dim", c->head_size, "rms_norm_eps",
        c->layer_norm_epsilon, "initializer_range", c->initializer_range);
    set_text(root, "hidden_act", "silu");
    sp_rope_write_config(c, root);
    set_int(root, "bos_token_id", c->bos_token_id);
    set_int(root, "eos_token_id", c->eos_token_id);
    set_bool(root, "tie_word_embeddings", c->tie_word_embeddings);
    json_object_set_new(root, "attention_dropout", json_real(0.0));
    return root;
}

/* ---- Llama ---- */

sp_status sp_llama_read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    sp_status st;
    if ((st = read_common(s, 0, c))) return st;
    if ((st = sp_config_bool(s, "attention_bias", false, &c->attention_bias))) return st;
    c->output_bias = c->attention_bias;
    return sp_config_bool(s, "mlp_bias", false, &c->mlp_bias);
}

json_t *sp_llama_write_config(const sp_config *c) {
    json_t *root = write_common(c, "LlamaForCausalLM");
    set_bool(root, "attention_bias", c->attention_bias);
    set_bool(root, "mlp_bias", c->mlp_bias);
    return root;
}

/* ---- the sliding window ---- */

/* Absent is 4096 in transformers, null is none. */
static sp_status read_window(sp_config_source s, sp_config *c) {
    static const char *const key = "sliding_window";
    if (json_is_null(json_object_get(s.root, key))) return SP_OK;
    return sp_config_int(s, key, 4096, &c->sliding_window);
}

static void write_window(const sp_config *c, json_t *root) {
    json_object_set_new(root, "sliding_window",
                        c->sliding_window ? json_integer(c->sliding_window) : json_null());
}

/* ---- Mistral ---- */

sp_status sp_mistral_read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    sp_status st;
    if ((st = read_common(s, 8, c))) return st;
    if ((st = sp_config_absent(s, "layer_types"))) return st;
    return read_window(s, c);
}

json_t *sp_mistral_write_config(const sp_config *c) {
    json_t *root = write_common(c, "MistralForCausalLM");
    write_window(c, root);
    return root;
}

/* ---- Qwen2 ---- */

static sp_status fail_types(sp_config_source s, const char *what) {
    return sp_fail(SP_ERR_FORMAT,
                   "%s: \"layer_types\" %s; only lists of full_attention for the lower layers and "
                   "sliding_attention for the others are supported",
                   s.path, what);
}

/* "layer_types", in transformers 5 a name for each layer, as the first layer with a window. */
static sp_status read_layer_types(sp_config_source s, const json_t *types, sp_config *c) {
    if (!json_is_array(types) || json_array_size(types) != (size_t)c->n_layer)
        return fail_types(s, "does not name every layer");
    c->window_from = c->n_layer;
    for (int i = 0; i < c->n_layer; i++) {
        const char *name = json_string_value(json_array_get(types, (size_t)i));
        bool sliding = name && strcmp(name, "sliding_attention") == 0;
        if (!sliding && (!name || strcmp(name, "full_attention") != 0))
            return fail_types(s, "has another name");
        if (!sliding && c->window_from < i) return fail_types(s, "goes back to full_attention");
        if (sliding && c->sliding_window == 0)
            return fail_types(s, "has sliding_attention, but there is no window");
        if (sliding && c->window_from > i) c->window_from = i;
    }
    return SP_OK;
}

sp_status sp_qwen2_read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    bool windowed = false;
    sp_status st;
    if ((st = read_common(s, 32, c))) return st;
    if ((st = sp_config_bool(s, "use_sliding_window", false, &windowed))) return st;
    if (windowed && (st = read_window(s, c))) return st;
    if (c->sliding_window && (st = sp_config_count(s, "max_window_layers", 28, &c->window_from)))
        return st;
    c->attention_bias = true;
    const json_t *types = json_object_get(root, "layer_types");
    return !types || json_is_null(types) ? SP_OK : read_layer_types(s, types, c);
}

json_t *sp_qwen2_write_config(const sp_config *c) {
    json_t *root = write_common(c, "Qwen2ForCausalLM");
    set_bool(root, "use_sliding_window", c->sliding_window > 0);
    write_window(c, root);
    set_int(root, "max_window_layers", c->sliding_window ? c->window_from : c->n_layer);
    return root;
}
