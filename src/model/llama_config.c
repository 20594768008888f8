/* config.json of Llama, with Hugging Face's keys. */
#include "model/config.h"
#include "model/families.h"

static const double MOST_THETA = 1e12;

/* Since transformers 5, "rope_parameters" holds rope_theta and rope_type; before, rope_theta stood
 * alone and "rope_scaling" held what departs from the default. */
static sp_status read_rope(sp_config_source s, sp_config *c) {
    static const char *const keys[] = {"rope_parameters", "rope_scaling"};
    static const char *const types[] = {"default", NULL};
    sp_status st = sp_config_real(s, "rope_theta", 10000, MOST_THETA, &c->rope_theta);
    for (size_t i = 0; !st && i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(s.root, keys[i]);
        if (!value || json_is_null(value)) continue;
        if (!json_is_object(value))
            return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be an object or null", s.path, keys[i]);
        sp_config_source inner = {s.path, value};
        st = sp_config_only_text(inner, "rope_type", types);
        if (!st) st = sp_config_only_text(inner, "type", types);
        if (!st)
            st = sp_config_real(inner, "rope_theta", c->rope_theta, MOST_THETA, &c->rope_theta);
    }
    return st;
}

static sp_status check_absent(sp_config_source s, const char *key) {
    const json_t *value = json_object_get(s.root, key);
    if (!value || json_is_null(value)) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is not supported; use the model without it", s.path,
                   key);
}

static sp_status read_heads(sp_config_source s, sp_config *c) {
    sp_status st;
    if ((st = sp_config_int(s, "num_attention_heads", SP_CONFIG_REQUIRED, &c->n_head))) return st;
    if ((st = sp_config_int(s, "num_key_value_heads", c->n_head, &c->n_kv_head))) return st;
    if (!json_is_integer(json_object_get(s.root, "head_dim")) && c->n_embd % c->n_head)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: hidden_size %d is not a multiple of num_attention_heads %d, and there "
                       "is no head_dim",
                       s.path, c->n_embd, c->n_head);
    long each = c->n_embd / c->n_head;
    if ((st = sp_config_int(s, "head_dim", each ? each : 1, &c->head_size))) return st;
    if (c->head_size % 2)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: heads of %d numbers cannot be rotated in pairs; their "
                       "size must be even",
                       s.path, c->head_size);
    return SP_OK;
}

sp_status sp_llama_read_config(const char *path, const json_t *root, sp_config *c) {
    static const char *const silu[] = {"silu", NULL};
    sp_config_source s = {path, root};
    sp_status st;
    if ((st = sp_config_int(s, "vocab_size", SP_CONFIG_REQUIRED, &c->vocab_size))) return st;
    if ((st = sp_config_int(s, "max_position_embeddings", SP_CONFIG_REQUIRED, &c->n_positions)))
        return st;
    if ((st = sp_config_int(s, "hidden_size", SP_CONFIG_REQUIRED, &c->n_embd))) return st;
    if ((st = sp_config_int(s, "num_hidden_layers", SP_CONFIG_REQUIRED, &c->n_layer))) return st;
    if ((st = sp_config_int(s, "intermediate_size", SP_CONFIG_REQUIRED, &c->n_inner))) return st;
    if ((st = read_heads(s, c))) return st;
    if ((st = sp_config_token(s, "bos_token_id", c->vocab_size, &c->bos_token_id))) return st;
    if ((st = sp_config_token(s, "eos_token_id", c->vocab_size, &c->eos_token_id))) return st;
    if ((st = sp_config_real(s, "rms_norm_eps", 1e-6, 1, &c->layer_norm_epsilon))) return st;
    if ((st = sp_config_real(s, "initializer_range", 0.02, 1, &c->initializer_range))) return st;
    if ((st = sp_config_bool(s, "tie_word_embeddings", false, &c->tie_word_embeddings))) return st;
    if ((st = sp_config_bool(s, "attention_bias", false, &c->attention_bias))) return st;
    if ((st = sp_config_bool(s, "mlp_bias", false, &c->mlp_bias))) return st;
    if ((st = sp_config_only_text(s, "hidden_act", silu))) return st;
    if ((st = check_absent(s, "quantization_config"))) return st;
    return read_rope(s, c);
}

json_t *sp_llama_write_config(const sp_config *c) {
    return json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:i, "
        "s:i, s:b, s:b, s:b, s:f}",
        "architectures", "LlamaForCausalLM", "model_type", c->model_type, "vocab_size",
        c->vocab_size, "max_position_embeddings", c->n_positions, "hidden_size", c->n_embd,
        "num_hidden_layers", c->n_layer, "intermediate_size", c->n_inner, "num_attention_heads",
        c->n_head, "num_key_value_heads", c->n_kv_head, "head_dim", c->head_size, "hidden_act",
        "silu", "rms_norm_eps", c->layer_norm_epsilon, "initializer_range", c->initializer_range,
        "rope_theta", c->rope_theta, "bos_token_id", c->bos_token_id, "eos_token_id",
        c->eos_token_id, "tie_word_embeddings", (int)c->tie_word_embeddings, "attention_bias",
        (int)c->attention_bias, "mlp_bias", (int)c->mlp_bias, "attention_dropout", 0.0);
}
