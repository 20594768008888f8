/* GPT-2 (Radford et al. 2019), as Hugging Face's GPT2LMHeadModel: pre-LayerNorm blocks, learned
 * positions, linear maps stored [in, out], LM head tied to the token embeddings. */
#include "model/build.h"
#include "model/cache.h"
#include "model/config.h"
#include "model/families.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_PROJECTIONS = 4 };

typedef struct gpt2_block {
    sp_norm ln_1, ln_2;
    const sp_projection *attn_in, *attn_out, *mlp_in, *mlp_out;
} gpt2_block;

typedef struct gpt2 {
    sp_var *positions; /* [n_positions, n_embd] */
    sp_norm ln_f;
    gpt2_block blocks[];
} gpt2;

/* ---- parameters ---- */

static const sp_projection *build_linear(sp_place at, const char *name, long in, long out,
                                         bool to_residual) {
    return sp_build_linear(
        at, name,
        (sp_linear_shape){.in = in, .out = out, .bias = true, .to_residual = to_residual});
}

static void build_block(sp_model *m, gpt2_block *b, int layer) {
    long d = m->config.n_embd, inner = m->config.n_inner;
    char *start = sp_format("transformer.h.%d.", layer);
    sp_place at = {m, start, layer};
    b->ln_1 = sp_build_norm(at, "ln_1", true);
    b->attn_in = build_linear(at, "attn.c_attn", d, 3 * d, false);
    b->attn_out = build_linear(at, "attn.c_proj", d, d, true);
    b->ln_2 = sp_build_norm(at, "ln_2", true);
    b->mlp_in = build_linear(at, "mlp.c_fc", d, inner, false);
    b->mlp_out = build_linear(at, "mlp.c_proj", inner, d, true);
    free(start);
}

static void build(sp_model *m) {
    const sp_config *c = &m->config;
    size_t blocks = (size_t)c->n_layer * sizeof(gpt2_block);
    gpt2 *g = m->blocks = sp_arena_zero(&m->memory, sizeof *g + blocks);
    sp_place embeddings = {m, "transformer.", -1}, top = {m, "transformer.", c->n_layer};
    sp_build_projections(m, BLOCK_PROJECTIONS * c->n_layer);
    m->embedding = m->head = sp_build_param(embeddings, "wte.weight", 2, c->vocab_size, c->n_embd);
    g->positions = sp_build_param(embeddings, "wpe.weight", 2, c->n_positions, c->n_embd);
    for (int i = 0; i < c->n_layer; i++) build_block(m, &g->blocks[i], i);
    g->ln_f = sp_build_norm(top, "ln_f", true);
}

static double size(const sp_config *c) {
    double d = c->n_embd, inner = c->n_inner;
    double block = 4 * d * d + 2 * d * inner + 9 * d + inner;
    return (c->vocab_size + (double)c->n_positions) * d + c->n_layer * block + 2 * d;
}

/* ---- equations ---- */

static float score_scale(const sp_config *c, int layer) {
    double scale = c->unscaled_scores ? 1 : 1 / sqrt((double)c->n_embd / c->n_head);
    return (float)(c->scores_by_layer ? scale / (layer + 1) : scale);
}

static sp_var *attention(sp_tape *t, const sp_model *m, const gpt2_block *b, sp_var *h,
                         const sp_context *ctx, int layer) {
    int heads = m->config.n_head, d = m->config.n_embd;
    bool varies = m->config.unscaled_scores || m->config.scores_by_layer;
    sp_var *qkv = sp_project(t, h, b->attn_in, NULL, ctx);
    sp_attention_shape shape = {.heads = heads,
                                .kv_heads = heads,
                                .head_size = d / heads,
                                .sequences = ctx->sequences,
                                .offsets = ctx->offsets,
                                .prefix_from = ctx->prefix_from,
                                .causal = true,
                                .scale = varies ? score_scale(&m->config, layer) : 0};
    return sp_context_attention(t, ctx, layer, &shape, sp_slice_columns(t, qkv, 0, d),
                                sp_slice_columns(t, qkv, d, d),
                                sp_slice_columns(t, qkv, 2L * d, d));
}

static sp_var *block(sp_tape *t, const sp_model *m, int layer, sp_var *x, const sp_context *ctx) {
    const gpt2_block *b = &((const gpt2 *)m->blocks)->blocks[layer];
    sp_var *a = attention(t, m, b, sp_layer_norm(t, x, &b->ln_1), ctx, layer);
    a = sp_wanted_rows(t, m, layer, a, ctx);
    x = sp_wanted_rows(t, m, layer, x, ctx);
    x = sp_project(t, a, b->attn_out, x, ctx);
    sp_var *h = sp_project(t, sp_layer_norm(t, x, &b->ln_2), b->mlp_in, NULL, ctx);
    return sp_project(t, sp_activate(t, m->config.activation, h), b->mlp_out, x, ctx);
}

