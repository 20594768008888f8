/* The tape: variables, leaves and the backward pass. Gradients flow only where something trains: an
 * op none of whose inputs needs a gradient is not recorded, and a weight without a gradient gets no
 * weight gradient. Ops are in ops.h. */
#ifndef SP_AUTOGRAD_TAPE_H
#define SP_AUTOGRAD_TAPE_H

#include "core/memory.h"

#include <stdbool.h>

/* A row-major fp32 matrix [rows, cols] with leading dimension ld. */
typedef struct sp_var {
    long rows, cols, ld;
    float *data;
    float *grad; /* same layout; see grad_ready */
    bool needs_grad;
    bool grad_ready;     /* grad holds the sum so far; false: nothing has arrived yet */
    bool leaf;           /* a parameter: grad outlives the tape */
    struct sp_var *base; /* a column slice: gradients go to base's columns base_column.. */
    long base_column;
} sp_var;

typedef struct sp_tape sp_tape;

/* One recorded op; ops embed it as the first member of their own struct. */
typedef struct sp_node {
    struct sp_node *previous;
    void (*backward)(sp_tape *tape, struct sp_node *node);
    sp_var *out;
} sp_node;

struct sp_tape {
    sp_arena arena;   /* variables, activations, gradients of one step */
    sp_arena scratch; /* an op's temporaries; empty between ops */
    sp_node *last;
    bool inference; /* nothing is recorded, whatever needs a gradient */
};

/* Forgets the step; memory is kept. The grads of leaves stay. */
void sp_tape_reset(sp_tape *tape);
void sp_tape_free(sp_tape *tape);

/* An uninitialised activation [rows, cols] owned by the tape. */
sp_var *sp_var_new(sp_tape *tape, long rows, long cols, bool needs_grad);

/* Records an op if its output needs a gradient: returns `size` zeroed bytes that start with an
 * sp_node, or NULL when nothing is to be recorded. */
void *sp_tape_record(sp_tape *tape, sp_var *out, void (*backward)(sp_tape *, sp_node *),
                     size_t size);

/* A place in the making of a step. */
typedef struct sp_tape_mark {
    sp_node *last;
} sp_tape_mark;

/* Around a block of a model: when it ends, the memory of its variables is given back, but for
 * `keep`, what the backward pass needs, and parameters. Nothing but `keep` may be used any more. */
sp_tape_mark sp_tape_begin(sp_tape *tape);
void sp_tape_end(sp_tape *tape, sp_tape_mark mark, sp_var *keep);

/* Back-propagates from `root` [1, 1] with gradient `seed`. */
void sp_tape_backward(sp_tape *tape, sp_var *root, float seed);

/* Where to add to the gradient of v (row r at + r * v->ld); zeros if nothing had arrived. */
float *sp_grad(sp_tape *tape, sp_var *v);
/* The same for an op that overwrites all of it with one GEMM: *beta is 0 if nothing had arrived
 * (the memory is then not initialised), else 1. */
float *sp_grad_beta(sp_tape *tape, sp_var *v, float *beta);

/* Makes a leaf [rows, cols] around zeroed memory of its own; sp_leaf_free releases it. */
sp_var sp_leaf(long rows, long cols);
/* Switches training of a leaf on or off (allocates or releases its gradient). */
void sp_leaf_train(sp_var *leaf, bool train);
void sp_leaf_free(sp_var *leaf);

#endif
