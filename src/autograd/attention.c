#include "autograd/ops.h"

#include <string.h>

typedef struct attention_node {
    sp_node node;
    sp_attention_shape shape;
    sp_var *q, *k, *v;
    sp_kv prefix;
    const float *lse; /* [tokens, heads] */
} attention_node;

static sp_rows data_rows(const sp_var *v) {
    return v ? (sp_rows){v->data, v->ld} : (sp_rows){0};
}

static sp_rows grad_rows(sp_tape *t, sp_var *v) {
    return v && v->needs_grad ? (sp_rows){sp_grad(t, v), v->ld} : (sp_rows){0};
}

static void attention_backward(sp_tape *t, sp_node *node) {
    attention_node *n = (attention_node *)node;
    bool own = !n->shape.prefix_only;
    sp_attention_grads grads = {grad_rows(t, n->q), grad_rows(t, own ? n->k : NULL),
                                grad_rows(t, own ? n->v : NULL), grad_rows(t, n->prefix.key),
                                grad_rows(t, n->prefix.value)};
    sp_rows dout = {node->out->grad, node->out->ld};
    sp_attention_backward(&n->shape, data_rows(n->q), data_rows(n->k), data_rows(n->v),
                          data_rows(n->prefix.key), data_rows(n->prefix.value), dout, n->lse,
                          &grads, &t->scratch);
}

static bool needs(const sp_var *v) {
    return v && v->needs_grad;
}

/* Keys and values of each sequence, lying in the batch itself. */
static sp_keys *keys_in_batch(sp_tape *t, const sp_attention_shape *s, const sp_var *k,
                              const sp_var *v) {
    sp_keys *keys = sp_arena_alloc(&t->scratch, (size_t)s->sequences * sizeof *keys);
    for (int i = 0; i < s->sequences; i++) {
        long first = s->offsets[i];
        keys[i] = (sp_keys){.key = k->data + first * k->ld,
                            .value = v->data + first * v->ld,
                            .length = s->offsets[i + 1] - first};
    }
    return keys;
}

static void *copy_ints(sp_tape *t, const int *from, int count) {
    size_t bytes = (size_t)count * sizeof(int);
    return from ? memcpy(sp_arena_alloc(&t->arena, bytes), from, bytes) : NULL;
}

static void record(sp_tape *t, sp_var *out, const sp_attention_shape *s, sp_var *q, sp_var *k,
                   sp_var *v, sp_kv prefix, sp_var *lse) {
    attention_node *n = sp_tape_record(t, out, attention_backward, sizeof *n);
    if (!n) return;
    n->shape = *s;
    n->shape.offsets = copy_ints(t, s->offsets, s->sequences + 1);
    n->shape.prefix_from = copy_ints(t, s->prefix_from, s->sequences);
    n->q = q;
    n->k = k;
    n->v = v;
    n->prefix = prefix;
    n->lse = lse->data;
    sp_var *read[] = {
        q, s->prefix_only ? NULL : k, s->prefix_only ? NULL : v, prefix.key, prefix.value, lse};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) sp_tape_save(&n->node, read[i]);
}

/* Queries, and keys and values as variables, or, for inference alone, in a cache. */
typedef struct attended {
    sp_var *q, *k, *v;
    const sp_keys *keys; /* NULL: k and v */
    long keys_ld;
} attended;

static sp_var *attend_batch(sp_tape *t, const sp_attention_shape *s, const attended *in,
                            sp_kv prefix) {
    sp_var *q = in->q, *k = in->k, *v = in->v;
    bool trains = needs(q) || needs(prefix.key) || needs(prefix.value);
    if (!s->prefix_only) trains = trains || needs(k) || needs(v);
    sp_var *out = sp_var_new(t, q->rows, q->cols, trains);
    sp_var *lse = sp_var_new(t, q->rows, s->heads, false);
    sp_attention_forward(s, data_rows(q), keys_in_batch(t, s, k, v), k->ld, data_rows(prefix.key),
                         data_rows(prefix.value), data_rows(out), lse->data, &t->scratch);
    sp_arena_reset(&t->scratch);
    record(t, out, s, q, k, v, prefix, lse);
    return out;
}

static sp_var *attend_cache(sp_tape *t, const sp_attention_shape *s, const attended *in,
                            sp_kv prefix) {
    sp_var *out = sp_var_new(t, in->q->rows, in->q->cols, false);
    sp_attention_forward(s, data_rows(in->q), in->keys, in->keys_ld, data_rows(prefix.key),
                         data_rows(prefix.value), data_rows(out), NULL, &t->scratch);
    sp_arena_reset(&t->scratch);
    return out;
}

/* With the prefix, of whose length the shape is told; `apart`: to nothing but it. */
static sp_var *attend(sp_tape *t, const sp_attention_shape *shape, const attended *in, sp_kv prefix,
                      bool apart) {
    sp_attention_shape s = *shape;
    s.prefix_length = prefix.key ? prefix.key->rows : 0;
    s.prefix_only = apart;
    return in->keys ? attend_cache(t, &s, in, prefix) : attend_batch(t, &s, in, prefix);
}

/* A gated prefix is attended to apart from the rest; the gate scales what that gives. */
static sp_var *attend_gated(sp_tape *t, const sp_attention_shape *shape, const attended *in,
                            sp_kv prefix) {
    if (!prefix.key || !prefix.gate) return attend(t, shape, in, prefix, false);
    sp_var *out = attend(t, shape, in, (sp_kv){0}, false);
    return sp_add(t, out, sp_gate_columns(t, attend(t, shape, in, prefix, true), prefix.gate));
}

sp_var *sp_attention(sp_tape *t, const sp_attention_shape *shape, sp_var *q, sp_var *k, sp_var *v,
                     sp_kv prefix) {
    return attend_gated(t, shape, &(attended){.q = q, .k = k, .v = v}, prefix);
}

sp_var *sp_attention_cached(sp_tape *t, const sp_attention_shape *shape, sp_var *q,
                            const sp_keys *keys, long keys_ld, sp_kv prefix) {
    return attend_gated(t, shape, &(attended){.q = q, .keys = keys, .keys_ld = keys_ld}, prefix);
}