static sp_var *embed(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    const gpt2 *g = m->blocks;
    long tokens = ctx->offsets[ctx->sequences];
    sp_var *virtual_rows = ctx->steering ? ctx->steering->virtual_rows : NULL;
    return sp_add(t, sp_embed(t, m->embedding, virtual_rows, ids, tokens),
                  sp_embed(t, g->positions, NULL, ctx->positions, tokens));
}

static sp_var *finish(sp_tape *t, const sp_model *m, sp_var *x) {
    return sp_layer_norm(t, x, &((const gpt2 *)m->blocks)->ln_f);
}

/* The last two thirds of c_attn's columns, read in place. */
static sp_kv keys_values(sp_tape *t, const sp_model *m, int layer, sp_var *rows) {
    const gpt2 *g = m->blocks;
    const sp_linear_map *all = &g->blocks[layer].attn_in->map;
    long d = m->config.n_embd;
    sp_linear_map map = {sp_slice_columns(t, all->weight, d, 2 * d),
                         sp_slice_columns(t, all->bias, d, 2 * d), false};
    sp_var *both = sp_linear(t, rows, &map);
    return (sp_kv){.key = sp_slice_columns(t, both, 0, d),
                   .value = sp_slice_columns(t, both, d, d)};
}

/* ---- config.json ---- */

/* reorder_and_upcast_attn changes rounding only. */
static sp_status read_config(const char *path, const json_t *root, sp_config *c) {
    sp_config_source s = {path, root};
    sp_status st;
    if ((st = sp_config_int(s, "vocab_size", SP_CONFIG_REQUIRED, &c->vocab_size))) return st;
    if ((st = sp_config_int(s, "n_positions", SP_CONFIG_REQUIRED, &c->n_positions))) return st;
    if ((st = sp_config_int(s, "n_embd", SP_CONFIG_REQUIRED, &c->n_embd))) return st;
    if ((st = sp_config_int(s, "n_layer", SP_CONFIG_REQUIRED, &c->n_layer))) return st;
    if ((st = sp_config_int(s, "n_head", SP_CONFIG_REQUIRED, &c->n_head))) return st;
    if ((st = sp_config_int(s, "n_inner", 4L * c->n_embd, &c->n_inner))) return st;
    if ((st = sp_config_token(s, "bos_token_id", c->vocab_size, &c->bos_token_id))) return st;
    if ((st = sp_config_token(s, "eos_token_id", c->vocab_size, &c->eos_token_id))) return st;
    if ((st = sp_config_real(s, "layer_norm_epsilon", 1e-5, 1, &c->layer_norm_epsilon))) return st;
    if ((st = sp_config_real(s, "initializer_range", 0.02, 1, &c->initializer_range))) return st;
    if (c->n_embd % c->n_head)
        return sp_fail(SP_ERR_FORMAT, "%s: n_embd %d is not a multiple of n_head %d", path,
                       c->n_embd, c->n_head);
    c->tie_word_embeddings = c->attention_bias = c->output_bias = c->mlp_bias = true;
    bool scaled = true;
    if ((st = sp_config_bool(s, "scale_attn_weights", true, &scaled))) return st;
    c->unscaled_scores = !scaled;
    if ((st = sp_config_bool(s, "scale_attn_by_inverse_layer_idx", false, &c->scores_by_layer)))
        return st;
    if ((st = sp_config_activation(s, "activation_function", SP_GELU_NEW, &c->activation)))
        return st;
    return sp_config_only_bool(s, "tie_word_embeddings", true);
}

static json_t *write_config(const sp_config *c) {
    return json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:i, s:i, s:f, s:f, s:f, s:b, "
        "s:b, s:b}",
        "architectures", "GPT2LMHeadModel", "model_type", c->model_type, "vocab_size",
        c->vocab_size, "n_positions", c->n_positions, "n_embd", c->n_embd, "n_layer", c->n_layer,
        "n_head", c->n_head, "n_inner", c->n_inner, "activation_function",
        sp_activation_name(c->activation), "layer_norm_epsilon", c->layer_norm_epsilon,
        "initializer_range", c->initializer_range, "bos_token_id", c->bos_token_id, "eos_token_id",
        c->eos_token_id, "attn_pdrop", 0.0, "embd_pdrop", 0.0, "resid_pdrop", 0.0,
        "tie_word_embeddings", 1, "scale_attn_weights", (int)!c->unscaled_scores,
        "scale_attn_by_inverse_layer_idx", (int)c->scores_by_layer);
}

const sp_family sp_family_gpt2 = {.model_type = "gpt2",
                                  .optional_start = "transformer.",
                                  .targets = "c_attn",
                                  .read_config = read_config,
                                  .write_config = write_config,
                                  .size = size,
                                  .build = build,
                                  .embed = embed,
                                  .block = block,
                                  .finish = finish,
                                  .keys_values = keys_values};
