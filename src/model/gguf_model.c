#include "model/gguf_model.h"

#include "core/memory.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- architectures ---- */

/* A pair of names; '*' stands for the number of the block. */
typedef struct name_pair {
    const char *ours, *theirs; /* Hugging Face's; GGUF's */
} name_pair;

typedef struct key_pair {
    const char *ours, *theirs; /* of config.json; behind "<architecture>." */
    bool required;
} key_pair;

typedef struct architecture {
    const char *name; /* general.architecture, and model_type of config.json */
    const name_pair *modules;
    const key_pair *ints, *reals;
    bool rotary;
    bool interleaved; /* the rows of q and k are in the order of rotations of neighbours */
    bool transposed;  /* Hugging Face stores linear maps of blocks [in, out] */
    bool tied;        /* by definition: a head that is there all the same is not read */
} architecture;

static const name_pair llama_modules[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
    {"model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"model.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"model.layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"model.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"model.layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"model.layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {NULL, NULL}};

static const name_pair gpt2_modules[] = {{"transformer.wte", "token_embd"},
                                         {"transformer.wpe", "position_embd"},
                                         {"transformer.ln_f", "output_norm"},
                                         {"transformer.h.*.ln_1", "blk.*.attn_norm"},
                                         {"transformer.h.*.attn.c_attn", "blk.*.attn_qkv"},
                                         {"transformer.h.*.attn.c_proj", "blk.*.attn_output"},
                                         {"transformer.h.*.ln_2", "blk.*.ffn_norm"},
                                         {"transformer.h.*.mlp.c_fc", "blk.*.ffn_up"},
                                         {"transformer.h.*.mlp.c_proj", "blk.*.ffn_down"},
                                         {NULL, NULL}};

static const key_pair llama_ints[] = {{"max_position_embeddings", "context_length", true},
                                      {"hidden_size", "embedding_length", true},
                                      {"num_hidden_layers", "block_count", true},
                                      {"intermediate_size", "feed_forward_length", true},
                                      {"num_attention_heads", "attention.head_count", true},
                                      {"num_key_value_heads", "attention.head_count_kv", false},
                                      {"head_dim", "attention.key_length", false},
                                      {NULL, NULL, false}};
static const key_pair llama_reals[] = {{"rms_norm_eps", "attention.layer_norm_rms_epsilon", true},
                                       {"rope_theta", "rope.freq_base", false},
                                       {NULL, NULL, false}};

static const key_pair gpt2_ints[] = {
    {"n_positions", "context_length", true},  {"n_embd", "embedding_length", true},
    {"n_layer", "block_count", true},         {"n_inner", "feed_forward_length", true},
    {"n_head", "attention.head_count", true}, {NULL, NULL, false}};
static const key_pair gpt2_reals[] = {{"layer_norm_epsilon", "attention.layer_norm_epsilon", true},
                                      {NULL, NULL, false}};

static const architecture architectures[] = {
    {.name = "gpt2",
     .modules = gpt2_modules,
     .ints = gpt2_ints,
     .reals = gpt2_reals,
     .transposed = true,
     .tied = true},
    {.name = "llama",
     .modules = llama_modules,
     .ints = llama_ints,
     .reals = llama_reals,
     .rotary = true,
     .interleaved = true},
    {.name = "qwen2",
     .modules = llama_modules,
     .ints = llama_ints,
     .reals = llama_reals,
     .rotary = true},
};

/* NULL if it is another one. */
static const architecture *find_architecture(const sp_gguf *file) {
    sp_gguf_text name = sp_gguf_find_text(file, "general.architecture");
    for (size_t i = 0; name.data && i < sizeof architectures / sizeof *architectures; i++)
        if (name.len == strlen(architectures[i].name) &&
            memcmp(name.data, architectures[i].name, name.len) == 0)
            return &architectures[i];
    return NULL;
}

/* ---- names ---- */

/* Whether text is the pattern with a number for its '*', which *number [*digits] becomes. */
static bool matches(const char *pattern, const char *text, size_t len, const char **number,
                    int *digits) {
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : strlen(pattern);
    size_t after = star ? strlen(star + 1) : 0;
    *number = text + before;
    *digits = 0;
    if (len < before + after || memcmp(pattern, text, before) != 0) return false;
    if (!star) return len == before;
    for (size_t i = before; i < len - after; i++)
        if (!isdigit((unsigned char)text[i])) return false;
    *digits = (int)(len - before - after);
    return *digits && memcmp(star + 1, text + len - after, after) == 0;
}

static char *translate(const architecture *a, const char *name) {
    const char *part = strrchr(name, '.'), *number;
    if (!part || (strcmp(part, ".weight") != 0 && strcmp(part, ".bias") != 0)) return NULL;
    int digits;
    for (const name_pair *m = a->modules; m->ours; m++) {
        if (!matches(m->ours, name, (size_t)(part - name), &number, &digits)) continue;
        const char *star = strchr(m->theirs, '*');
        return star ? sp_format("%.*s%.*s%s%s", (int)(star - m->theirs), m->theirs, digits, number,
                                star + 1, part)
                    : sp_format("%s%s", m->theirs, part);
    }
    return NULL;
}

char *sp_gguf_model_name(const sp_gguf *file, const char *name) {
    const architecture *a = find_architecture(file);
    return a ? translate(a, name) : NULL;
}

/* ---- configuration ---- */

/* A key that is there must be a number: an array, for instance, is one for each block. */
static sp_status add_key(const sp_gguf *file, const char *key, const key_pair *pair, bool real,
                         json_t *out) {
    int64_t whole;
    double value;
    json_t *found = NULL;
    if (real && sp_gguf_find_real(file, key, &value)) found = json_real(value);
    if (!real && sp_gguf_find_int(file, key, &whole)) found = json_integer(whole);
    if (!found && (pair->required || sp_gguf_has(file, key)))
        return sp_fail(SP_ERR_FORMAT, "%s: the metadata key %s must hold a %snumber",
                       sp_gguf_path(file), key, real ? "" : "whole ");
    if (found) json_object_set_new(out, pair->ours, found);
    return SP_OK;
}

static sp_status add_keys(const sp_gguf *file, const architecture *a, const key_pair *keys,
                          bool real, json_t *out) {
    sp_status st = SP_OK;
    for (const key_pair *k = keys; !st && k->ours; k++) {
        char *key = sp_format("%s.%s", a->name, k->theirs);
        st = add_key(file, key, k, real, out);
        free(key);
    }
    return st;
}

static void add_token(const sp_gguf *file, const char *ours, const char *theirs, json_t *out) {
    int64_t id;
    if (sp_gguf_find_int(file, theirs, &id)) json_object_set_new(out, ours, json_integer(id));
}

static bool has(const sp_gguf *file, const char *name) {
    return sp_gguf_find_tensor(file, name) != NULL;
}

/* The vocabulary is what the embedding has rows for: the list of tokens may be shorter. */
static sp_status add_vocabulary(const sp_gguf *file, json_t *out) {
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, "token_embd.weight");
    if (!t || t->rank != 2)
        return sp_fail(SP_ERR_FORMAT, "%s: has no matrix token_embd.weight; is it a whole model?",
                       sp_gguf_path(file));
    json_object_set_new(out, "vocab_size", json_integer(t->dims[0]));
    add_token(file, "bos_token_id", "tokenizer.ggml.bos_token_id", out);
    add_token(file, "eos_token_id", "tokenizer.ggml.eos_token_id", out);
    return SP_OK;
}

