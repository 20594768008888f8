/* config.json, with Hugging Face's keys. */
#include "core/file.h"
#include "model/model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any real model; keeps products of sizes within 64 bits. */
enum { LARGEST = 1 << 24 };

static sp_status read_int(const char *path, const json_t *root, const char *key, long fallback,
                          long min, int *out) {
    const json_t *value = json_object_get(root, key);
    if ((!value || json_is_null(value)) && fallback >= 0) {
        *out = (int)fallback;
        return SP_OK;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > LARGEST)
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be a whole number from %ld to %d", path, key,
                       min, LARGEST);
    *out = (int)json_integer_value(value);
    return SP_OK;
}

static sp_status read_real(const char *path, const json_t *root, const char *key, double fallback,
                           double *out) {
    const json_t *value = json_object_get(root, key);
    *out = json_is_number(value) ? json_number_value(value) : fallback;
    if (value && (!json_is_number(value) || *out <= 0 || *out > 1))
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be a number in (0, 1]", path, key);
    return SP_OK;
}

static sp_status check_activation(const char *path, const json_t *root) {
    const char *name = json_string_value(json_object_get(root, "activation_function"));
    if (name && strcmp(name, "gelu_new") != 0 && strcmp(name, "gelu_pytorch_tanh") != 0)
        return sp_fail(SP_ERR_FORMAT, "%s: activation_function '%s' is not known; use gelu_new",
                       path, name);
    return SP_OK;
}

/* An id that is left out is 0, as in the embedded models. */
static sp_status read_token_id(const char *path, const json_t *root, const char *key,
                               int vocab_size, int *out) {
    sp_status st = read_int(path, root, key, 0, 0, out);
    if (!st && *out >= vocab_size)
        st = sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is %d, but the vocabulary has %d tokens", path, key,
                     *out, vocab_size);
    return st;
}

/* Variants of the equations that gpt2.c does not have. (reorder_and_upcast_attn changes rounding
 * only.) */
static sp_status check_variant(const char *path, const json_t *root) {
    static const struct {
        const char *key;
        bool needed; /* and Hugging Face's default */
    } switches[] = {{"tie_word_embeddings", true},
                    {"scale_attn_weights", true},
                    {"scale_attn_by_inverse_layer_idx", false}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        const json_t *value = json_object_get(root, switches[i].key);
        if (value && !json_is_boolean(value))
            return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be true or false", path,
                           switches[i].key);
        if (value && json_is_true(value) != switches[i].needed)
            return sp_fail(SP_ERR_FORMAT,
                           "%s: \"%s\" is %s, which is not supported; use a model without it", path,
                           switches[i].key, json_is_true(value) ? "true" : "false");
    }
    return SP_OK;
}

static sp_status read_fields(const char *path, const json_t *root, sp_config *c) {
    const char *type = json_string_value(json_object_get(root, "model_type"));
    if (!type) return sp_fail(SP_ERR_FORMAT, "%s: \"model_type\" is missing", path);
    snprintf(c->model_type, sizeof c->model_type, "%s", type);
    if (!sp_family_find(c->model_type))
        return sp_fail(SP_ERR_FORMAT, "%s: model_type '%s' is not supported; use one of: %s", path,
                       type, sp_family_names());
    sp_status st;
    if ((st = read_int(path, root, "vocab_size", -1, 1, &c->vocab_size))) return st;
    if ((st = read_int(path, root, "n_positions", -1, 1, &c->n_positions))) return st;
    if ((st = read_int(path, root, "n_embd", -1, 1, &c->n_embd))) return st;
    if ((st = read_int(path, root, "n_layer", -1, 1, &c->n_layer))) return st;
    if ((st = read_int(path, root, "n_head", -1, 1, &c->n_head))) return st;
    if ((st = read_int(path, root, "n_inner", 4L * c->n_embd, 1, &c->n_inner))) return st;
    if ((st = read_token_id(path, root, "bos_token_id", c->vocab_size, &c->bos_token_id)))
        return st;
    if ((st = read_token_id(path, root, "eos_token_id", c->vocab_size, &c->eos_token_id)))
        return st;
    if ((st = read_real(path, root, "layer_norm_epsilon", 1e-5, &c->layer_norm_epsilon))) return st;
    if ((st = read_real(path, root, "initializer_range", 0.02, &c->initializer_range))) return st;
    if (c->n_embd % c->n_head)
        return sp_fail(SP_ERR_FORMAT, "%s: n_embd %d is not a multiple of n_head %d", path,
                       c->n_embd, c->n_head);
    if ((st = check_variant(path, root))) return st;
    return check_activation(path, root);
}

sp_status sp_config_read(const char *path, sp_config *out) {
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) {
        json_error_t error;
        json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
        *out = (sp_config){0};
        st = json_is_object(root) ? read_fields(path, root, out)
                                  : sp_fail(SP_ERR_FORMAT, "%s:%d: not a JSON object: %s", path,
                                            error.line, error.text);
        json_decref(root);
    }
    sp_buf_free(&text);
    return st;
}

sp_status sp_config_write(const char *path, const sp_config *c) {
    json_t *root = json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:i, s:i, s:f, s:f, s:f, s:b}",
        "architectures", "GPT2LMHeadModel", "model_type", c->model_type, "vocab_size",
        c->vocab_size, "n_positions", c->n_positions, "n_embd", c->n_embd, "n_layer", c->n_layer,
        "n_head", c->n_head, "n_inner", c->n_inner, "activation_function", "gelu_new",
        "layer_norm_epsilon", c->layer_norm_epsilon, "initializer_range", c->initializer_range,
        "bos_token_id", c->bos_token_id, "eos_token_id", c->eos_token_id, "attn_pdrop", 0.0,
        "embd_pdrop", 0.0, "resid_pdrop", 0.0, "tie_word_embeddings", 1);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    json_decref(root);
    if (!text) return sp_fail(SP_ERR_INTERNAL, "%s: cannot be encoded", path);
    sp_status st = sp_write_file(path, text, strlen(text));
    free(text);
    return st;
}
