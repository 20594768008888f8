/* GPT-2 (Radford et al. 2019), as Hugging Face's GPT2LMHeadModel: pre-LayerNorm blocks, learned
 * positions, linear maps stored [in, out], LM head tied to the token embeddings. */
#include "model/cache.h"
#include "model/families.h"

#include <stdlib.h>
#include <string.h>

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

/* Where in the model a parameter is declared: the start of its name, and its layer. */
typedef struct place {
    const char *prefix;
    int layer;
} place;

static sp_var *add(sp_model *m, place at, const char *name, const char *suffix, int rank, long rows,
                   long cols) {
    char *full = sp_format("%s%s%s", at.prefix, name, suffix);
    sp_var *var = sp_params_add(&m->params, full, rank, rows, cols);
    m->params.items[m->params.count - 1]->layer = at.layer;
    free(full);
    return var;
}

static sp_norm add_norm(sp_model *m, place at, const char *name) {
    long d = m->config.n_embd;
    return (sp_norm){add(m, at, name, ".weight", 1, 1, d), add(m, at, name, ".bias", 1, 1, d),
                     (float)m->config.layer_norm_epsilon};
}

static const sp_projection *add_linear(sp_model *m, place at, const char *name, long in, long out,
                                       bool to_residual) {
    sp_linear_map map = {add(m, at, name, ".weight", 2, in, out),
                         add(m, at, name, ".bias", 1, 1, out), false};
    char *full = sp_format("%s%s", at.prefix, name);
    const sp_projection *p = sp_model_add_projection(m, full, at.layer, to_residual, map);
    free(full);
    return p;
}

static void build_block(sp_model *m, gpt2_block *b, int layer) {
    long d = m->config.n_embd, inner = m->config.n_inner;
    char *prefix = sp_format("transformer.h.%d.", layer);
    place at = {prefix, layer};
    b->ln_1 = add_norm(m, at, "ln_1");
    b->attn_in = add_linear(m, at, "attn.c_attn", d, 3 * d, false);
    b->attn_out = add_linear(m, at, "attn.c_proj", d, d, true);
    b->ln_2 = add_norm(m, at, "ln_2");
    b->mlp_in = add_linear(m, at, "mlp.c_fc", d, inner, false);
    b->mlp_out = add_linear(m, at, "mlp.c_proj", inner, d, true);
    free(prefix);
}

static void build(sp_model *m) {
    const sp_config *c = &m->config;
    gpt2 *g = sp_alloc(1, sizeof *g + (size_t)c->n_layer * sizeof(gpt2_block));
    place embeddings = {"transformer.", -1}, top = {"transformer.", c->n_layer};
    m->projections = sp_alloc(BLOCK_PROJECTIONS * (size_t)c->n_layer, sizeof *m->projections);
    m->embedding = m->head = add(m, embeddings, "wte", ".weight", 2, c->vocab_size, c->n_embd);
    g->positions = add(m, embeddings, "wpe", ".weight", 2, c->n_positions, c->n_embd);
    for (int i = 0; i < c->n_layer; i++) build_block(m, &g->blocks[i], i);
    g->ln_f = add_norm(m, top, "ln_f");
    m->blocks = g;
}

static sp_var *attention(sp_tape *t, const sp_model *m, const gpt2_block *b, sp_var *h,
                         const sp_context *ctx, int layer) {
    int heads = m->config.n_head, d = m->config.n_embd;
    sp_var *qkv = sp_project(t, h, b->attn_in, ctx);
    sp_attention_shape shape = {.heads = heads,
                                .kv_heads = heads,
                                .head_size = d / heads,
                                .sequences = ctx->sequences,
                                .offsets = ctx->offsets,
                                .prefix_from = ctx->prefix_from,
                                .causal = true};
    return sp_context_attention(t, ctx, layer, &shape, sp_slice_columns(t, qkv, 0, d),
                                sp_slice_columns(t, qkv, d, d),
                                sp_slice_columns(t, qkv, 2L * d, d));
}

/* x [tokens, d] -> [tokens, d] */
static sp_var *block(sp_tape *t, const sp_model *m, const gpt2_block *b, sp_var *x,
                     const sp_context *ctx, int layer) {
    sp_var *a = attention(t, m, b, sp_layer_norm(t, x, &b->ln_1), ctx, layer);
    x = sp_add(t, x, sp_project(t, a, b->attn_out, ctx));
    sp_var *h = sp_project(t, sp_layer_norm(t, x, &b->ln_2), b->mlp_in, ctx);
    return sp_add(t, x, sp_project(t, sp_gelu(t, h), b->mlp_out, ctx));
}

static sp_var *forward(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    const gpt2 *g = m->blocks;
    long tokens = ctx->offsets[ctx->sequences];
    sp_var *virtual_rows = ctx->steering ? ctx->steering->virtual_rows : NULL;
    sp_var *x = sp_add(t, sp_embed(t, m->embedding, virtual_rows, ids, tokens),
                       sp_embed(t, g->positions, NULL, ctx->positions, tokens));
    for (int i = 0; i < m->config.n_layer; i++) x = block(t, m, &g->blocks[i], x, ctx, i);
    return sp_layer_norm(t, x, &g->ln_f);
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

const sp_family sp_family_gpt2 = {
    .model_type = "gpt2", .build = build, .forward = forward, .keys_values = keys_values};
