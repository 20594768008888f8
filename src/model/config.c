/* config.json: what is common to the families, and the readers of its keys. */
#include "model/config.h"

#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any real model; keeps products of sizes within 64 bits. */
enum { LARGEST = 1 << 24 };

long sp_config_kv_width(const sp_config *c) {
    long head_size = c->head_size ? c->head_size : c->n_embd / c->n_head;
    return (c->n_kv_head ? c->n_kv_head : c->n_head) * head_size;
}

/* ---- keys ---- */

/* NULL where the key is absent or null. */
static const json_t *find(sp_config_source s, const char *key) {
    const json_t *value = json_object_get(s.root, key);
    return json_is_null(value) ? NULL : value;
}

static sp_status check_int(sp_config_source s, const char *key, const json_t *value, long least,
                           int *out) {
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > LARGEST)
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be a whole number from %ld to %d", s.path,
                       key, least, LARGEST);
    *out = (int)json_integer_value(value);
    return SP_OK;
}

sp_status sp_config_int(sp_config_source s, const char *key, long fallback, int *out) {
    const json_t *value = find(s, key);
    *out = (int)fallback;
    return value || fallback == SP_CONFIG_REQUIRED ? check_int(s, key, value, 1, out) : SP_OK;
}

sp_status sp_config_count(sp_config_source s, const char *key, int fallback, int *out) {
    const json_t *value = find(s, key);
    *out = fallback;
    return value ? check_int(s, key, value, 0, out) : SP_OK;
}

sp_status sp_config_real(sp_config_source s, const char *key, double fallback, double most,
                         double *out) {
    const json_t *value = find(s, key);
    *out = value ? json_number_value(value) : fallback;
    if (value && (!json_is_number(value) || !(*out > 0) || *out > most))
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be a number above 0, at most %g", s.path,
                       key, most);
    return SP_OK;
}

sp_status sp_config_bool(sp_config_source s, const char *key, bool fallback, bool *out) {
    const json_t *value = find(s, key);
    if (value && !json_is_boolean(value))
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be true or false", s.path, key);
    *out = value ? json_is_true(value) : fallback;
    return SP_OK;
}

/* Hugging Face's names of each sp_activation, the first the one that is written. */
static const char *const activations[][3] = {[SP_GELU_NEW] = {"gelu_new", "gelu_pytorch_tanh"},
                                             [SP_GELU_EXACT] = {"gelu", "gelu_python"},
                                             [SP_RELU] = {"relu"}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

sp_status sp_config_activation(sp_config_source s, const char *key, sp_activation fallback,
                               sp_activation *out) {
    const json_t *value = find(s, key);
    const char *name = json_string_value(value);
    *out = fallback;
    if (!value) return SP_OK;
    for (int kind = 0; name && kind < ACTIVATIONS; kind++)
        for (const char *const *known = activations[kind]; *known; known++)
            if (strcmp(*known, name) == 0) {
                *out = (sp_activation)kind;
                return SP_OK;
            }
    return sp_fail(SP_ERR_FORMAT,
                   "%s: \"%s\" is %s, which is not supported; use a model with gelu, gelu_new or "
                   "relu",
                   s.path, key, name ? name : "no text");
}

const char *sp_activation_name(sp_activation kind) {
    return activations[kind][0];
}

sp_status sp_config_token(sp_config_source s, const char *key, int vocab_size, int *out) {
    const json_t *given = find(s, key);
    const json_t *value = json_is_array(given) ? json_array_get(given, 0) : given;
    *out = 0;
    sp_status st = given ? check_int(s, key, value, 0, out) : SP_OK;
    if (!st && *out >= vocab_size)
        st = sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is %d, but the vocabulary has %d tokens", s.path,
                     key, *out, vocab_size);
    return st;
}

sp_status sp_config_absent(sp_config_source s, const char *key) {
    if (!find(s, key)) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is not supported; use a model without it", s.path,
                   key);
}

sp_status sp_config_only_bool(sp_config_source s, const char *key, bool only) {
    bool value = only;
    sp_status st = sp_config_bool(s, key, only, &value);
    if (!st && value != only)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: \"%s\" is %s, which is not supported; use a model without it", s.path,
                     key, value ? "true" : "false");
    return st;
}

sp_status sp_config_only_text(sp_config_source s, const char *key, const char *const *names) {
    const json_t *value = find(s, key);
    if (!value) return SP_OK;
    const char *text = json_string_value(value);
    for (size_t i = 0; text && names[i]; i++)
        if (strcmp(text, names[i]) == 0) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is %s, which is not supported; use a model with %s",
                   s.path, key, text ? text : "no text", names[0]);
}

/* ---- the file ---- */

static sp_status check_heads(const char *path, const sp_config *c) {
    if (c->n_kv_head && c->n_head % c->n_kv_head)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: %d attention heads cannot share %d heads of keys and values; their "
                       "number must be a divisor",
                       path, c->n_head, c->n_kv_head);
    return SP_OK;
}

sp_status sp_config_from_json(sp_config_source s, sp_config *c) {
    *c = (sp_config){0};
    const char *path = s.path, *type = json_string_value(json_object_get(s.root, "model_type"));
    if (!type) return sp_fail(SP_ERR_FORMAT, "%s: \"model_type\" is missing", path);
    const sp_family *family = sp_family_find(type);
    if (!family)
        return sp_fail(SP_ERR_FORMAT, "%s: model_type '%s' is not supported; use one of: %s", path,
                       type, sp_family_names());
    snprintf(c->model_type, sizeof c->model_type, "%s", type);
    sp_status st = family->read_config(path, s.root, c);
    return st ? st : check_heads(path, c);
}

sp_status sp_config_read(const char *path, sp_config *out) {
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) {
        json_error_t error;
        json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
        sp_config_source source = {path, root};
        st = json_is_object(root) ? sp_config_from_json(source, out)
                                  : sp_fail(SP_ERR_FORMAT, "%s:%d: not a JSON object: %s", path,
                                            error.line, error.text);
        json_decref(root);
    }
    sp_buf_free(&text);
    return st;
}

sp_status sp_config_write(const char *path, const sp_config *c) {
    json_t *root = sp_family_find(c->model_type)->write_config(c);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    json_decref(root);
    if (!text) return sp_fail(SP_ERR_INTERNAL, "%s: cannot be encoded", path);
    sp_status st = sp_write_file(path, text, strlen(text));
    free(text);
    return st;
}
