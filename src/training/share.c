#include "training/share.h"

#include <stdlib.h>
#include <string.h>

/* The largest of the sequences nobody has yet; of equals the first. */
static size_t largest_left(const int *sizes, size_t count, const int *owner) {
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (owner[i] < 0 && (best == count || sizes[i] > sizes[best])) best = i;
    return best;
}

void sp_share_deal(const int *sizes, size_t count, int ranks, int *owner) {
    int64_t *sums = sp_alloc((size_t)ranks, sizeof *sums);
    for (size_t i = 0; i < count; i++) owner[i] = -1;
    for (size_t dealt = 0; dealt < count; dealt++) {
        size_t i = largest_left(sizes, count, owner);
        int least = 0;
        for (int r = 1; r < ranks; r++)
            if (sums[r] < sums[least]) least = r;
        owner[i] = least;
        sums[least] += sizes[i];
    }
    free(sums);
}

static size_t value_count(const sp_var *v) {
    return (size_t)(v->rows * v->cols);
}

/* One buffer: the loss, for each parameter whether it has a gradient, then all gradients. So a step
 * is one sum, whatever the method. */
void sp_share_sum_gradients(sp_ranks *ranks, const sp_optimizer *o, double *loss) {
    if (!ranks) return;
    size_t head = 1 + o->count, total = head;
    for (size_t i = 0; i < o->count; i++) total += value_count(&o->params[i]->var);
    float *all = sp_alloc_floats(total), *ready = all + 1, *at = all + head;
    all[0] = (float)*loss;
    for (size_t i = 0; i < o->count; at += value_count(&o->params[i++]->var)) {
        const sp_var *v = &o->params[i]->var;
        ready[i] = v->grad_ready;
        if (v->grad_ready) memcpy(at, v->grad, value_count(v) * sizeof *at);
    }
    sp_ranks_sum(ranks, all, total);
    *loss = all[0];
    at = all + head;
    for (size_t i = 0; i < o->count; at += value_count(&o->params[i++]->var)) {
        sp_var *v = &o->params[i]->var;
        v->grad_ready = ready[i] > 0;
        if (v->grad_ready) memcpy(v->grad, at, value_count(v) * sizeof *at);
    }
    free(all);
}
