/* AdamW (Loshchilov & Hutter 2019, algorithm 2). As in Hugging Face's trainer, weight decay acts on
 * matrices only, not on biases and norms. */
#include "tensor/kernels.h"
#include "training/optimizer.h"

#include <math.h>

enum { STRIP = 16384 };

void sp_adamw_apply(const sp_train_options *o, sp_param *p, sp_moments *m, double learning_rate,
                    long step) {
    sp_adamw_step s = {.learning_rate = (float)learning_rate,
                       .beta1 = (float)o->beta1,
                       .beta2 = (float)o->beta2,
                       .epsilon = (float)o->epsilon,
                       .weight_decay = p->rank > 1 ? (float)o->weight_decay : 0.0f,
                       .correction1 = (float)(1.0 - pow(o->beta1, (double)step)),
                       .correction2 = (float)(1.0 - pow(o->beta2, (double)step))};
    long n = p->var.rows * p->var.cols;
#pragma omp parallel for
    for (long i = 0; i < n; i += STRIP)
        sp_adamw_update(n - i < STRIP ? n - i : STRIP, &s, p->var.grad + i, m->first + i,
                        m->second + i, p->var.data + i);
}
