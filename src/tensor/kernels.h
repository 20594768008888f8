/* Vector kernels: element-wise and row-wise loops over contiguous fp32, one thread each; callers
 * split rows over threads. Compiled for several instruction sets, the best one picked at load. */
#ifndef SP_TENSOR_KERNELS_H
#define SP_TENSOR_KERNELS_H

#include <stdint.h>

/* y += a * x */
void sp_axpy(long n, float a, const float *x, float *y);
/* y = x * a */
void sp_scale(long n, float a, const float *x, float *y);
float sp_dot(long n, const float *x, const float *y);
double sp_sum_squares(long n, const float *x);

/* bf16 is the upper half of an fp32. Rounds to nearest even; a NaN stays one. */
void sp_bf16_from_floats(long n, const float *x, uint16_t *y);
void sp_bf16_to_floats(long n, const uint16_t *x, float *y);

/* GELU with the tanh approximation (Hendrycks & Gimpel; Hugging Face "gelu_new"). */
void sp_gelu_forward(long n, const float *x, float *y);
void sp_gelu_backward(long n, const float *x, const float *dy, float *dx); /* dx += */
/* GELU itself, x Phi(x) with the normal distribution (Hendrycks & Gimpel 2016; Hugging Face
 * "gelu").
 */
void sp_gelu_exact_forward(long n, const float *x, float *y);
void sp_gelu_exact_backward(long n, const float *x, const float *dy, float *dx); /* dx += */
void sp_tanh_forward(long n, const float *x, float *y);
void sp_tanh_backward(long n, const float *y, const float *dy, float *dx); /* dx +=, from y */
void sp_relu_forward(long n, const float *x, float *y);
void sp_relu_backward(long n, const float *y, const float *dy, float *dx); /* dx +=, from y */

/* One row of layer normalisation: y = (x - mean) * inverse_deviation * weight + bias. */
void sp_norm_row_forward(long d, const float *x, const float *weight, const float *bias,
                         float epsilon, float *y, float *mean, float *inverse_deviation);
/* dx += for one row. */
void sp_norm_row_backward(long d, const float *x, const float *weight, const float *dy, float mean,
                          float inverse_deviation, float *dx);
/* dweight += dy * xhat, dbias += dy for one row. */
void sp_norm_row_backward_weights(long d, const float *x, const float *dy, float mean,
                                  float inverse_deviation, float *dweight, float *dbias);

/* One row of RMS normalisation (Zhang & Sennrich 2019, eq. 4): y = x * inverse_rms * weight. */
void sp_rms_row_forward(long d, const float *x, const float *weight, float epsilon, float *y,
                        float *inverse_rms);
/* dx += for one row. */
void sp_rms_row_backward(long d, const float *x, const float *weight, const float *dy,
                         float inverse_rms, float *dx);
/* dweight += dy * x * inverse_rms for one row. */
void sp_rms_row_backward_weight(long d, const float *x, const float *dy, float inverse_rms,
                                float *dweight);

/* y = silu(gate) * up (SwiGLU without its linear maps; Shazeer 2020, eq. 6). */
void sp_swiglu_forward(long n, const float *gate, const float *up, float *y);
/* dgate +=, dup +=; either may be NULL. */
void sp_swiglu_backward(long n, const float *gate, const float *up, const float *dy, float *dgate,
                        float *dup);

/* Turns one head by its position's angles (Su et al. 2021, section 3.4.2; pairs are (i, i +
 * head_size / 2)). cos_sin [head_size]: the cosines of the head_size / 2 angles, then their sines.
 * sign 1 turns forwards, -1 back, which is also the gradient. y may be x. */
void sp_rope_row(long head_size, const float *cos_sin, float sign, const float *x, float *y);

float sp_max(long n, const float *x);
/* y = exp(x - shift); returns the sum. x and y may be the same. */
float sp_exp_sum(long n, const float *x, float shift, float *y);
/* LSTM cell (PyTorch gate order i, f, g, o). gates [4 * h] holds pre-activations and is replaced by
 * activations; c_previous may be NULL (zeros). */
void sp_lstm_cell_forward(long h, float *gates, const float *c_previous, float *c, float *out);
/* From dh and dc (which becomes the gradient of c_previous) to d(pre-activations). */
void sp_lstm_cell_backward(long h, const float *gates, const float *c_previous, const float *c,
                           const float *dh, float *dc, float *dgates);

/* AdamW (Loshchilov & Hutter 2019), decoupled weight decay; step counts from 1. */
typedef struct sp_adamw_step {
    float learning_rate, beta1, beta2, epsilon, weight_decay, correction1, correction2;
} sp_adamw_step;
void sp_adamw_update(long n, const sp_adamw_step *s, const float *grad, float *m, float *v,
                     float *weight);

#endif
