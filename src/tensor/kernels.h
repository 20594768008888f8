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

/* GELU with the tanh approximation (Hendrycks & Gimpel; Hugging Face "gelu_new"). */
void sp_gelu_forward(long n, const float *x, float *y);
void sp_gelu_backward(long n, const float *x, const float *dy, float *dx); /* dx += */
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
