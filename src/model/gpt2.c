/* GPT-2 (Radford et al. 2019), as Hugging Face's GPT2LMHeadModel: pre-LayerNorm blocks, learned
 * positions, linear maps stored [in, out], LM head tied to the token embeddings. */
#include "model/cache.h"
#include "model/families.h"

#include <stdlib.h>
#include <string.h>

typedef struct gpt2_block {
    sp_norm ln_1, ln_2;
    sp_linear_map attn_in, attn_out, mlp_in, mlp_out;
} gpt2_block;

typedef struct gpt2 {
    sp_var *positions; /* [n_positions, n_embd] */
    sp_norm ln_f;
    gpt2_block blocks[];
} gpt2;

static sp_var *add(sp_model *m, const char *prefix, const char *name, int rank, long rows,
                   long cols) {
    char *full = sp_format("transformer.%s%s", prefix, name);
    sp_var *var = sp_params_add(&m->params, full, rank, rows, cols);
    free(full);
    return var;
}

static sp_norm add_norm(sp_model *m, const char *prefix, const char *name) {
    char *stem = sp_format("%s%s", prefix, name);
    long d = m->config.n_embd;
    sp_norm norm = {add(m, stem, ".weight", 1, 1, d), add(m, stem, ".bias", 1, 1, d),
                    (float)m->config.layer_norm_epsilon};
    free(stem);
    return norm;
}

static sp_linear_map add_linear(sp_model *m, const char *prefix, const char *name, long in,
                                long out) {
    char *stem = sp_format("%s%s", prefix, name);
    sp_linear_map map = {add(m, stem, ".weight", 2, in, out), add(m, stem, ".bias", 1, 1, out),
                         false};
    free(stem);
    return map;
}

static void build_block(sp_model *m, gpt2_block *b, int layer) {
    long d = m->config.n_embd, inner = m->config.n_inner;
    char *prefix = sp_format("h.%d.", layer);
    b->ln_1 = add_norm(m, prefix, "ln_1");
    b->attn_in = add_linear(m, prefix, "attn.c_attn", d, 3 * d);
    b->attn_out = add_linear(m, prefix, "attn.c_proj", d, d);
    b->ln_2 = add_norm(m, prefix, "ln_2");
    b->mlp_in = add_linear(m, prefix, "mlp.c_fc", d, inner);
    b->mlp_out = add_linear(m, prefix, "mlp.c_proj", inner, d);
    free(prefix);
}

static void build(sp_model *m) {
    const sp_config *c = &m->config;
    gpt2 *g = sp_alloc(1, sizeof *g + (size_t)c->n_layer * sizeof(gpt2_block));
    m->embedding = m->head = add(m, "", "wte.weight", 2, c->vocab_size, c->n_embd);
    g->positions = add(m, "", "wpe.weight", 2, c->n_positions, c->n_embd);
    for (int i = 0; i < c->n_layer; i++) build_block(m, &g->blocks[i], i);
    g->ln_f = add_norm(m, "", "ln_f");
    m->blocks = g;
}

static sp_var *attention(sp_tape *t, const sp_model *m, const gpt2_block *b, sp_var *h,
                         const sp_context *ctx, int layer) {
    int heads = m->config.n_head, d = m->config.n_embd;
    sp_var *qkv = sp_linear(t, h, &b->attn_in);
    sp_attention_shape shape = {.heads = heads,
                                .kv_heads = heads,
                                .head_size = d / heads,
                                .sequences = ctx->sequences,
                                .offsets = ctx->offsets,
                                .causal = true};
    return sp_context_attention(t, ctx, layer, &shape, sp_slice_columns(t, qkv, 0, d),
                                sp_slice_columns(t, qkv, d, d),
                                sp_slice_columns(t, qkv, 2L * d, d));
}

/* x [tokens, d] -> [tokens, d] */
static sp_var *block(sp_tape *t, const sp_model *m, const gpt2_block *b, sp_var *x,
                     const sp_context *ctx, int layer) {
    sp_var *a = attention(t, m, b, sp_layer_norm(t, x, &b->ln_1), ctx, layer);
    x = sp_add(t, x, sp_linear(t, a, &b->attn_out));
    sp_var *h = sp_linear(t, sp_layer_norm(t, x, &b->ln_2), &b->mlp_in);
    return sp_add(t, x, sp_linear(t, sp_gelu(t, h), &b->mlp_out));
}

static sp_var *forward(sp_tape *t, const sp_model *m, const int *ids, sp_var *virtual_rows,
                       const sp_context *ctx) {
    const gpt2 *g = m->blocks;
    long tokens = ctx->offsets[ctx->sequences];
    sp_var *x = sp_add(t, sp_embed(t, m->embedding, virtual_rows, ids, tokens),
                       sp_embed(t, g->positions, NULL, ctx->positions, tokens));
    for (int i = 0; i < m->config.n_layer; i++) x = block(t, m, &g->blocks[i], x, ctx, i);
    return sp_layer_norm(t, x, &g->ln_f);
}

const sp_family sp_family_gpt2 = {.model_type = "gpt2", .build = build, .forward = forward};