/* What GGUF tells by the tensors that are there. */
static void add_flags(const sp_gguf *file, const architecture *a, json_t *out) {
    bool tied = a->tied || !has(file, "output.weight");
    json_object_set_new(out, "tie_word_embeddings", json_boolean(tied));
    if (strcmp(a->name, "llama") != 0) return;
    json_object_set_new(out, "attention_bias", json_boolean(has(file, "blk.0.attn_q.bias")));
    json_object_set_new(out, "mlp_bias", json_boolean(has(file, "blk.0.ffn_up.bias")));
}

static sp_status check_whole(const sp_gguf *file) {
    int64_t parts;
    if (!sp_gguf_find_int(file, "split.count", &parts) || parts < 2) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: is one of %lld parts of a model; join them with llama-gguf-split --merge",
                   sp_gguf_path(file), (long long)parts);
}

/* Variants that Hugging Face's configuration of these architectures cannot say, or that are only
 * told by a number: rotations of a part of each head, and attention to the last tokens only. */
static sp_status check_variant(const sp_gguf *file, const architecture *a, const json_t *config) {
    char *part = sp_format("%s.rope.dimension_count", a->name);
    char *window = sp_format("%s.attention.sliding_window", a->name);
    int64_t heads = json_integer_value(json_object_get(config, "num_attention_heads"));
    int64_t width = json_integer_value(json_object_get(config, "hidden_size")), rotated, seen;
    const json_t *given = json_object_get(config, "head_dim");
    int64_t size = given ? json_integer_value(given) : heads > 0 ? width / heads : 0;
    sp_status st = SP_OK;
    if (a->rotary && sp_gguf_find_int(file, part, &rotated) && rotated != size)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: %s is %lld, but heads have %lld numbers; use a model that "
                     "rotates them all",
                     sp_gguf_path(file), part, (long long)rotated, (long long)size);
    else if (sp_gguf_find_int(file, window, &seen) && seen > 0 &&
             seen < json_integer_value(json_object_get(config, "max_position_embeddings")))
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: %s is %lld, which is not read from GGUF; use the model's "
                     "safetensors",
                     sp_gguf_path(file), window, (long long)seen);
    free(part);
    free(window);
    return st;
}

