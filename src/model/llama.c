/* Llama (Touvron et al. 2023), Mistral 7B (Jiang et al. 2023) and Qwen2 (Yang et al. 2024), as
 * Hugging Face's LlamaForCausalLM, MistralForCausalLM and Qwen2ForCausalLM: pre-RMSNorm blocks,
 * rotary positions, grouped-query attention (Ainslie et al. 2023), SwiGLU, linear maps stored
 * [out, in]. They differ in biases and the sliding window, which the configuration says. */
#include "model/build.h"
#include "model/cache.h"
#include "model/config.h"
#include "model/families.h"
#include "model/rotations.h"

#include <stdlib.h>

enum { BLOCK_PROJECTIONS = 7 };

typedef struct llama_block {
    sp_norm attention_norm, mlp_norm;
    const sp_projection *q, *k, *v, *o, *gate, *up, *down;
} llama_block;

typedef struct llama {
    sp_rotations rotations;
    sp_norm norm;
    llama_block blocks[];
} llama;

/* ---- parameters ---- */

static void build_block(sp_model *m, llama_block *b, int layer) {
    const sp_config *c = &m->config;
    long d = c->n_embd, inner = c->n_inner, kv = sp_config_kv_width(c);
    long heads = (long)c->n_head * c->head_size;
    bool bias = c->attention_bias, mlp_bias = c->mlp_bias;
    char *start = sp_format("model.layers.%d.", layer);
    sp_place at = {m, start, layer};
    b->attention_norm = sp_build_norm(at, "input_layernorm", false);
    b->q = sp_build_linear(at, "self_attn.q_proj", (sp_linear_shape){d, heads, bias, true, false});
    b->k = sp_build_linear(at, "self_attn.k_proj", (sp_linear_shape){d, kv, bias, true, false});
    b->v = sp_build_linear(at, "self_attn.v_proj", (sp_linear_shape){d, kv, bias, true, false});
    b->o = sp_build_linear(at, "self_attn.o_proj",
                           (sp_linear_shape){heads, d, c->output_bias, true, true});
    b->mlp_norm = sp_build_norm(at, "post_attention_layernorm", false);
    b->gate =
        sp_build_linear(at, "mlp.gate_proj", (sp_linear_shape){d, inner, mlp_bias, true, false});
    b->up = sp_build_linear(at, "mlp.up_proj", (sp_linear_shape){d, inner, mlp_bias, true, false});
    b->down =
        sp_build_linear(at, "mlp.down_proj", (sp_linear_shape){inner, d, mlp_bias, true, true});
    free(start);
}

static void build(sp_model *m) {
    const sp_config *c = &m->config;
    size_t blocks = (size_t)c->n_layer * sizeof(llama_block);
    llama *g = m->blocks = sp_arena_zero(&m->memory, sizeof *g + blocks);
    sp_place embeddings = {m, "model.", -1}, top = {m, "model.", c->n_layer};
    sp_place head = {m, "", c->n_layer};
    sp_build_projections(m, BLOCK_PROJECTIONS * c->n_layer);
    m->embedding = m->head =
        sp_build_param(embeddings, "embed_tokens.weight", 2, c->vocab_size, c->n_embd);
    for (int i = 0; i < c->n_layer; i++) build_block(m, &g->blocks[i], i);
    g->norm = sp_build_norm(top, "norm", false);
    if (!c->tie_word_embeddings)
        m->head = sp_build_param(head, "lm_head.weight", 2, c->vocab_size, c->n_embd);
    sp_rotations_make(c, &m->memory, &g->rotations);
}

static double size(const sp_config *c) {
    double d = c->n_embd, inner = c->n_inner, heads = (double)c->n_head * c->head_size;
    double kv = (double)sp_config_kv_width(c);
    double biases = c->attention_bias * (heads + 2 * kv) + c->output_bias * d;
    double attention = 2 * d * heads + 2 * d * kv + biases;
    double mlp = 3 * d * inner + c->mlp_bias * (2 * inner + d);
    double embeddings = (c->tie_word_embeddings ? 1 : 2) * (double)c->vocab_size * d;
    return embeddings + c->n_layer * (attention + mlp + 2 * d) + d;
}

