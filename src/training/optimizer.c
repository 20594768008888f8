#include "training/optimizer.h"

#include "tensor/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_adafactor(const sp_optimizer *o) {
    return strcmp(o->options.optimizer, "adafactor") == 0;
}

static void init_moments(const sp_optimizer *o, const sp_param *p, sp_moments *m) {
    size_t size = (size_t)(p->var.rows * p->var.cols);
    bool factored = is_adafactor(o) && sp_adafactor_factors(p);
    m->first_count = is_adafactor(o) ? 0 : size;
    m->second_count = factored ? (size_t)(p->var.rows + p->var.cols) : size;
    m->first = sp_alloc_floats(m->first_count);
    m->second = sp_alloc_floats(m->second_count);
}

void sp_optimizer_init(sp_optimizer *o, const sp_train_options *options, sp_param **params,
                       size_t count) {
    *o = (sp_optimizer){.params = params, .count = count, .options = *options};
    o->moments = sp_alloc(count, sizeof *o->moments);
    for (size_t i = 0; i < count; i++) init_moments(o, params[i], &o->moments[i]);
}

void sp_optimizer_free(sp_optimizer *o) {
    for (size_t i = 0; i < o->count; i++) {
        free(o->moments[i].first);
        free(o->moments[i].second);
    }
    free(o->moments);
    *o = (sp_optimizer){0};
}

void sp_optimizer_zero_grad(sp_optimizer *o) {
    for (size_t i = 0; i < o->count; i++) o->params[i]->var.grad_ready = false;
}

double sp_optimizer_clip(sp_optimizer *o) {
    double squares = 0;
    for (size_t i = 0; i < o->count; i++) {
        const sp_var *v = &o->params[i]->var;
        if (v->grad_ready) squares += sp_sum_squares(v->rows * v->cols, v->grad);
    }
    double norm = sqrt(squares), limit = o->options.clip;
    if (limit <= 0 || !(norm > limit)) return norm;
    for (size_t i = 0; i < o->count; i++) {
        const sp_var *v = &o->params[i]->var;
        if (v->grad_ready)
            sp_scale(v->rows * v->cols, (float)(limit / (norm + 1e-6)), v->grad, v->grad);
    }
    return norm;
}

void sp_optimizer_step(sp_optimizer *o, double learning_rate) {
    o->step++;
    for (size_t i = 0; i < o->count; i++) {
        sp_param *p = o->params[i];
        if (!p->var.grad_ready) continue;
        if (is_adafactor(o))
            sp_adafactor_apply(&o->options, p, &o->moments[i], learning_rate, o->step);
        else
            sp_adamw_apply(&o->options, p, &o->moments[i], learning_rate, o->step);
    }
}