static sp_status add_rope(const sp_gguf *file, const architecture *a, json_t *out) {
    json_t *scaling = NULL;
    sp_status st = a->rotary ? sp_gguf_model_rope(file, a->name, &scaling) : SP_OK;
    if (scaling) json_object_set_new(out, "rope_scaling", scaling);
    return st;
}

static sp_status unknown_architecture(const sp_gguf *file) {
    sp_gguf_text name = sp_gguf_find_text(file, "general.architecture");
    if (!name.data)
        return sp_fail(SP_ERR_FORMAT, "%s: has no general.architecture; is it a whole model?",
                       sp_gguf_path(file));
    return sp_fail(SP_ERR_FORMAT,
                   "%s: general.architecture is '%.*s', which is not supported; use one of: gpt2, "
                   "llama, qwen2",
                   sp_gguf_path(file), name.len < 64 ? (int)name.len : 64, name.data);
}

sp_status sp_gguf_model_config(const sp_gguf *file, json_t **out) {
    const architecture *a = find_architecture(file);
    *out = NULL;
    sp_status st = a ? check_whole(file) : unknown_architecture(file);
    if (st) return st;
    json_t *config = json_object();
    json_object_set_new(config, "model_type", json_string(a->name));
    st = add_keys(file, a, a->ints, false, config);
    if (!st) st = add_keys(file, a, a->reals, true, config);
    if (!st) st = add_vocabulary(file, config);
    if (!st) st = check_variant(file, a, config);
    if (!st) st = add_rope(file, a, config);
    if (st) {
        json_decref(config);
        return st;
    }
    add_flags(file, a, config);
    *out = config;
    return SP_OK;
}

/* ---- layouts ---- */

/* Heads that share the rows of a projection's weight or bias; 0: its rows are as they should be. */
static int64_t interleaved_heads(const sp_gguf *file, const architecture *a, const char *theirs) {
    bool q = strstr(theirs, ".attn_q.") != NULL, k = strstr(theirs, ".attn_k.") != NULL;
    int64_t heads = 0;
    if (!a->interleaved || !(q || k)) return 0;
    if (!k || !sp_gguf_find_int(file, "llama.attention.head_count_kv", &heads))
        sp_gguf_find_int(file, "llama.attention.head_count", &heads);
    return heads;
}

