#include "training/step.h"

#include "training/share.h"

#include <math.h>

sp_status sp_train_step_share(sp_tape *t, sp_var *loss, double weight, sp_ranks *ranks,
                              sp_optimizer *o, double learning_rate, sp_step_result *out) {
    out->loss = loss ? weight * loss->data[0] : 0;
    out->gradient_norm = 0;
    if (ranks || isfinite(out->loss)) { /* what is not finite has to reach the other ranks */
        sp_optimizer_zero_grad(o);
        if (loss) sp_tape_backward(t, loss, (float)weight);
        sp_share_sum_gradients(ranks, o, &out->loss);
        out->gradient_norm = sp_optimizer_clip(o);
    }
    sp_tape_reset(t);
    if (!isfinite(out->loss) || !isfinite(out->gradient_norm))
        return sp_fail(SP_ERR_NUMERIC,
                       "step %ld: loss is %g, gradient norm %g; use a lower learning rate than %g",
                       o->step + 1, out->loss, out->gradient_norm, learning_rate);
    sp_optimizer_step(o, learning_rate);
    return SP_OK;
}

sp_status sp_train_step(sp_tape *t, sp_var *loss, sp_optimizer *o, double learning_rate,
                        sp_step_result *out) {
    return sp_train_step_share(t, loss, 1, NULL, o, learning_rate, out);
}
