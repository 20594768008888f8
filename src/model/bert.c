/* BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019), as Hugging Face's BertForMaskedLM and
 * RobertaForMaskedLM: encoders of post-LayerNorm blocks, learned positions, linear maps stored
 * [out, in], and a masked-LM head whose last map is the token embeddings. They differ in names, in
 * the row where positions start, and in BERT's pooler. All tokens have type 0. */
#include "model/build.h"
#include "model/cache.h"
#include "model/families.h"

#include <stdlib.h>

enum { BLOCK_PROJECTIONS = 6 };

typedef struct bert_block {
    const sp_projection *query, *key, *value, *attention_out, *mlp_in, *mlp_out;
    sp_norm attention_norm, mlp_norm;
} bert_block;

typedef struct bert {
    sp_var *positions; /* [position_offset + n_positions, n_embd] */
    sp_var *types;     /* [type_vocab_size, n_embd] */
    sp_norm norm;      /* of the embeddings */
    sp_linear_map pooler;
    sp_linear_map transform; /* of the masked-LM head, with its norm */
    sp_norm transform_norm;
    bert_block blocks[];
} bert;

/* ---- parameters ---- */

static const sp_projection *build_linear(sp_place at, const char *name, long in, long out,
                                         bool to_residual) {
    return sp_build_linear(at, name, (sp_linear_shape){in, out, true, true, to_residual});
}

static void build_block(sp_model *m, bert_block *b, int layer) {
    long d = m->config.n_embd, inner = m->config.n_inner;
    char *start = sp_format("%sencoder.layer.%d.", m->family->optional_start, layer);
    sp_place at = {m, start, layer};
    b->query = build_linear(at, "attention.self.query", d, d, false);
    b->key = build_linear(at, "attention.self.key", d, d, false);
    b->value = build_linear(at, "attention.self.value", d, d, false);
    b->attention_out = build_linear(at, "attention.output.dense", d, d, true);
    b->attention_norm = sp_build_norm(at, "attention.output.LayerNorm", true);
    b->mlp_in = build_linear(at, "intermediate.dense", d, inner, false);
    b->mlp_out = build_linear(at, "output.dense", inner, d, true);
    b->mlp_norm = sp_build_norm(at, "output.LayerNorm", true);
    free(start);
}

static void build_embeddings(sp_model *m, bert *g) {
    const sp_config *c = &m->config;
    char *start = sp_format("%sembeddings.", m->family->optional_start);
    sp_place at = {m, start, -1};
    m->embedding = m->head =
        sp_build_param(at, "word_embeddings.weight", 2, c->vocab_size, c->n_embd);
    g->positions = sp_build_param(at, "position_embeddings.weight", 2,
                                  (long)c->position_offset + c->n_positions, c->n_embd);
    g->types = sp_build_param(at, "token_type_embeddings.weight", 2, c->type_vocab_size, c->n_embd);
    g->norm = sp_build_norm(at, "LayerNorm", true);
    free(start);
}

static bert *build_body(sp_model *m) {
    const sp_config *c = &m->config;
    size_t blocks = (size_t)c->n_layer * sizeof(bert_block);
    bert *g = m->blocks = sp_arena_zero(&m->memory, sizeof *g + blocks);
    sp_build_projections(m, BLOCK_PROJECTIONS * c->n_layer);
    build_embeddings(m, g);
    for (int i = 0; i < c->n_layer; i++) build_block(m, &g->blocks[i], i);
    return g;
}

static void build_predictor(sp_model *m, bert *g, const char *start, const char *dense,
                            const char *norm) {
    sp_place at = {m, start, m->config.n_layer};
    size_t first = m->params.count;
    g->transform = sp_build_square(at, dense);
    g->transform_norm = sp_build_norm(at, norm, true);
    m->head_bias = sp_build_param(at, "bias", 1, 1, m->config.vocab_size);
    sp_build_mark(m, first, SP_PART_PREDICTOR);
}

static void build_bert(sp_model *m) {
    bert *g = build_body(m);
    size_t first = m->params.count;
    g->pooler = sp_build_square((sp_place){m, "bert.pooler.", m->config.n_layer}, "dense");
    sp_build_mark(m, first, SP_PART_POOLER);
    build_predictor(m, g, "cls.predictions.", "transform.dense", "transform.LayerNorm");
}

static void build_roberta(sp_model *m) {
    build_predictor(m, build_body(m), "lm_head.", "dense", "layer_norm");
}

static double size(const sp_config *c) {
    double d = c->n_embd, inner = c->n_inner;
    double block = 4 * (d * d + d) + 2 * d * inner + inner + d + 4 * d;
    double rows = (double)c->vocab_size + c->position_offset + c->n_positions + c->type_vocab_size;
    return rows * d + 2 * d + c->n_layer * block;
}

/* ---- equations ---- */

