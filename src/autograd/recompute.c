#include "autograd/ops.h"

#include <string.h>

typedef struct recompute_node {
    sp_node node;
    sp_block *block;
    void *user;
    sp_var *x;
} recompute_node;

/* The block once more, this time recorded: its ops add to the gradients of x and of what else the
 * block reads, as if they had been on the tape all the time. */
static void recompute_backward(sp_tape *t, sp_node *node) {
    recompute_node *n = (recompute_node *)node;
    sp_node *outer = t->last;
    t->last = NULL;
    sp_tape_mark mark = sp_tape_begin(t);
    sp_var *again = sp_var_owner(n->block(t, n->user, n->x));
    sp_grad_pass(t, node->out, 0, again);
    sp_tape_end(t, mark, NULL);
    sp_tape_run_backward(t);
    t->last = outer;
}

sp_var *sp_recompute(sp_tape *t, sp_block *block, void *user, size_t user_bytes, sp_var *x) {
    bool outer_rehearsal = t->rehearsal;
    sp_tape_mark mark = sp_tape_begin(t);
    t->rehearsal = true;
    sp_var *y = block(t, user, x);
    t->rehearsal = outer_rehearsal;
    sp_tape_end(t, mark, y);
    if (y == x) return y;
    recompute_node *n = sp_tape_record(t, sp_var_owner(y), recompute_backward, sizeof *n);
    if (n) {
        n->block = block;
        n->user = memcpy(sp_arena_alloc(&t->arena, user_bytes), user, user_bytes);
        n->x = x;
        sp_tape_save(&n->node, x);
    }
    return y;
}
