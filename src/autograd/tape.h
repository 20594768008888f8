/* The tape: variables, leaves and the backward pass. Gradients flow only where something trains: an
 * op none of whose inputs needs a gradient is not recorded, and a weight without a gradient gets no
 * weight gradient. Ops are in ops.h.
 *
 * A variable's floats live as long as somebody holds them: the scope in which it was made
 * (sp_tape_begin, sp_tape_end), and every recorded op that needs them in the backward pass. Its
 * gradient lives until the op that made the variable has gone backwards. */
#ifndef SP_AUTOGRAD_TAPE_H
#define SP_AUTOGRAD_TAPE_H

#include "autograd/pool.h"

#include <stdbool.h>

struct sp_weight; /* tensor/weight.h */

/* A row-major fp32 matrix [rows, cols] with leading dimension ld. */
typedef struct sp_var {
    long rows, cols, ld;
    float *data;                    /* NULL if the matrix is kept in bf16: */
    const struct sp_weight *weight; /* of a leaf, or of the leaf that this is a view of */
    float *grad;                    /* same layout; see grad_ready */
    bool needs_grad;
    bool grad_ready;     /* grad holds the sum so far; false: nothing has arrived yet */
    bool leaf;           /* a parameter: grad outlives the tape */
    struct sp_var *base; /* a column slice: gradients go to base's columns base_column.. */
    long base_column;
    sp_buffer *buffer, *grad_buffer; /* where data and grad of the tape's own variables lie */
    struct sp_var *previous;         /* the one made before, of those its scope still holds */
} sp_var;

typedef struct sp_tape sp_tape;

enum { SP_SAVED_MAX = 8 };

/* One recorded op; ops embed it as the first member of their own struct. */
typedef struct sp_node {
    struct sp_node *previous;
    void (*backward)(sp_tape *tape, struct sp_node *node);
    sp_var *out;
    sp_buffer *saved[SP_SAVED_MAX]; /* what `backward` reads, held until it is done */
    int saved_count;
} sp_node;

struct sp_tape {
    sp_arena arena;   /* variables and ops of one step, without their floats */
    sp_arena scratch; /* an op's temporaries; empty between ops */
    sp_pool pool;     /* activations and gradients */
    sp_node *last;
    sp_var *variables; /* held by the open scopes, latest first */
    bool inference;    /* nothing needs a gradient */
    bool halves;       /* what activations save for the backward pass is kept in bf16 (saved.h) */
    bool rehearsal;    /* nothing is recorded, but who needs a gradient is known (sp_recompute) */
};

/* Forgets the step; memory is kept. The grads of leaves stay. */
void sp_tape_reset(sp_tape *tape);
void sp_tape_free(sp_tape *tape);

/* An uninitialised activation [rows, cols] owned by the tape. */
sp_var *sp_var_new(sp_tape *tape, long rows, long cols, bool needs_grad);

/* A place in the making of a step. */
typedef struct sp_tape_mark {
    sp_var *last;
} sp_tape_mark;

/* Around a block of a model: when it ends, the floats of the variables made since the mark are
 * given back, but for those of `keep` (or what it is a view of) and what the backward pass needs.
 * Nothing but `keep` may be used any more. The same mark may end several times: marking before the
 * first block and ending after each also gives back the block's input. */
sp_tape_mark sp_tape_begin(sp_tape *tape);
void sp_tape_end(sp_tape *tape, sp_tape_mark mark, sp_var *keep);

/* Records an op if its output needs a gradient: returns `size` zeroed bytes that start with an
 * sp_node, or NULL when nothing is to be recorded. */
void *sp_tape_record(sp_tape *tape, sp_var *out, void (*backward)(sp_tape *, sp_node *),
                     size_t size);
/* Says that the op's backward pass reads the data of v: inputs, the output, or statistics it made
 * with sp_var_new. NULL and parameters are fine. */
void sp_tape_save(sp_node *node, sp_var *v);

/* Back-propagates from `root` [1, 1] with gradient `seed`. What was recorded is used up by it. */
void sp_tape_backward(sp_tape *tape, sp_var *root, float seed);
/* Runs what is recorded backwards; the gradients it starts from have arrived. */
void sp_tape_run_backward(sp_tape *tape);

/* Where to add to the gradient of v (row r at + r * v->ld); zeros if nothing had arrived. */
float *sp_grad(sp_tape *tape, sp_var *v);
/* The same for an op that writes all of it: *beta is 0 if nothing had arrived (the memory is then
 * not initialised), else 1. */
float *sp_grad_beta(sp_tape *tape, sp_var *v, float *beta);
/* x, if it needs a gradient, gets the columns `column`.. of y's. If these are all and x has none
 * yet, they share the memory until one of them changes it. */
void sp_grad_pass(sp_tape *tape, const sp_var *y, long column, sp_var *x);
/* The gradient of y, that of an op's output, for changing it in place. */
float *sp_grad_own(sp_tape *tape, sp_var *y);

/* Makes a leaf [rows, cols] around zeroed memory of its own; sp_leaf_free releases it. */
sp_var sp_leaf(long rows, long cols);
/* Keeps a frozen leaf in bf16, rounded to nearest even (`transposed`: as a linear map it is [out,
 * in]), and back in fp32: no-ops if it is so. */
void sp_leaf_half(sp_var *leaf, bool transposed);
void sp_leaf_floats(sp_var *leaf);
/* Switches training of a leaf on or off (allocates or releases its gradient). What trains is fp32.
 */
void sp_leaf_train(sp_var *leaf, bool train);
void sp_leaf_free(sp_var *leaf);

/* A row of v as floats, out [cols], whether it is kept in fp32 or bf16. */
void sp_var_row(const sp_var *v, long row, float *out);
/* v, or what it is a view of. */
sp_var *sp_var_owner(sp_var *v);

#endif
