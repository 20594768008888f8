#include "autograd/tape.h"

#include <stdlib.h>
#include <string.h>

void sp_tape_reset(sp_tape *t) {
    sp_arena_reset(&t->arena);
    sp_arena_reset(&t->scratch);
    t->last = NULL;
}

void sp_tape_free(sp_tape *t) {
    sp_arena_free(&t->arena);
    sp_arena_free(&t->scratch);
    t->last = NULL;
}

sp_var *sp_var_new(sp_tape *t, long rows, long cols, bool needs_grad) {
    sp_var *v = sp_arena_zero(&t->arena, sizeof *v);
    v->rows = rows;
    v->cols = v->ld = cols;
    v->needs_grad = needs_grad && !t->inference;
    v->data = sp_arena_alloc(&t->arena, (size_t)rows * (size_t)cols * sizeof(float));
    return v;
}

void *sp_tape_record(sp_tape *t, sp_var *out, void (*backward)(sp_tape *, sp_node *), size_t size) {
    if (!out->needs_grad) return NULL;
    sp_node *node = sp_arena_zero(&t->arena, size);
    *node = (sp_node){.previous = t->last, .backward = backward, .out = out};
    t->last = node;
    return node;
}

sp_tape_mark sp_tape_begin(sp_tape *t) {
    return (sp_tape_mark){t->last};
}

void sp_tape_end(sp_tape *t, sp_tape_mark mark, sp_var *keep) {
    (void)t;
    (void)mark;
    (void)keep;
}

void sp_tape_backward(sp_tape *t, sp_var *root, float seed) {
    *sp_grad(t, root) = seed;
    for (sp_node *node = t->last; node; node = node->previous) {
        if (!node->out->grad_ready) continue;
        node->backward(t, node);
        sp_arena_reset(&t->scratch);
    }
}

static size_t grad_bytes(const sp_var *v) {
    return (size_t)v->rows * (size_t)v->ld * sizeof(float);
}

float *sp_grad_beta(sp_tape *t, sp_var *v, float *beta) {
    if (v->base) { /* other columns of base may get theirs later, so all of it must be defined */
        *beta = 1;
        v->grad = sp_grad(t, v->base) + v->base_column;
        v->grad_ready = true;
        return v->grad;
    }
    *beta = v->grad_ready ? 1.0f : 0.0f;
    if (!v->grad) v->grad = sp_arena_alloc(&t->arena, grad_bytes(v));
    v->grad_ready = true;
    return v->grad;
}

float *sp_grad(sp_tape *t, sp_var *v) {
    float beta;
    float *grad = sp_grad_beta(t, v, &beta);
    if (beta == 0) memset(grad, 0, grad_bytes(v));
    return grad;
}

sp_var sp_leaf(long rows, long cols) {
    return (sp_var){.rows = rows,
                    .cols = cols,
                    .ld = cols,
                    .leaf = true,
                    .data = sp_alloc_floats((size_t)rows * (size_t)cols)};
}

void sp_leaf_train(sp_var *leaf, bool train) {
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
    *leaf = (sp_var){0};
}
