#include "training/flops.h"

#include <stdbool.h>
#include <string.h>

/* Tokens that a projection works on. In the last block these are the wanted ones behind its
 * attention, where its first map onto the residual stream stands; *behind, false at first, is kept
 * by the caller from one projection to the next. */
static double rows_of(const sp_model *m, int i, double tokens, double wanted, bool *behind) {
    const sp_projection *p = &m->projections[i];
    if (i == 0 || p->layer != p[-1].layer) *behind = false;
    *behind |= p->to_residual;
    return *behind && p->layer == m->config.n_layer - 1 ? wanted : tokens;
}

static double weights_of(const sp_projection *p) {
    return (double)sp_linear_inputs(&p->map) * (double)sp_linear_outputs(&p->map);
}

static double linear_flops(const sp_model *m, double tokens, double scored) {
    double sum = 0;
    bool behind = false;
    for (int i = 0; i < m->projection_count; i++) {
        double rows = rows_of(m, i, tokens, scored, &behind);
        double passes = m->projections[i].layer == 0 && !behind ? 1 : 2;
        sum += passes * 2 * rows * weights_of(&m->projections[i]);
    }
    return sum;
}

/* Of all heads together. */
static double attention_width(const sp_config *c) {
    return c->head_size ? (double)c->n_head * c->head_size : c->n_embd;
}

static double attention_flops(const sp_model *m, double prefix, const sp_packed *batch) {
    double keys = 0, tokens = (double)sp_packed_tokens(batch), width = attention_width(&m->config);
    for (int s = 0; s < sp_packed_sequences(batch); s++) {
        double n = batch->offsets.data[s + 1] - batch->offsets.data[s];
        keys += n * prefix + n * (n + 1) / 2;
    }
    return width * (m->config.n_layer * 4 * keys + (m->config.n_layer - 1) * 8 * keys +
                    6 * tokens * prefix);
}

static double mlp_flops(const sp_tuner *tuner) {
    double weights = 0;
    for (size_t i = 0; i < tuner->params.count; i++) {
        const sp_param *p = tuner->params.items[i];
        if (p->rank == 2 && strncmp(p->name, "transform.", strlen("transform.")) == 0)
            weights += (double)p->var.rows * (double)p->var.cols;
    }
    return 6 * tuner->options.length * weights;
}

double sp_step_flops(const sp_model *m, const sp_tuner *tuner, const sp_packed *batch) {
    double scored = (double)sp_packed_scored(batch);
    return linear_flops(m, (double)sp_packed_tokens(batch), scored) +
           4 * scored * m->config.vocab_size * m->config.n_embd +
           attention_flops(m, tuner->options.length, batch) + mlp_flops(tuner);
}

/* ---- inference ---- */

static double forward_maps(const sp_model *m, const sp_inference *pass) {
    double sum = 0;
    bool behind = false;
    for (int i = 0; i < m->projection_count; i++) {
        double rows = rows_of(m, i, pass->tokens, pass->wanted, &behind);
        double added = pass->added ? pass->added[i] : 0;
        sum += 2 * rows * (weights_of(&m->projections[i]) + added);
    }
    return sum;
}

static double forward_attention(const sp_model *m, const sp_inference *pass) {
    double n = pass->tokens, own = m->family->bidirectional ? n * n : n * (n + 1) / 2;
    double keys = m->config.n_layer * (n * pass->cached + own) +
                  pass->prefix_layers * pass->prefix_queries * pass->prefix;
    return 4 * attention_width(&m->config) * keys;
}

double sp_inference_flops(const sp_model *m, const sp_inference *pass) {
    return forward_maps(m, pass) + forward_attention(m, pass) +
           2 * pass->wanted * pass->answers * m->config.n_embd;
}
