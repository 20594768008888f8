/* Rotary positions in config.json, with Hugging Face's keys. */
#include "model/rotations.h"

#include <string.h>

static const double MOST = 1e12;

static const char *const type_names[] = {[SP_ROPE_DEFAULT] = "default",
                                         [SP_ROPE_LINEAR] = "linear",
                                         [SP_ROPE_DYNAMIC] = "dynamic",
                                         [SP_ROPE_LLAMA3] = "llama3",
                                         [SP_ROPE_YARN] = "yarn"};
enum { TYPES = sizeof type_names / sizeof *type_names };

/* The object under `key` in *out; NULL if it is absent, null or empty. */
static sp_status read_object(sp_config_source s, const char *key, const json_t **out) {
    const json_t *value = json_object_get(s.root, key);
    *out = json_is_null(value) ? NULL : value;
    if (*out && !json_is_object(*out))
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be an object or null", s.path, key);
    if (*out && json_object_size(*out) == 0) *out = NULL;
    return SP_OK;
}

/* "rope_type", in older files "type"; absent is the default. */
static sp_status read_type(sp_config_source inner, sp_rope_type *out) {
    const char *key = json_object_get(inner.root, "rope_type") ? "rope_type" : "type";
    const json_t *value = json_object_get(inner.root, key);
    const char *name = json_string_value(value);
    *out = SP_ROPE_DEFAULT;
    if (!value || json_is_null(value)) return SP_OK;
    for (int i = 0; name && i < TYPES; i++)
        if (strcmp(name, type_names[i]) == 0) {
            *out = (sp_rope_type)i;
            return SP_OK;
        }
    return sp_fail(SP_ERR_FORMAT,
                   "%s: \"%s\" of the rotary positions is %s, which is not supported; use a model "
                   "with default, linear, dynamic, llama3 or yarn",
                   inner.path, key, name ? name : "no text");
}

static sp_status require(sp_config_source inner, const char *key, double *out) {
    if (!json_is_number(json_object_get(inner.root, key)))
        return sp_fail(SP_ERR_FORMAT,
                       "%s: the rotary positions lack the number \"%s\"; add it to rope_parameters",
                       inner.path, key);
    return sp_config_real(inner, key, 1, MOST, out);
}

/* A top-level "original_max_position_embeddings" comes first, the whole context last. */
static sp_status read_original(sp_config_source s, sp_config_source inner, sp_config *c) {
    static const char *const key = "original_max_position_embeddings";
    bool above = json_is_integer(json_object_get(s.root, key));
    return sp_config_int(above ? s : inner, key, c->n_positions,
                         &c->rope_scaling.original_max_position_embeddings);
}

static sp_status read_llama3(sp_config_source s, sp_config_source inner, sp_config *c) {
    sp_rope_scaling *r = &c->rope_scaling;
    sp_status st;
    if ((st = read_original(s, inner, c))) return st;
    if ((st = require(inner, "low_freq_factor", &r->low_freq_factor))) return st;
    if ((st = require(inner, "high_freq_factor", &r->high_freq_factor))) return st;
    if (r->high_freq_factor <= r->low_freq_factor)
        return sp_fail(SP_ERR_FORMAT, "%s: \"high_freq_factor\" must be above \"low_freq_factor\"",
                       inner.path);
    return SP_OK;
}

static sp_status read_yarn(sp_config_source s, sp_config_source inner, sp_config *c) {
    sp_rope_scaling *r = &c->rope_scaling;
    sp_status st;
    if ((st = read_original(s, inner, c))) return st;
    if ((st = sp_config_real(inner, "beta_fast", 32, MOST, &r->beta_fast))) return st;
    if ((st = sp_config_real(inner, "beta_slow", 1, MOST, &r->beta_slow))) return st;
    if ((st = sp_config_real(inner, "attention_factor", 0, MOST, &r->attention_factor))) return st;
    if ((st = sp_config_bool(inner, "truncate", true, &r->truncate))) return st;
    if ((st = sp_config_absent(inner, "mscale"))) return st;
    if ((st = sp_config_absent(inner, "mscale_all_dim"))) return st;
    if (c->rope_theta <= 1)
        return sp_fail(SP_ERR_FORMAT, "%s: \"rope_theta\" must be above 1 with yarn", inner.path);
    return SP_OK;
}

static sp_status read_scaling(sp_config_source s, sp_config_source inner, sp_config *c) {
    sp_rope_scaling *r = &c->rope_scaling;
    double rotated = 1;
    sp_status st;
    *r = (sp_rope_scaling){0};
    if ((st = read_type(inner, &r->type))) return st;
    if ((st = sp_config_real(inner, "partial_rotary_factor", 1, 1, &rotated))) return st;
    if (rotated < 1) return sp_config_absent(inner, "partial_rotary_factor");
    if ((st = sp_config_real(inner, "rope_theta", c->rope_theta, MOST, &c->rope_theta))) return st;
    if (r->type != SP_ROPE_DEFAULT && (st = require(inner, "factor", &r->factor))) return st;
    if (r->type == SP_ROPE_LLAMA3) return read_llama3(s, inner, c);
    return r->type == SP_ROPE_YARN ? read_yarn(s, inner, c) : SP_OK;
}

/* Where both are there, "rope_scaling" counts, as in transformers. */
sp_status sp_rope_read_config(sp_config_source s, sp_config *c) {
    static const char *const keys[] = {"rope_parameters", "rope_scaling"};
    sp_status st = sp_config_real(s, "rope_theta", 10000, MOST, &c->rope_theta);
    for (size_t i = 0; !st && i < sizeof keys / sizeof *keys; i++) {
        const json_t *value;
        st = read_object(s, keys[i], &value);
        if (!st && value) st = read_scaling(s, (sp_config_source){s.path, value}, c);
    }
    return st;
}

void sp_rope_write_config(const sp_config *c, json_t *root) {
    const sp_rope_scaling *r = &c->rope_scaling;
    json_object_set_new(root, "rope_theta", json_real(c->rope_theta));
    if (r->type == SP_ROPE_DEFAULT) return;
    json_t *inner = json_pack("{s:s, s:f}", "rope_type", type_names[r->type], "factor", r->factor);
    if (r->original_max_position_embeddings)
        json_object_set_new(inner, "original_max_position_embeddings",
                            json_integer(r->original_max_position_embeddings));
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"low_freq_factor", r->low_freq_factor},
                   {"high_freq_factor", r->high_freq_factor},
                   {"beta_fast", r->beta_fast},
                   {"beta_slow", r->beta_slow},
                   {"attention_factor", r->attention_factor}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value > 0)
            json_object_set_new(inner, numbers[i].key, json_real(numbers[i].value));
    if (r->type == SP_ROPE_YARN) json_object_set_new(inner, "truncate", json_boolean(r->truncate));
    json_object_set_new(root, "rope_scaling", inner);
}
