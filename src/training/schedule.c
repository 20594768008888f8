#include "training/schedule.h"

#include <math.h>
#include <string.h>

static double factor_after_warmup(const sp_train_options *o, double step, double steps,
                                  double warmup) {
    double left = steps - step, span = fmax(1.0, steps - warmup);
    if (strcmp(o->schedule, "linear") == 0) return fmax(0.0, left / span);
    if (strcmp(o->schedule, "cosine") == 0)
        return fmax(0.0, 0.5 * (1.0 + cos(M_PI * (step - warmup) / span)));
    if (strcmp(o->schedule, "wsd") == 0) return fmin(1.0, left / fmax(1.0, o->decay * steps));
    return 1.0;
}

double sp_learning_rate(const sp_train_options *o, long step, long steps) {
    double warmup = floor(o->warmup * (double)steps);
    if ((double)step < warmup) return o->lr * (double)step / fmax(1.0, warmup);
    return o->lr * factor_after_warmup(o, (double)step, (double)steps, warmup);
}
