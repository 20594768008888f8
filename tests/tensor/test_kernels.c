/* The vector kernels against the same formulas in double precision, for lengths that do and do not
 * fill a vector register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 257 };
static const long lengths[] = {1, 3, 8, 16, 31, 64, 100, LONGEST};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void fill(float *x, long n, float scale, const char *purpose) {
    sp_rng rng = sp_rng_make(1, purpose);
    for (long i = 0; i < n; i++) x[i] = scale * sp_rng_normal(&rng);
}

static void assert_close(const char *what, double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%s is %.9g, expected %.9g", what, got, expected);
}

/* The points where functions are checked: -12 to 12 and some far out. */
static long make_points(float *x) {
    long n = 0;
    for (; n < LONGEST - 6; n++) x[n] = -12.0f + 24.0f * (float)n / (LONGEST - 7);
    static const float far[] = {-1e4f, -100.0f, -30.0f, 30.0f, 100.0f, 1e4f};
    memcpy(x + n, far, sizeof far);
    return LONGEST;
}

static double gelu(double x) {
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static double gelu_derivative(double x) {
    double a = sqrt(2 / M_PI), t = tanh(a * (x + 0.044715 * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * a * (1 + 3 * 0.044715 * x * x);
}

static void gelu_and_its_derivative_equal_the_tanh_formula(void **state) {
    (void)state;
    float x[LONGEST], y[LONGEST], dy[LONGEST], dx[LONGEST];
    long n = make_points(x);
    fill(dy, n, 1, "dy");
    for (long i = 0; i < n; i++) dx[i] = 2;
    sp_gelu_forward(n, x, y);
    sp_gelu_backward(n, x, dy, dx);
    for (long i = 0; i < n; i++) {
        assert_close("gelu", y[i], gelu(x[i]), 1e-6);
        assert_close("gradient", dx[i], 2 + dy[i] * gelu_derivative(x[i]), 3e-6);
    }
}

static void tanh_and_relu_equal_their_formulas(void **state) {
    (void)state;
    float x[LONGEST], y[LONGEST], dy[LONGEST], dx[LONGEST];
    long n = make_points(x);
    fill(dy, n, 1, "dy");
    for (long i = 0; i < n; i++) dx[i] = -1;
    sp_tanh_forward(n, x, y);
    sp_tanh_backward(n, y, dy, dx);
    for (long i = 0; i < n; i++) {
        double t = tanh(x[i]);
        assert_close("tanh", y[i], t, 1e-6);
        assert_close("gradient of tanh", dx[i], -1 + dy[i] * (1 - t * t), 1e-6);
        dx[i] = 3;
    }
    sp_relu_forward(n, x, y);
    sp_relu_backward(n, y, dy, dx);
    for (long i = 0; i < n; i++) {
        assert_close("relu", y[i], x[i] > 0 ? x[i] : 0, 0);
        assert_close("gradient of relu", dx[i], x[i] > 0 ? 3 + dy[i] : 3, 1e-6);
    }
}

static void vector_sums_equal_those_in_double_precision(void **state) {
    (void)state;
    for (int k = 0; k < LENGTHS; k++) {
        long n = lengths[k];
        float x[LONGEST], y[LONGEST], z[LONGEST];
        double dot = 0, squares = 0, largest = -INFINITY;
        fill(x, n, 2, "x");
        fill(y, n, 1, "y");
        memcpy(z, y, sizeof z);
        for (long i = 0; i < n; i++) {
            dot += (double)x[i] * y[i];
            squares += (double)x[i] * x[i];
            largest = fmax(largest, (double)x[i]);
        }
        assert_close("dot", sp_dot(n, x, y), dot, 1e-5);
        assert_close("sum of squares", sp_sum_squares(n, x), squares, 1e-12);
        assert_close("max", sp_max(n, x), largest, 0);
        sp_axpy(n, 0.5f, x, z);
        for (long i = 0; i < n; i++) assert_close("axpy", z[i], y[i] + 0.5 * x[i], 1e-6);
        sp_scale(n, -3.0f, x, x);
        assert_close("scale", sp_sum_squares(n, x), 9 * squares, 1e-6);
    }
}

static void softmax_sums_to_1_and_equals_double_precision_for_large_logits(void **state) {
    (void)state;
    static const float scales[] = {1, 30, 1000};
    for (int s = 0; s < 3; s++)
        for (int k = 0; k < LENGTHS; k++) {
            long n = lengths[k];
            float x[LONGEST], y[LONGEST];
            fill(x, n, scales[s], "logits");
            float shift = sp_max(n, x), sum = sp_exp_sum(n, x, shift, y);
            double expected_sum = 0, total = 0;
            for (long i = 0; i < n; i++) expected_sum += exp((double)x[i] - shift);
            assert_close("sum", sum, expected_sum, 2e-6);
            for (long i = 0; i < n; i++) {
                assert_close("exp", y[i], exp((double)x[i] - shift), 1e-6);
                total += y[i] / sum;
            }
            assert_close("total", total, 1, 2e-6);
        }
}

/* dx of layer normalisation in double precision. */
static void norm_gradient(long n, const float *x, const float *weight, const float *dy, double mean,
                          double r, double *dx) {
    double sum = 0, projected = 0;
    for (long i = 0; i < n; i++) {
        sum += (double)dy[i] * weight[i] / (double)n;
        projected += (double)dy[i] * weight[i] * (x[i] - mean) * r / (double)n;
    }
    for (long i = 0; i < n; i++)
        dx[i] = r * ((double)dy[i] * weight[i] - sum - (x[i] - mean) * r * projected);
}

static void check_norm(long n, float offset) {
    const float epsilon = 1e-5f;
    float x[LONGEST], w[LONGEST], b[LONGEST], dy[LONGEST], y[LONGEST];
    float dx[LONGEST] = {0}, dw[LONGEST] = {0}, db[LONGEST] = {0}, mean, inverse_deviation;
    fill(x, n, 1, "x");
    fill(w, n, 1, "w");
    fill(b, n, 1, "b");
    fill(dy, n, 1, "dy");
    double m = 0, variance = 0, expected_dx[LONGEST];
    for (long i = 0; i < n; i++) m += (double)(x[i] += offset) / (double)n;
    for (long i = 0; i < n; i++) variance += (x[i] - m) * (x[i] - m) / (double)n;
    double r = 1 / sqrt(variance + (double)epsilon);
    sp_norm_row_forward(n, x, w, b, epsilon, y, &mean, &inverse_deviation);
    sp_norm_row_backward(n, x, w, dy, mean, inverse_deviation, dx);
    sp_norm_row_backward_weights(n, x, dy, mean, inverse_deviation, dw, db);
    norm_gradient(n, x, w, dy, m, r, expected_dx);
    double tolerance = 1e-5 * (1 + fabs((double)offset));
    for (long i = 0; i < n; i++) {
        assert_close("norm", y[i], (x[i] - m) * r * w[i] + b[i], tolerance);
        assert_close("dx", dx[i], expected_dx[i], tolerance);
        assert_close("dweight", dw[i], dy[i] * (x[i] - m) * r, tolerance);
        assert_close("dbias", db[i], dy[i], 0);
    }
}

static void layer_normalisation_equals_double_precision_even_far_from_0(void **state) {
    (void)state;
    for (int k = 1; k < LENGTHS; k++) {
        check_norm(lengths[k], 0);
        check_norm(lengths[k], 50);
    }
}

static void check_rms(long n, float scale) {
    const float epsilon = 1e-5f;
    float x[LONGEST], w[LONGEST], dy[LONGEST], y[LONGEST], dx[LONGEST], dw[LONGEST], inverse_rms;
    fill(x, n, scale, "x");
    fill(w, n, 1, "w");
    fill(dy, n, 1, "dy");
    double squares = 0, projected = 0;
    for (long i = 0; i < n; i++) {
        dx[i] = dw[i] = 2;
        squares += (double)x[i] * x[i] / (double)n;
        projected += (double)dy[i] * w[i] * x[i] / (double)n;
    }
    double r = 1 / sqrt(squares + (double)epsilon);
    sp_rms_row_forward(n, x, w, epsilon, y, &inverse_rms);
    sp_rms_row_backward(n, x, w, dy, inverse_rms, dx);
    sp_rms_row_backward_weight(n, x, dy, inverse_rms, dw);
    assert_close("inverse rms", inverse_rms, r, 1e-6);
    for (long i = 0; i < n; i++) {
        assert_close("rms", y[i], x[i] * r * w[i], 2e-6);
        assert_close("dx", dx[i], 2 + r * ((double)dy[i] * w[i] - x[i] * r * r * projected),
                     1e-5 / (double)(scale < 1 ? scale : 1));
        assert_close("dweight", dw[i], 2 + dy[i] * x[i] * r, 3e-6);
    }
}

static void rms_normalisation_equals_double_precision(void **state) {
    (void)state;
    for (int k = 0; k < LENGTHS; k++) {
        check_rms(lengths[k], 1);
        check_rms(lengths[k], 300);
        check_rms(lengths[k], 1e-2f);
    }
}

static void swiglu_and_its_gradients_equal_double_precision(void **state) {
    (void)state;
    float gate[LONGEST], up[LONGEST], dy[LONGEST], y[LONGEST], dgate[LONGEST], dup[LONGEST];
    float dgate_alone[LONGEST], dup_alone[LONGEST];
    long n = make_points(gate);
    fill(up, n, 1, "up");
    fill(dy, n, 1, "dy");
    for (long i = 0; i < n; i++) dgate[i] = dup[i] = dgate_alone[i] = dup_alone[i] = 2;
    sp_swiglu_forward(n, gate, up, y);
    sp_swiglu_backward(n, gate, up, dy, dgate, dup);
    sp_swiglu_backward(n, gate, up, dy, dgate_alone, NULL);
    sp_swiglu_backward(n, gate, up, dy, NULL, dup_alone);
    sp_swiglu_backward(n, gate, up, dy, NULL, NULL);
    for (long i = 0; i < n; i++) {
        double g = gate[i], s = 1 / (1 + exp(-g));
        assert_close("swiglu", y[i], g * s * up[i], 2e-6);
        double expected = 2 + dy[i] * up[i] * s * (1 + g * (1 - s));
        assert_close("dgate", dgate[i], expected, 3e-6);
        assert_close("dgate alone", dgate_alone[i], expected, 3e-6);
        assert_close("dup", dup[i], 2 + dy[i] * g * s, 3e-6);
        assert_close("dup alone", dup_alone[i], 2 + dy[i] * g * s, 3e-6);
    }
}

static void
a_head_turned_forwards_and_back_is_itself_and_its_pairs_turn_by_their_angles(void **state) {
    (void)state;
    for (long half = 1; half <= 33; half += half < 4 ? 1 : 29) {
        float x[66], y[66], cos_sin[66];
        fill(x, 2 * half, 1, "x");
        for (long i = 0; i < half; i++) {
            cos_sin[i] = (float)cos(0.1 * (double)i + 1);
            cos_sin[half + i] = (float)sin(0.1 * (double)i + 1);
        }
        sp_rope_row(2 * half, cos_sin, 1, x, y);
        for (long i = 0; i < half; i++) {
            double c = cos(0.1 * (double)i + 1), s = sin(0.1 * (double)i + 1);
            assert_close("first of a pair", y[i], x[i] * c - x[half + i] * s, 1e-6);
            assert_close("second of a pair", y[half + i], x[half + i] * c + x[i] * s, 1e-6);
        }
        sp_rope_row(2 * half, cos_sin, -1, y, y);
        for (long i = 0; i < 2 * half; i++) assert_close("turned back", y[i], x[i], 1e-6);
    }
}

static void an_lstm_cell_equals_its_formula_even_when_saturated(void **state) {
    (void)state;
    enum { UNITS = 19 };
    static const float scales[] = {1, 20, 300};
    for (int s = 0; s < 3; s++) {
        float gates[4 * UNITS], before[4 * UNITS], c_previous[UNITS], c[UNITS], out[UNITS];
        fill(before, 4 * UNITS, scales[s], "gates");
        fill(c_previous, UNITS, 1, "c");
        memcpy(gates, before, sizeof gates);
        sp_lstm_cell_forward(UNITS, gates, c_previous, c, out);
        for (int j = 0; j < UNITS; j++) {
            double i = 1 / (1 + exp(-(double)before[j]));
            double f = 1 / (1 + exp(-(double)before[UNITS + j]));
            double g = tanh(before[2 * UNITS + j]);
            double o = 1 / (1 + exp(-(double)before[3 * UNITS + j]));
            assert_close("c", c[j], f * c_previous[j] + i * g, 1e-6);
            assert_close("h", out[j], o * tanh(f * c_previous[j] + i * g), 1e-6);
        }
    }
}

static void a_nan_in_a_gradient_shows_in_its_sum_of_squares(void **state) {
    (void)state;
    for (int k = 0; k < LENGTHS; k++) {
        float x[LONGEST];
        fill(x, lengths[k], 1, "x");
        x[lengths[k] / 2] = NAN;
        assert_true(isnan(sp_sum_squares(lengths[k], x)));
        x[lengths[k] / 2] = INFINITY;
        assert_false(isfinite(sp_sum_squares(lengths[k], x)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_and_its_derivative_equal_the_tanh_formula),
        cmocka_unit_test(tanh_and_relu_equal_their_formulas),
        cmocka_unit_test(vector_sums_equal_those_in_double_precision),
        cmocka_unit_test(softmax_sums_to_1_and_equals_double_precision_for_large_logits),
        cmocka_unit_test(layer_normalisation_equals_double_precision_even_far_from_0),
        cmocka_unit_test(rms_normalisation_equals_double_precision),
        cmocka_unit_test(swiglu_and_its_gradients_equal_double_precision),
        cmocka_unit_test(
            a_head_turned_forwards_and_back_is_itself_and_its_pairs_turn_by_their_angles),
        cmocka_unit_test(an_lstm_cell_equals_its_formula_even_when_saturated),
        cmocka_unit_test(a_nan_in_a_gradient_shows_in_its_sum_of_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
