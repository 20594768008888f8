/* Scaled rotary positions of a GGUF model. */
#include "model/gguf_model.h"
#include "model/rotations.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char factors_name[] = "rope_freqs.weight";
enum { MAX_PAIRS = 1 << 16 };

/* A key behind "<architecture>.rope."; valid until the next call of this thread. */
static const char *key_of(const char *architecture, const char *name) {
    static _Thread_local char key[128];
    snprintf(key, sizeof key, "%s.rope.%s", architecture, name);
    return key;
}

static void copy_real(const sp_gguf *file, const char *key, const char *ours, json_t *out) {
    double value;
    if (sp_gguf_find_real(file, key, &value)) json_object_set_new(out, ours, json_real(value));
}

static bool is(sp_gguf_text text, const char *name) {
    return text.len == strlen(name) && memcmp(text.data, name, text.len) == 0;
}

static json_t *linear(double factor) {
    return json_pack("{s:s, s:f}", "rope_type", "linear", "factor", factor);
}

static json_t *yarn(const sp_gguf *file, const char *architecture, double factor) {
    json_t *out = json_pack("{s:s, s:f}", "rope_type", "yarn", "factor", factor);
    int64_t original;
    double attention;
    if (sp_gguf_find_int(file, key_of(architecture, "scaling.original_context_length"), &original))
        json_object_set_new(out, "original_max_position_embeddings", json_integer(original));
    copy_real(file, key_of(architecture, "scaling.yarn_beta_fast"), "beta_fast", out);
    copy_real(file, key_of(architecture, "scaling.yarn_beta_slow"), "beta_slow", out);
    /* llama.cpp multiplies what Hugging Face replaces. */
    if (sp_gguf_find_real(file, key_of(architecture, "scaling.attn_factor"), &attention))
        json_object_set_new(out, "attention_factor",
                            json_real(attention * (factor > 1 ? 0.1 * log(factor) + 1 : 1)));
    return out;
}

/* The scaling of Llama 3.1 to 3.3 stands there as a factor for each pair. Their published factors
 * differ in the last one only; sp_gguf_model_check_rope compares them all. */
static sp_status llama3(const sp_gguf *file, json_t **out) {
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, factors_name);
    if (t->rank != 1 || t->count < 1 || t->count > MAX_PAIRS)
        return sp_fail(SP_ERR_FORMAT, "%s: %s is no list of factors; convert the model again",
                       sp_gguf_path(file), factors_name);
    float *factors = sp_alloc_floats(t->count);
    sp_status st = sp_gguf_read(file, factors_name, 1, t->dims, factors);
    double last = (double)factors[t->count - 1];
    free(factors);
    if (!st && last != 1)
        *out = json_pack("{s:s, s:f, s:f, s:f, s:i}", "rope_type", "llama3", "factor", last,
                         "low_freq_factor", 1.0, "high_freq_factor", 4.0,
                         "original_max_position_embeddings", 8192);
    return st;
}

sp_status sp_gguf_model_rope(const sp_gguf *file, const char *architecture, json_t **out) {
    sp_gguf_text type = sp_gguf_find_text(file, key_of(architecture, "scaling.type"));
    double factor;
    bool scaled = sp_gguf_find_real(file, key_of(architecture, "scaling.factor"), &factor);
    *out = NULL;
    if (sp_gguf_find_tensor(file, factors_name)) return llama3(file, out);
    if (!type.data && !scaled) /* as old files say it */
        scaled = sp_gguf_find_real(file, key_of(architecture, "scale_linear"), &factor);
    if ((type.data && is(type, "none")) || (!type.data && !scaled)) return SP_OK;
    if (scaled && (!type.data || is(type, "linear")))
        *out = linear(factor);
    else if (scaled && is(type, "yarn"))
        *out = yarn(file, architecture, factor);
    else
        return sp_fail(
            SP_ERR_FORMAT,
            "%s: the rotary positions are scaled as '%.*s'; none, linear and yarn, with a "
            "factor, are read",
            sp_gguf_path(file), type.len < 64 ? (int)type.len : 64, type.data);
    return SP_OK;
}

static sp_status compare(const sp_gguf *file, const sp_config *c, const float *factors,
                         const double *periods) {
    for (int i = 0; i < c->head_size / 2; i++) {
        double stored = pow(c->rope_theta, 2.0 * i / c->head_size) * (double)factors[i];
        if (!(fabs(periods[i] - stored) <= 1e-3 * stored))
            return sp_fail(SP_ERR_FORMAT,
                           "%s: factor %d of %s is %g, which is not Llama 3's; use the model's "
                           "safetensors",
                           sp_gguf_path(file), i, factors_name, (double)factors[i]);
    }
    return SP_OK;
}

sp_status sp_gguf_model_check_rope(const sp_gguf *file, const sp_config *c) {
    if (!sp_gguf_find_tensor(file, factors_name) || c->rope_theta == 0) return SP_OK;
    int64_t dims[] = {c->head_size / 2};
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, factors_name);
    float *factors = sp_alloc_floats(t->bytes ? t->count : 1);
    sp_arena memory = {0};
    sp_status st = sp_gguf_read(file, factors_name, 1, dims, factors);
    if (!st) {
        sp_rotations rotations;
        sp_rotations_make(c, &memory, &rotations);
        st = compare(file, c, factors, rotations.periods);
    }
    sp_arena_free(&memory);
    free(factors);
    return st;
}
