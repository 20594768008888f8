/* A run keeps keys and values, PEFT the rows A before the projections: A is found again from
 *   A G = Y,   G [d, 2 kv width] = [Wk^T Wv^T],   Y = [K - bk, V - bv]
 * by conjugate gradients on the normal equations (CGLS; Hestenes & Stiefel 1952), row by row. With
 * as many keys and values as hidden units or more, A is unique; else it is the shortest. */
#include "tuning/peft_adaption.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which models ---- */

static bool has_output_bias(const sp_model *m) {
    for (int i = 0; i < m->projection_count; i++) {
        const char *end = strrchr(m->projections[i].name, '.');
        if (end && strcmp(end, ".o_proj") == 0 && m->projections[i].map.bias) return true;
    }
    return false;
}

sp_status sp_peft_check_adaption(const sp_model *m, const char *place) {
    const sp_config *c = &m->config;
    const char *why = NULL;
    if (strcmp(c->model_type, "gpt2") == 0)
        why = "adds the prompt's term behind the output projection of the attention";
    else if (strcmp(c->model_type, "llama") != 0 && strcmp(c->model_type, "mistral") != 0)
        why = "has none";
    else if (c->n_head * c->head_size != c->n_embd)
        why = "takes the heads to be as wide as hidden size / heads";
    else if (has_output_bias(m))
        why = "adds the bias of the output projection twice";
    if (!why) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "%s: an adaption prompt for this %s model cannot agree with PEFT, which %s; use "
                   "another method, or a Llama without such a thing",
                   place, c->model_type, why);
}

/* ---- rows ---- */

/* Residual as a share of the right-hand side's norm: the rounding of keys and values in fp32. */
static const double enough = 2e-7;

typedef struct equations {
    long d, n; /* of G [d, n] */
    float *matrix, *bias;
    double *residual, *step, *image, *gradient; /* [n], [d], [n], [d] */
} equations;

/* Keys and values side by side: out [rows, n]. */
static void join(const sp_kv *kv, float *out) {
    long width = kv->key->cols;
    size_t bytes = (size_t)width * sizeof(float);
    for (long r = 0; r < kv->key->rows; r++) {
        memcpy(out + 2 * r * width, kv->key->data + r * kv->key->ld, bytes);
        memcpy(out + (2 * r + 1) * width, kv->value->data + r * kv->value->ld, bytes);
    }
}

/* Keys and values of no row and of every unit row: biases and weights, however they are stored. */
static equations make_equations(const sp_model *m, int layer, long width) {
    equations e = {.d = m->config.n_embd, .n = 2 * width};
    e.matrix = sp_alloc_floats((size_t)(e.d * e.n));
    e.bias = sp_alloc_floats((size_t)e.n);
    sp_tape tape = {.inference = true};
    sp_var none = sp_leaf(1, e.d), units = sp_leaf(e.d, e.d);
    for (long i = 0; i < e.d; i++) units.data[i * units.ld + i] = 1;
    sp_kv kv = sp_model_keys_values(&tape, m, layer, &none);
    join(&kv, e.bias);
    kv = sp_model_keys_values(&tape, m, layer, &units);
    join(&kv, e.matrix);
    for (long i = 0; i < e.d; i++)
        for (long k = 0; k < e.n; k++) e.matrix[i * e.n + k] -= e.bias[k];
    sp_leaf_free(&none);
    sp_leaf_free(&units);
    sp_tape_free(&tape);
    e.residual = sp_alloc((size_t)e.n, sizeof(double));
    e.image = sp_alloc((size_t)e.n, sizeof(double));
    e.step = sp_alloc((size_t)e.d, sizeof(double));
    e.gradient = sp_alloc((size_t)e.d, sizeof(double));
    return e;
}

static void free_equations(equations *e) {
    free(e->matrix), free(e->bias);
    free(e->residual), free(e->image), free(e->step), free(e->gradient);
}

static double square(const double *x, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* image = step G */
static void apply(equations *e) {
    memset(e->image, 0, (size_t)e->n * sizeof(double));
    for (long i = 0; i < e->d; i++)
        for (long k = 0; k < e->n; k++) e->image[k] += e->step[i] * (double)e->matrix[i * e->n + k];
}

/* gradient = G residual; returns its square. */
static double pull_back(equations *e) {
    for (long i = 0; i < e->d; i++) {
        double sum = 0;
        for (long k = 0; k < e->n; k++) sum += (double)e->matrix[i * e->n + k] * e->residual[k];
        e->gradient[i] = sum;
    }
    return square(e->gradient, e->d);
}

/* One row: y [n] -> a [d], which is zero before. */
static void solve(equations *e, const float *y, double *a) {
    for (long k = 0; k < e->n; k++) e->residual[k] = (double)(y[k] - e->bias[k]);
    double target = enough * enough * square(e->residual, e->n), gamma = pull_back(e);
    memcpy(e->step, e->gradient, (size_t)e->d * sizeof(double));
    for (long it = 0; it < 4 * e->d && gamma > 0 && square(e->residual, e->n) > target; it++) {
        apply(e);
        double length = square(e->image, e->n);
        if (!(length > 0)) break;
        double alpha = gamma / length, before = gamma;
        for (long i = 0; i < e->d; i++) a[i] += alpha * e->step[i];
        for (long k = 0; k < e->n; k++) e->residual[k] -= alpha * e->image[k];
        gamma = pull_back(e);
        for (long i = 0; i < e->d; i++) e->step[i] = e->gradient[i] + gamma / before * e->step[i];
    }
}

double sp_adaption_rows(const sp_model *m, int layer, const sp_kv *kv, float *rows) {
    long count = kv->key->rows, width = kv->key->cols;
    equations e = make_equations(m, layer, width);
    float *wanted = sp_alloc_floats((size_t)(count * e.n));
    double *a = sp_alloc((size_t)e.d, sizeof *a);
    double largest = 0, deviation = 0;
    join(kv, wanted);
    for (long r = 0; r < count; r++) {
        memset(a, 0, (size_t)e.d * sizeof *a);
        solve(&e, wanted + r * e.n, a);
        for (long i = 0; i < e.d; i++) rows[r * e.d + i] = (float)a[i];
        for (long k = 0; k < e.n; k++) {
            largest = fmax(largest, fabs((double)wanted[r * e.n + k]));
            deviation = fmax(deviation, fabs(e.residual[k]));
        }
    }
    free(a);
    free(wanted);
    free_equations(&e);
    return largest > 0 ? deviation / largest : deviation;
}