static sp_var *attention(sp_tape *t, const sp_model *m, int layer, const bert_block *b, sp_var *x,
                         const sp_context *ctx) {
    const sp_config *c = &m->config;
    sp_attention_shape shape = {.heads = c->n_head,
                                .kv_heads = c->n_head,
                                .head_size = c->head_size,
                                .sequences = ctx->sequences,
                                .offsets = ctx->offsets,
                                .prefix_from = ctx->prefix_from,
                                .causal = false};
    return sp_context_attention(t, ctx, layer, &shape, sp_project(t, x, b->query, NULL, ctx),
                                sp_project(t, x, b->key, NULL, ctx),
                                sp_project(t, x, b->value, NULL, ctx));
}

static sp_var *block(sp_tape *t, const sp_model *m, int layer, sp_var *x, const sp_context *ctx) {
    const bert_block *b = &((const bert *)m->blocks)->blocks[layer];
    sp_var *a = attention(t, m, layer, b, x, ctx);
    a = sp_wanted_rows(t, m, layer, a, ctx);
    x = sp_wanted_rows(t, m, layer, x, ctx);
    x = sp_layer_norm(t, sp_project(t, a, b->attention_out, x, ctx), &b->attention_norm);
    sp_var *h = sp_activate(t, m->config.activation, sp_project(t, x, b->mlp_in, NULL, ctx));
    return sp_layer_norm(t, sp_project(t, h, b->mlp_out, x, ctx), &b->mlp_norm);
}

/* Rows of the table of positions. */
static const int *position_rows(sp_tape *t, const sp_model *m, const sp_context *ctx, long tokens) {
    int offset = m->config.position_offset;
    if (!offset) return ctx->positions;
    int *rows = sp_arena_alloc(&t->arena, (size_t)tokens * sizeof *rows);
    for (long i = 0; i < tokens; i++) rows[i] = offset + ctx->positions[i];
    return rows;
}

static sp_var *embed(sp_tape *t, const sp_model *m, const int *ids, const sp_context *ctx) {
    const bert *g = m->blocks;
    long tokens = ctx->offsets[ctx->sequences];
    sp_var *virtual_rows = ctx->steering ? ctx->steering->virtual_rows : NULL;
    const int *types = sp_arena_zero(&t->arena, (size_t)tokens * sizeof *types);
    sp_var *x = sp_embed(t, m->embedding, virtual_rows, ids, tokens);
    x = sp_add(t, x, sp_embed(t, g->positions, NULL, position_rows(t, m, ctx, tokens), tokens));
    return sp_layer_norm(t, sp_add(t, x, sp_embed(t, g->types, NULL, types, tokens)), &g->norm);
}

/* The last block ends in a norm of its own. */
static sp_var *finish(sp_tape *t, const sp_model *m, sp_var *x) {
    (void)t;
    (void)m;
    return x;
}

static sp_kv keys_values(sp_tape *t, const sp_model *m, int layer, sp_var *rows) {
    const bert_block *b = &((const bert *)m->blocks)->blocks[layer];
    return (sp_kv){.key = sp_linear(t, rows, &b->key->map),
                   .value = sp_linear(t, rows, &b->value->map)};
}

static sp_var *pool(sp_tape *t, const sp_model *m, sp_var *hidden) {
    return sp_tanh(t, sp_linear(t, hidden, &((const bert *)m->blocks)->pooler));
}

/* BERT has the activation of its blocks here, */
static sp_var *predict(sp_tape *t, const sp_model *m, sp_var *hidden) {
    const bert *g = m->blocks;
    sp_var *h = sp_activate(t, m->config.activation, sp_linear(t, hidden, &g->transform));
    return sp_layer_norm(t, h, &g->transform_norm);
}

/* RoBERTa always the exact GELU. */
static sp_var *predict_roberta(sp_tape *t, const sp_model *m, sp_var *hidden) {
    const bert *g = m->blocks;
    sp_var *h = sp_activate(t, SP_GELU_EXACT, sp_linear(t, hidden, &g->transform));
    return sp_layer_norm(t, h, &g->transform_norm);
}

const sp_family sp_family_bert = {.model_type = "bert",
                                  .optional_start = "bert.",
                                  .targets = "query, value",
                                  .bidirectional = true,
                                  .read_config = sp_bert_read_config,
                                  .write_config = sp_bert_write_config,
                                  .size = size,
                                  .build = build_bert,
                                  .embed = embed,
                                  .block = block,
                                  .finish = finish,
                                  .keys_values = keys_values,
                                  .predict = predict,
                                  .pool = pool};

const sp_family sp_family_roberta = {.model_type = "roberta",
                                     .optional_start = "roberta.",
                                     .targets = "query, value",
                                     .bidirectional = true,
                                     .dense_class_head = true,
                                     .read_config = sp_roberta_read_config,
                                     .write_config = sp_bert_write_config,
                                     .size = size,
                                     .build = build_roberta,
                                     .embed = embed,
                                     .block = block,
                                     .finish = finish,
                                     .keys_values = keys_values,
                                     .predict = predict_roberta};
