#include "autograd/tape.h"

#include "tensor/kernels.h"
#include "tensor/weight.h"

#include <stdlib.h>
#include <string.h>

static void forget(sp_tape *t) {
    t->last = NULL;
    t->variables = NULL;
}

void sp_tape_reset(sp_tape *t) {
    sp_arena_reset(&t->arena);
    sp_arena_reset(&t->scratch);
    sp_pool_reset(&t->pool);
    forget(t);
}

void sp_tape_free(sp_tape *t) {
    sp_arena_free(&t->arena);
    sp_arena_free(&t->scratch);
    sp_pool_free(&t->pool);
    forget(t);
}

/* ---- variables and scopes ---- */

static size_t floats_of(const sp_var *v) {
    return (size_t)v->rows * (size_t)v->ld;
}

sp_var *sp_var_owner(sp_var *v) {
    while (v->base) v = v->base;
    return v;
}

sp_var *sp_var_new(sp_tape *t, long rows, long cols, bool needs_grad) {
    sp_var *v = sp_arena_zero(&t->arena, sizeof *v);
    v->rows = rows;
    v->cols = v->ld = cols;
    v->needs_grad = needs_grad && !t->inference;
    v->buffer = sp_pool_take(&t->pool, floats_of(v));
    v->data = v->buffer->data;
    v->previous = t->variables;
    t->variables = v;
    return v;
}

sp_tape_mark sp_tape_begin(sp_tape *t) {
    return (sp_tape_mark){t->variables};
}

void sp_tape_end(sp_tape *t, sp_tape_mark mark, sp_var *keep) {
    sp_var *kept = NULL;
    for (sp_var *v = t->variables, *before; v != mark.last; v = before) {
        before = v->previous;
        if (keep && v == sp_var_owner(keep))
            kept = v;
        else
            sp_pool_drop(&t->pool, v->buffer);
    }
    t->variables = mark.last;
    if (!kept) return;
    kept->previous = t->variables;
    t->variables = kept;
}

/* ---- recording ---- */

void *sp_tape_record(sp_tape *t, sp_var *out, void (*backward)(sp_tape *, sp_node *), size_t size) {
    if (!out->needs_grad || t->rehearsal) return NULL;
    sp_node *node = sp_arena_zero(&t->arena, size);
    *node = (sp_node){.previous = t->last, .backward = backward, .out = out};
    t->last = node;
    return node;
}

void sp_tape_save(sp_node *node, sp_var *v) {
    sp_buffer *buffer = v ? sp_var_owner(v)->buffer : NULL;
    if (!buffer) return;
    buffer->holders++;
    node->saved[node->saved_count++] = buffer;
}

/* ---- backward ---- */

static void release_gradient(sp_tape *t, sp_var *v) {
    if (!v->grad_buffer) return;
    sp_pool_drop(&t->pool, v->grad_buffer);
    v->grad_buffer = NULL;
    v->grad = NULL;
    v->grad_ready = false;
}

void sp_tape_run_backward(sp_tape *t) {
    for (sp_node *node = t->last; node; node = node->previous) {
        if (node->out->grad_ready) node->backward(t, node);
        sp_arena_reset(&t->scratch);
        release_gradient(t, node->out);
        for (int i = 0; i < node->saved_count; i++) sp_pool_drop(&t->pool, node->saved[i]);
    }
    t->last = NULL;
}

void sp_tape_backward(sp_tape *t, sp_var *root, float seed) {
    *sp_grad(t, root) = seed;
    sp_tape_run_backward(t);
}

/* ---- gradients ---- */

/* A gradient that is shared is copied before it changes. */
static void make_own(sp_tape *t, sp_var *v) {
    sp_buffer *shared = v->grad_buffer;
    if (shared->holders == 1) return;
    v->grad_buffer = sp_pool_take(&t->pool, floats_of(v));
    v->grad = v->grad_buffer->data;
    memcpy(v->grad, shared->data, floats_of(v) * sizeof(float));
    sp_pool_drop(&t->pool, shared);
}

float *sp_grad_own(sp_tape *t, sp_var *y) {
    make_own(t, y);
    return y->grad;
}

float *sp_grad_beta(sp_tape *t, sp_var *v, float *beta) {
    if (v->base) { /* other columns of base may get theirs later, so all of it must be defined */
        *beta = 1;
        return sp_grad(t, v->base) + v->base_column;
    }
    *beta = v->grad_ready ? 1.0f : 0.0f;
    v->grad_ready = true;
    if (v->leaf) return v->grad;
    if (v->grad_buffer) return sp_grad_own(t, v);
    v->grad_buffer = sp_pool_take(&t->pool, floats_of(v));
    return v->grad = v->grad_buffer->data;
}

float *sp_grad(sp_tape *t, sp_var *v) {
    float beta;
    float *grad = sp_grad_beta(t, v, &beta);
    if (beta != 0) return grad;
#pragma omp parallel for
    for (long r = 0; r < v->rows; r++) memset(grad + r * v->ld, 0, (size_t)v->ld * sizeof(float));
    return grad;
}

void sp_grad_pass(sp_tape *t, const sp_var *y, long column, sp_var *x) {
    if (!x->needs_grad) return;
    if (!x->base && !x->leaf && !x->grad_buffer && x->cols == y->cols) {
        x->grad_buffer = y->grad_buffer;
        x->grad_buffer->holders++;
        x->grad = y->grad;
        x->grad_ready = true;
        return;
    }
    float beta;
    float *dx = sp_grad_beta(t, x, &beta);
#pragma omp parallel for
    for (long r = 0; r < x->rows; r++) {
        const float *dy = y->grad + r * y->ld + column;
        if (beta == 0)
            memcpy(dx + r * x->ld, dy, (size_t)x->cols * sizeof(float));
        else
            sp_axpy(x->cols, 1.0f, dy, dx + r * x->ld);
    }
}

/* ---- leaves ---- */

sp_var sp_leaf(long rows, long cols) {
    return (sp_var){.rows = rows,
                    .cols = cols,
                    .ld = cols,
                    .leaf = true,
                    .data = sp_alloc_floats((size_t)rows * (size_t)cols)};
}

static void free_weight(sp_var *leaf) {
    sp_weight_free((sp_weight *)leaf->weight);
    leaf->weight = NULL;
}

void sp_leaf_half(sp_var *leaf, bool transposed) {
    if (leaf->weight) return;
    leaf->weight = sp_weight_new(leaf->rows, leaf->cols, leaf->data, leaf->ld, transposed);
    free(leaf->data);
    leaf->data = NULL;
}

void sp_leaf_floats(sp_var *leaf) {
    if (!leaf->weight) return;
    leaf->data = sp_alloc_floats((size_t)leaf->rows * (size_t)leaf->cols);
    sp_weight_floats(leaf->weight, 0, leaf->rows, leaf->data);
    free_weight(leaf);
}

void sp_leaf_train(sp_var *leaf, bool train) {
    if (train) sp_leaf_floats(leaf);
    if (train && !leaf->grad) leaf->grad = sp_alloc_floats((size_t)leaf->rows * (size_t)leaf->ld);
    if (!train) {
        free(leaf->grad);
        leaf->grad = NULL;
    }
    leaf->needs_grad = train;
    leaf->grad_ready = false;
}

void sp_leaf_free(sp_var *leaf) {
    free(leaf->data);
    free(leaf->grad);
    free_weight(leaf);
    *leaf = (sp_var){0};
}