/* ---- equations ---- */

static sp_var *attention(sp_tape *t, const sp_model *m, int layer, const llama_block *b, sp_var *h,
                         const sp_context *ctx) {
    const sp_config *c = &m->config;
    const sp_rotations *rotations = &((const llama *)m->blocks)->rotations;
    sp_var *q = sp_project(t, h, b->q, NULL, ctx), *k = sp_project(t, h, b->k, NULL, ctx);
    sp_attention_shape shape = {.heads = c->n_head,
                                .kv_heads = c->n_kv_head,
                                .head_size = c->head_size,
                                .sequences = ctx->sequences,
                                .offsets = ctx->offsets,
                                .prefix_from = ctx->prefix_from,
                                .causal = true,
                                .window = layer < c->window_from ? 0 : c->sliding_window};
    return sp_context_attention(t, ctx, layer, &shape, sp_rope(t, q, ctx->positions, rotations),
                                sp_rope(t, k, ctx->positions, rotations),
                                sp_project(t, h, b->v, NULL, ctx));
}

static sp_var *block(sp_tape *t, const sp_model *m, int layer, sp_var *x, const sp_context *ctx) {
    const llama_block *b = &((const llama *)m->blocks)->blocks[layer];
    sp_var *a = attention(t, m, layer, b, sp_rms_norm(t, x, &b->attention_norm), ctx);
    a = sp_wanted_rows(t, m, layer, a, ctx);
    x = sp_wanted_rows(t, m, layer, x, ctx);
    x = sp_project(t, a, b->o, x, ctx);
    sp_var *h = sp_rms_norm(t, x, &b->mlp_norm);
    h = sp_swiglu(t, sp_project(t, h, b->gate, NULL, ctx), sp_project(t, h, b->up, NULL, ctx));
    return sp_project(t, h, b->down, x, ctx);
}

static sp_var *embed(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    sp_var *virtual_rows = ctx->steering ? ctx->steering->virtual_rows : NULL;
    return sp_embed(t, m->embedding, virtual_rows, ids, ctx->offsets[ctx->sequences]);
}

static sp_var *finish(sp_tape *t, const sp_model *m, sp_var *x) {
    return sp_rms_norm(t, x, &((const llama *)m->blocks)->norm);
}

/* Not rotated: a prompt has no position (as in PEFT's adaption prompt). */
static sp_kv keys_values(sp_tape *t, const sp_model *m, int layer, sp_var *rows) {
    const llama_block *b = &((const llama *)m->blocks)->blocks[layer];
    return (sp_kv){.key = sp_linear(t, rows, &b->k->map), .value = sp_linear(t, rows, &b->v->map)};
}

const sp_family sp_family_llama = {.model_type = "llama",
                                   .optional_start = "model.",
                                   .targets = "q_proj, v_proj",
                                   .read_config = sp_llama_read_config,
                                   .write_config = sp_llama_write_config,
                                   .size = size,
                                   .build = build,
                                   .embed = embed,
                                   .block = block,
                                   .finish = finish,
                                   .keys_values = keys_values};

const sp_family sp_family_mistral = {.model_type = "mistral",
                                     .optional_start = "model.",
                                     .targets = "q_proj, v_proj",
                                     .read_config = sp_mistral_read_config,
                                     .write_config = sp_mistral_write_config,
                                     .size = size,
                                     .build = build,
                                     .embed = embed,
                                     .block = block,
                                     .finish = finish,
                                     .keys_values = keys_values};

const sp_family sp_family_qwen2 = {.model_type = "qwen2",
                                   .optional_start = "model.",
                                   .targets = "q_proj, v_proj",
                                   .read_config = sp_qwen2_read_config,
                                   .write_config = sp_qwen2_write_config,
                                   .size = size,
                                   .build = build,
                                   .embed = embed,
                                   .block = block,
                                   .finish = finish,
                                   .keys_values = keys_values};
