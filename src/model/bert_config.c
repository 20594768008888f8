/* config.json of BERT and RoBERTa, with Hugging Face's keys. */
#include "model/config.h"
#include "model/families.h"

#include <string.h>

/* Variants of the equations that bert.c does not have. */
static sp_status check_variant(sp_config_source s) {
    static const char *const absolute[] = {"absolute", NULL};
    sp_status st;
    if ((st = sp_config_only_bool(s, "is_decoder", false))) return st;
    if ((st = sp_config_only_bool(s, "add_cross_attention", false))) return st;
    if ((st = sp_config_only_bool(s, "tie_word_embeddings", true))) return st;
    return sp_config_only_text(s, "position_embedding_type", absolute);
}

static sp_status read_sizes(sp_config_source s, sp_config *c) {
    sp_status st;
    if ((st = sp_config_int(s, "vocab_size", SP_CONFIG_REQUIRED, &c->vocab_size))) return st;
    if ((st = sp_config_int(s, "max_position_embeddings", SP_CONFIG_REQUIRED, &c->n_positions)))
        return st;
    if ((st = sp_config_int(s, "hidden_size", SP_CONFIG_REQUIRED, &c->n_embd))) return st;
    if ((st = sp_config_int(s, "num_hidden_layers", SP_CONFIG_REQUIRED, &c->n_layer))) return st;
    if ((st = sp_config_int(s, "num_attention_heads", SP_CONFIG_REQUIRED, &c->n_head))) return st;
    if ((st = sp_config_int(s, "intermediate_size", SP_CONFIG_REQUIRED, &c->n_inner))) return st;
    if ((st = sp_config_int(s, "type_vocab_size", 2, &c->type_vocab_size))) return st;
    if (c->n_embd % c->n_head == 0) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s: hidden_size %d is not a multiple of num_attention_heads %d",
                   s.path, c->n_embd, c->n_head);
}

sp_status sp_bert_read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    sp_status st;
    if ((st = read_sizes(s, c))) return st;
    if ((st = sp_config_token(s, "bos_token_id", c->vocab_size, &c->bos_token_id))) return st;
    if ((st = sp_config_token(s, "eos_token_id", c->vocab_size, &c->eos_token_id))) return st;
    if ((st = sp_config_real(s, "layer_norm_eps", 1e-12, 1, &c->layer_norm_epsilon))) return st;
    if ((st = sp_config_real(s, "initializer_range", 0.02, 1, &c->initializer_range))) return st;
    if ((st = sp_config_activation(s, "hidden_act", SP_GELU_EXACT, &c->activation))) return st;
    c->tie_word_embeddings = c->attention_bias = c->mlp_bias = true;
    return check_variant(s);
}

/* Positions are numbered from pad_token_id + 1 on. */
sp_status sp_roberta_read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    sp_status st = sp_bert_read_config(path, root, c);
    int padding = 1;
    if (!st && json_object_get(root, "pad_token_id"))
        st = sp_config_token(s, "pad_token_id", c->vocab_size, &padding);
    if (st) return st;
    c->position_offset = padding + 1;
    if (c->n_positions > c->position_offset) {
        c->n_positions -= c->position_offset;
        return SP_OK;
    }
    return sp_fail(SP_ERR_FORMAT,
                   "%s: \"max_position_embeddings\" is %d, but positions begin at pad_token_id + 1 "
                   "= %d",
                   path, c->n_positions, c->position_offset);
}

json_t *sp_bert_write_config(const sp_config *c) {
    bool roberta = strcmp(c->model_type, "roberta") == 0;
    json_t *root = json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:b, s:f, s:f}",
        "architectures", roberta ? "RobertaForMaskedLM" : "BertForMaskedLM", "model_type",
        c->model_type, "vocab_size", c->vocab_size, "max_position_embeddings",
        c->n_positions + c->position_offset, "hidden_size", c->n_embd, "num_hidden_layers",
        c->n_layer, "num_attention_heads", c->n_head, "intermediate_size", c->n_inner,
        "type_vocab_size", c->type_vocab_size, "hidden_act", sp_activation_name(c->activation),
        "layer_norm_eps", c->layer_norm_epsilon, "initializer_range", c->initializer_range,
        "tie_word_embeddings", 1, "hidden_dropout_prob", 0.0, "attention_probs_dropout_prob", 0.0);
    if (!roberta) return root;
    json_object_set_new(root, "pad_token_id", json_integer(c->position_offset - 1));
    json_object_set_new(root, "bos_token_id", json_integer(c->bos_token_id));
    json_object_set_new(root, "eos_token_id", json_integer(c->eos_token_id));
    return root;
}
