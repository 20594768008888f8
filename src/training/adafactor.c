/* Adafactor (Shazeer & Stern 2018) as the Prompt Tuning paper uses it (Lester et al. 2021, section
 * 3.2): no first moment, no parameter scaling, a given learning rate, beta2 = 1 - step^-0.8, update
 * clipping at RMS 1, decoupled weight decay of matrices. As in T5X, only matrices of at least 128
 * rows and columns keep row and column means of squares; a soft prompt rarely has so many rows. */
#include "tensor/kernels.h"
#include "training/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_FACTORED = 128 };
static const double DECAY_EXPONENT = 0.8, EPSILON = 1e-30, CLIP_THRESHOLD = 1.0;

bool sp_adafactor_factors(const sp_param *p) {
    return p->rank > 1 && p->var.rows >= SMALLEST_FACTORED && p->var.cols >= SMALLEST_FACTORED;
}

/* Running means over rows [rows] and columns [cols] of grad^2 + epsilon. */
static void update_factors(const sp_var *v, double beta2, float *row_mean, float *column_mean) {
    double *column_sum = sp_alloc((size_t)v->cols, sizeof(double));
    for (long r = 0; r < v->rows; r++) {
        double sum = 0;
        for (long c = 0; c < v->cols; c++) {
            double square = (double)v->grad[r * v->cols + c] * v->grad[r * v->cols + c] + EPSILON;
            sum += square;
            column_sum[c] += square;
        }
        row_mean[r] = (float)(beta2 * row_mean[r] + (1 - beta2) * sum / (double)v->cols);
    }
    for (long c = 0; c < v->cols; c++)
        column_mean[c] =
            (float)(beta2 * column_mean[c] + (1 - beta2) * column_sum[c] / (double)v->rows);
    free(column_sum);
}

/* update = grad / sqrt(row x column / mean(row)) */
static void factored_update(const sp_var *v, const float *row_mean, const float *column_mean,
                            float *update) {
    double mean = 0;
    for (long r = 0; r < v->rows; r++) mean += row_mean[r];
    mean /= (double)v->rows;
    for (long r = 0; r < v->rows; r++) {
        double row = 1.0 / sqrt(row_mean[r] / mean);
        for (long c = 0; c < v->cols; c++)
            update[r * v->cols + c] =
                (float)(v->grad[r * v->cols + c] * row / sqrt(column_mean[c]));
    }
}

static void plain_update(const sp_var *v, double beta2, float *second, float *update) {
    for (long i = 0; i < v->rows * v->cols; i++) {
        double square = (double)v->grad[i] * v->grad[i] + EPSILON;
        second[i] = (float)(beta2 * second[i] + (1 - beta2) * square);
        update[i] = (float)(v->grad[i] / sqrt(second[i]));
    }
}

void sp_adafactor_apply(const sp_train_options *o, sp_param *p, sp_moments *m, double learning_rate,
                        long step) {
    const sp_var *v = &p->var;
    long n = v->rows * v->cols;
    double beta2 = 1.0 - pow((double)step, -DECAY_EXPONENT);
    float *update = sp_alloc_floats((size_t)n);
    if (m->second_count < (size_t)n) {
        update_factors(v, beta2, m->second, m->second + v->rows);
        factored_update(v, m->second, m->second + v->rows, update);
    } else {
        plain_update(v, beta2, m->second, update);
    }
    double rms = sqrt(sp_sum_squares(n, update) / (double)n);
    double scale = learning_rate / fmax(1.0, rms / CLIP_THRESHOLD);
    double decay = p->rank > 1 ? o->weight_decay * learning_rate : 0;
    for (long i = 0; i < n; i++) v->data[i] = (float)(v->data[i] * (1 - decay) - scale * update[i]);
    free(update);
}
