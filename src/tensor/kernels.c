#include "tensor/kernels.h"

#include "tensor/vector.h"

#include <math.h>

VECTORISED void sp_axpy(long n, float a, const float *x, float *y) {
    for (long i = 0; i < n; i++) y[i] += a * x[i];
}

VECTORISED void sp_scale(long n, float a, const float *x, float *y) {
    for (long i = 0; i < n; i++) y[i] = a * x[i];
}

VECTORISED float sp_dot(long n, const float *x, const float *y) {
    float sum = 0;
    for (long i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

VECTORISED double sp_sum_squares(long n, const float *x) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sum;
}

VECTORISED void sp_bf16_from_floats(long n, const float *x, uint16_t *y) {
    for (long i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        uint32_t quiet = bits >> 16 | 0x40;
        y[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
    }
}

VECTORISED void sp_bf16_to_floats(long n, const uint16_t *x, float *y) {
    for (long i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}

/* gelu(x) = x * s(x) with s = sigmoid(2 * sqrt(2/pi) * (x + 0.044715 x^3)). */
static const float GELU_A = 1.5957691216057308f;
static const float GELU_B = 0.044715f;

VECTORISED void sp_gelu_forward(long n, const float *x, float *y) {
    for (long i = 0; i < n; i++) {
        float u = -GELU_A * x[i] * (1.0f + GELU_B * x[i] * x[i]);
        y[i] = x[i] / (1.0f + expf(u > 80.0f ? 80.0f : u));
    }
}

VECTORISED void sp_gelu_backward(long n, const float *x, const float *dy, float *dx) {
    for (long i = 0; i < n; i++) {
        float u = -GELU_A * x[i] * (1.0f + GELU_B * x[i] * x[i]);
        float s = 1.0f / (1.0f + expf(u > 80.0f ? 80.0f : u));
        float du = GELU_A * (1.0f + 3.0f * GELU_B * x[i] * x[i]);
        dx[i] += dy[i] * s * (1.0f + x[i] * (1.0f - s) * du);
    }
}

/* The normal distribution Phi(x) within 1e-7, and density = exp(-x^2 / 2) (Abramowitz & Stegun
 * 1964, 7.1.26, for the error function of |x| / sqrt(2)). */
INLINED float normal_distribution(float x, float *density) {
    float z = fabsf(x) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * z);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    *density = expf(z > 9.0f ? -81.0f : -z * z);
    float tail = 0.5f * p * t * *density;
    return x < 0 ? tail : 1.0f - tail;
}

VECTORISED void sp_gelu_exact_forward(long n, const float *x, float *y) {
    for (long i = 0; i < n; i++) {
        float density;
        y[i] = x[i] * normal_distribution(x[i], &density);
    }
}

VECTORISED void sp_gelu_exact_backward(long n, const float *x, const float *dy, float *dx) {
    const float scale = 0.39894228f; /* 1 / sqrt(2 pi) */
    for (long i = 0; i < n; i++) {
        float density, phi = normal_distribution(x[i], &density);
        dx[i] += dy[i] * (phi + x[i] * scale * density);
    }
}

VECTORISED void sp_tanh_forward(long n, const float *x, float *y) {
    for (long i = 0; i < n; i++) y[i] = tanhf(x[i]);
}

VECTORISED void sp_tanh_backward(long n, const float *y, const float *dy, float *dx) {
    for (long i = 0; i < n; i++) dx[i] += dy[i] * (1.0f - y[i] * y[i]);
}

VECTORISED void sp_relu_forward(long n, const float *x, float *y) {
    for (long i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0.0f;
}

VECTORISED void sp_relu_backward(long n, const float *y, const float *dy, float *dx) {
    for (long i = 0; i < n; i++) dx[i] += y[i] > 0 ? dy[i] : 0.0f;
}

VECTORISED void sp_norm_row_forward(long d, const float *x, const float *weight, const float *bias,
                                    float epsilon, float *y, float *mean,
                                    float *inverse_deviation) {
    float sum = 0, squares = 0;
    for (long i = 0; i < d; i++) sum += x[i];
    float m = sum / (float)d;
    for (long i = 0; i < d; i++) squares += (x[i] - m) * (x[i] - m);
    float r = 1.0f / sqrtf(squares / (float)d + epsilon);
    for (long i = 0; i < d; i++) y[i] = (x[i] - m) * r * weight[i] + bias[i];
    *mean = m;
    *inverse_deviation = r;
}

VECTORISED void sp_norm_row_backward(long d, const float *x, const float *weight, const float *dy,
                                     float mean, float inverse_deviation, float *dx) {
    float sum = 0, projected = 0;
    for (long i = 0; i < d; i++) {
        float g = dy[i] * weight[i];
        sum += g;
        projected += g * (x[i] - mean) * inverse_deviation;
    }
    sum /= (float)d;
    projected /= (float)d;
    for (long i = 0; i < d; i++) {
        float xhat = (x[i] - mean) * inverse_deviation;
        dx[i] += inverse_deviation * (dy[i] * weight[i] - sum - xhat * projected);
    }
}

VECTORISED void sp_norm_row_backward_weights(long d, const float *x, const float *dy, float mean,
                                             float inverse_deviation, float *dweight,
                                             float *dbias) {
    for (long i = 0; i < d; i++) {
        dweight[i] += dy[i] * (x[i] - mean) * inverse_deviation;
        dbias[i] += dy[i];
    }
}

VECTORISED void sp_rms_row_forward(long d, const float *x, const float *weight, float epsilon,
                                   float *y, float *inverse_rms) {
    float squares = 0;
    for (long i = 0; i < d; i++) squares += x[i] * x[i];
    float r = 1.0f / sqrtf(squares / (float)d + epsilon);
    for (long i = 0; i < d; i++) y[i] = x[i] * r * weight[i];
    *inverse_rms = r;
}

VECTORISED void sp_rms_row_backward(long d, const float *x, const float *weight, const float *dy,
                                    float inverse_rms, float *dx) {
    float projected = 0;
    for (long i = 0; i < d; i++) projected += dy[i] * weight[i] * x[i];
    projected *= inverse_rms * inverse_rms / (float)d;
    for (long i = 0; i < d; i++) dx[i] += inverse_rms * (dy[i] * weight[i] - x[i] * projected);
}

VECTORISED void sp_rms_row_backward_weight(long d, const float *x, const float *dy,
                                           float inverse_rms, float *dweight) {
    for (long i = 0; i < d; i++) dweight[i] += dy[i] * x[i] * inverse_rms;
}

VECTORISED void sp_swiglu_forward(long n, const float *gate, const float *up, float *y) {
    for (long i = 0; i < n; i++) {
        float u = -gate[i];
        y[i] = gate[i] * up[i] / (1.0f + expf(u > 80.0f ? 80.0f : u));
    }
}

VECTORISED static void add_gate_gradient(long n, const float *gate, const float *up,
                                         const float *dy, float *dgate) {
    for (long i = 0; i < n; i++) {
        float u = -gate[i];
        float s = 1.0f / (1.0f + expf(u > 80.0f ? 80.0f : u));
        dgate[i] += dy[i] * up[i] * s * (1.0f + gate[i] * (1.0f - s));
    }
}

VECTORISED static void add_up_gradient(long n, const float *gate, const float *dy, float *dup) {
    for (long i = 0; i < n; i++) {
        float u = -gate[i];
        dup[i] += dy[i] * gate[i] / (1.0f + expf(u > 80.0f ? 80.0f : u));
    }
}

VECTORISED static void add_both_gradients(long n, const float *gate, const float *up,
                                          const float *dy, float *dgate, float *dup) {
    for (long i = 0; i < n; i++) {
        float u = -gate[i];
        float s = 1.0f / (1.0f + expf(u > 80.0f ? 80.0f : u));
        float d = dy[i] * s;
        dgate[i] += d * up[i] * (1.0f + gate[i] * (1.0f - s));
        dup[i] += d * gate[i];
    }
}

void sp_swiglu_backward(long n, const float *gate, const float *up, const float *dy, float *dgate,
                        float *dup) {
    if (dgate && dup)
        add_both_gradients(n, gate, up, dy, dgate, dup);
    else if (dgate)
        add_gate_gradient(n, gate, up, dy, dgate);
    else if (dup)
        add_up_gradient(n, gate, dy, dup);
}

VECTORISED void sp_rope_row(long head_size, const float *cos_sin, float sign, const float *x,
                            float *y) {
    long half = head_size / 2;
    for (long i = 0; i < half; i++) {
        float c = cos_sin[i], s = sign * cos_sin[half + i], a = x[i], b = x[half + i];
        y[i] = a * c - b * s;
        y[half + i] = b * c + a * s;
    }
}

VECTORISED float sp_max(long n, const float *x) {
    float m = x[0];
    for (long i = 1; i < n; i++) m = x[i] > m ? x[i] : m;
    return m;
}

VECTORISED float sp_exp_sum(long n, const float *x, float shift, float *y) {
    float sum = 0;
    for (long i = 0; i < n; i++) {
        float e = expf(x[i] - shift);
        y[i] = e;
        sum += e;
    }
    return sum;
}

static inline float sigmoid(float x) {
    return 1.0f / (1.0f + expf(x < -80.0f ? 80.0f : -x));
}

VECTORISED void sp_lstm_cell_forward(long h, float *gates, const float *c_previous, float *c,
                                     float *out) {
    for (long j = 0; j < h; j++) {
        float i = sigmoid(gates[j]), f = sigmoid(gates[h + j]);
        float g = tanhf(gates[2 * h + j]), o = sigmoid(gates[3 * h + j]);
        c[j] = i * g + (c_previous ? f * c_previous[j] : 0.0f);
        out[j] = o * tanhf(c[j]);
        gates[j] = i;
        gates[h + j] = f;
        gates[2 * h + j] = g;
        gates[3 * h + j] = o;
    }
}

VECTORISED void sp_lstm_cell_backward(long h, const float *gates, const float *c_previous,
                                      const float *c, const float *dh, float *dc, float *dgates) {
    for (long j = 0; j < h; j++) {
        float i = gates[j], f = gates[h + j], g = gates[2 * h + j], o = gates[3 * h + j];
        float tanh_c = tanhf(c[j]);
        float d = dc[j] + dh[j] * o * (1.0f - tanh_c * tanh_c);
        dgates[j] = d * g * i * (1.0f - i);
        dgates[h + j] = c_previous ? d * c_previous[j] * f * (1.0f - f) : 0.0f;
        dgates[2 * h + j] = d * i * (1.0f - g * g);
        dgates[3 * h + j] = dh[j] * tanh_c * o * (1.0f - o);
        dc[j] = d * f;
    }
}

VECTORISED void sp_adamw_update(long n, const sp_adamw_step *s, const float *grad, float *m,
                                float *v, float *weight) {
    float keep = 1.0f - s->learning_rate * s->weight_decay;
    for (long i = 0; i < n; i++) {
        m[i] = s->beta1 * m[i] + (1.0f - s->beta1) * grad[i];
        v[i] = s->beta2 * v[i] + (1.0f - s->beta2) * grad[i] * grad[i];
        float step = (m[i] / s->correction1) / (sqrtf(v[i] / s->correction2) + s->epsilon);
        weight[i] = weight[i] * keep - s->learning_rate * step;
    }
}