/* Of each head, row 2j + s of `in` is row s * size / 2 + j of `out`: llama.cpp rotates neighbours,
 * Hugging Face the two halves of a head. in, out [heads * size, cols]. */
static void undo_interleaving(const float *in, int64_t heads, int64_t size, int64_t cols,
                              float *out) {
#pragma omp parallel for
    for (int64_t head = 0; head < heads; head++)
        for (int64_t row = 0; row < size; row++) {
            int64_t to = row % 2 * (size / 2) + row / 2;
            memcpy(out + (head * size + to) * cols, in + (head * size + row) * cols,
                   (size_t)cols * sizeof *out);
        }
}

/* in [rows, cols] -> out [cols, rows] */
static void transpose(const float *in, int64_t rows, int64_t cols, float *out) {
    enum { TILE = 32 };
#pragma omp parallel for
    for (int64_t r0 = 0; r0 < rows; r0 += TILE)
        for (int64_t c0 = 0; c0 < cols; c0 += TILE)
            for (int64_t c = c0; c < cols && c < c0 + TILE; c++)
                for (int64_t r = r0; r < rows && r < r0 + TILE; r++)
                    out[c * rows + r] = in[r * cols + c];
}

/* Reads the tensor as it is stored; `stored` is its shape. *out is the caller's. */
static sp_status read_stored(const sp_gguf *file, const char *theirs, int rank,
                             const int64_t *stored, float **out) {
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, theirs);
    *out = sp_reserve_floats(t && t->bytes ? t->count : 1); /* else it is refused */
    sp_status st = sp_gguf_read(file, theirs, rank, stored, *out);
    if (!st) return SP_OK;
    free(*out);
    *out = NULL;
    return st;
}

static sp_status read_interleaved(const sp_gguf *file, const char *theirs, int rank,
                                  const int64_t *dims, int64_t heads, float *out) {
    float *stored;
    sp_status st = read_stored(file, theirs, rank, dims, &stored);
    if (st) return st;
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, theirs);
    int64_t rows = t->dims[0], size = rows / heads;
    if (rows % heads || size % 2)
        st =
            sp_fail(SP_ERR_FORMAT, "%s: tensor %s has %lld rows, which are not %lld heads of pairs",
                    sp_gguf_path(file), theirs, (long long)rows, (long long)heads);
    else
        undo_interleaving(stored, heads, size, rank == 2 ? t->dims[1] : 1, out);
    free(stored);
    return st;
}

static sp_status read_transposed(const sp_gguf *file, const char *theirs, const int64_t *dims,
                                 float *out) {
    float *stored;
    int64_t turned[] = {dims[1], dims[0]};
    sp_status st = read_stored(file, theirs, 2, turned, &stored);
    if (st) return st;
    const sp_gguf_tensor *t = sp_gguf_find_tensor(file, theirs);
    transpose(stored, t->dims[0], t->dims[1], out);
    free(stored);
    return SP_OK;
}

sp_status sp_gguf_model_read(const sp_gguf *file, const char *name, int rank, const int64_t *dims,
                             float *out) {
    const architecture *a = find_architecture(file);
    char *theirs = a ? translate(a, name) : NULL;
    if (!theirs)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: has no counterpart of the tensor %s; is it another kind "
                       "of model?",
                       sp_gguf_path(file), name);
    int64_t heads = interleaved_heads(file, a, theirs);
    bool linear = strncmp(theirs, "blk.", 4) == 0 && sp_has_suffix(theirs, ".weight");
    sp_status st;
    if (heads > 0)
        st = read_interleaved(file, theirs, rank, dims, heads, out);
    else if (a->transposed && linear && rank == 2)
        st = read_transposed(file, theirs, dims, out);
    else
        st = sp_gguf_read(file, theirs, rank, dims, out);
    free(theirs);
    return st;
}
