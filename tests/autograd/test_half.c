/* Ops on matrices that are kept in bf16 against the same on the rounded values in fp32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autograd/ops.h"
#include "core/random.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, IN = 48, OUT = 64 };

static sp_var random_leaf(const char *purpose, long rows, long cols) {
    sp_rng rng = sp_rng_make(1, purpose);
    sp_var v = sp_leaf(rows, cols);
    for (long i = 0; i < rows * cols; i++) v.data[i] = sp_rng_normal(&rng);
    return v;
}

static void assert_near(const float *got, const float *expected, long n) {
    float largest = 0;
    for (long i = 0; i < n; i++) largest = fmaxf(largest, fabsf(expected[i]));
    for (long i = 0; i < n; i++)
        if (!(fabsf(got[i] - expected[i]) <= 1e-5f * largest))
            fail_msg("[%ld] is %.8g, expected %.8g", i, (double)got[i], (double)expected[i]);
}

/* x -> some function of x and a weight [OUT, IN]. */
typedef sp_var *build(sp_tape *t, sp_var *x, sp_var *weight);

static sp_var *linear(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, OUT] */
    return sp_linear(t, x, &(sp_linear_map){w, NULL, false});
}
static sp_var *linear_transposed(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, IN] */
    return sp_linear(t, x, &(sp_linear_map){w, NULL, true});
}
static sp_var *linear_to_input(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, OUT] */
    sp_var *h = sp_linear(t, x, &(sp_linear_map){w, NULL, false});
    return sp_linear_add(t, h, &(sp_linear_map){w, NULL, true}, x);
}
static sp_var *linear_of_slice(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, OUT] */
    sp_var *part = sp_slice_columns(t, sp_slice_columns(t, w, 8, 32), 8, 16);
    return sp_linear(t, x, &(sp_linear_map){part, NULL, false});
}
static sp_var *loss(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, IN] */
    int targets[ROWS];
    for (int i = 0; i < ROWS; i++) targets[i] = i % 5 ? i : -1;
    return sp_lm_loss(t, x, w, targets, NULL);
}
static sp_var *gathered(sp_tape *t, sp_var *x, sp_var *w) { /* x [ROWS, IN] */
    sp_var *rows = sp_gather_rows(t, w, (int[]){7, 0, 63}, 3);
    return sp_linear(t, x, &(sp_linear_map){rows, NULL, true});
}

/* Values and the gradient of x [ROWS, inputs]; out and dx are the caller's. */
static sp_var run(sp_tape *t, build *op, sp_var *x, sp_var *w) {
    sp_tape_reset(t);
    x->grad_ready = false;
    sp_var *y = op(t, x, w);
    sp_var values = sp_leaf(y->rows, y->cols);
    memcpy(values.data, y->data, (size_t)(y->rows * y->cols) * sizeof(float));
    sp_rng rng = sp_rng_make(2, "upstream");
    float *seed = sp_grad(t, y);
    for (long i = 0; i < y->rows * y->cols; i++) seed[i] = sp_rng_normal(&rng);
    sp_tape_run_backward(t);
    return values;
}

static void check_stored(build *op, long inputs, bool transposed) {
    sp_tape t = {0};
    sp_var x = random_leaf("x", ROWS, inputs), half = random_leaf("w", OUT, IN);
    sp_leaf_half(&half, transposed);
    assert_null(half.data);
    sp_var rounded = sp_leaf(OUT, IN);
    for (long r = 0; r < OUT; r++) sp_var_row(&half, r, rounded.data + r * IN);
    sp_leaf_train(&x, true);
    sp_var expected = run(&t, op, &x, &rounded);
    float *dx = sp_alloc_floats((size_t)(ROWS * inputs));
    memcpy(dx, x.grad, (size_t)(ROWS * inputs) * sizeof(float));
    sp_var got = run(&t, op, &x, &half);
    assert_near(got.data, expected.data, expected.rows * expected.cols);
    assert_near(x.grad, dx, ROWS * inputs);
    sp_var *leaves[] = {&x, &half, &rounded, &expected, &got};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) sp_leaf_free(leaves[i]);
    free(dx);
    sp_tape_free(&t);
}

static void check(build *op, long inputs) {
    check_stored(op, inputs, false);
    check_stored(op, inputs, true);
}

static void ops_on_bf16_equal_those_on_the_rounded_weight(void **state) {
    (void)state;
    check(linear, OUT);
    check(linear_transposed, IN);
    check(linear_to_input, OUT);
    check(linear_of_slice, OUT);
    check(loss, IN);
    check(gathered, IN);
}

static void embeddings_and_rows_of_bf16_are_the_rounded_ones(void **state) {
    (void)state;
    sp_tape t = {.inference = true};
    sp_var w = random_leaf("w", OUT, IN), rounded = random_leaf("w", OUT, IN);
    sp_leaf_half(&w, true);
    sp_leaf_half(&rounded, false);
    sp_leaf_floats(&rounded);
    assert_null(rounded.weight);
    sp_var *y = sp_embed(&t, &w, &rounded, (int[]){3, 0, -4, 63}, 4);
    assert_memory_equal(y->data, rounded.data + 3 * IN, IN * sizeof(float));
    assert_memory_equal(y->data + IN, rounded.data, IN * sizeof(float));
    assert_memory_equal(y->data + 2 * IN, y->data, IN * sizeof(float));
    assert_memory_equal(y->data + 3 * IN, rounded.data + 63 * IN, IN * sizeof(float));
    float row[5];
    sp_var_row(sp_slice_columns(&t, &w, 6, 5), 9, row);
    assert_memory_equal(row, rounded.data + 9 * IN + 6, sizeof row);
    sp_tape_free(&t);
    sp_leaf_free(&w);
    sp_leaf_free(&rounded);
}

static void a_leaf_that_trains_becomes_fp32_with_the_rounded_values(void **state) {
    (void)state;
    sp_var w = random_leaf("w", OUT, IN), before = random_leaf("w", OUT, IN);
    sp_leaf_half(&w, false);
    sp_leaf_half(&w, false);
    sp_leaf_train(&w, true);
    assert_null(w.weight);
    assert_non_null(w.grad);
    for (long i = 0; i < OUT * IN; i++)
        assert_true(fabsf(w.data[i] - before.data[i]) <= fabsf(before.data[i]) / 256);
    assert_memory_not_equal(w.data, before.data, OUT * IN * sizeof(float));
    sp_leaf_free(&w);
    sp_leaf_free(&before);
}

static sp_var *gelu(sp_tape *t, sp_var *x, sp_var *w) {
    (void)w;
    return sp_gelu(t, x);
}
static sp_var *swiglu(sp_tape *t, sp_var *x, sp_var *w) {
    return sp_swiglu(t, x, w);
}

/* The same values; gradients that differ, but not by more than rounding to 8 bits explains. */
static void check_halves(build *op) {
    sp_tape t = {0};
    sp_var x = random_leaf("x", ROWS, 33), w = random_leaf("w", ROWS, 33);
    sp_leaf_train(&x, true);
    sp_var expected = run(&t, op, &x, &w);
    float *dx = sp_alloc_floats(ROWS * 33);
    memcpy(dx, x.grad, ROWS * 33 * sizeof(float));
    t.halves = true;
    sp_var got = run(&t, op, &x, &w);
    assert_memory_equal(got.data, expected.data, ROWS * 33 * sizeof(float));
    assert_memory_not_equal(x.grad, dx, ROWS * 33 * sizeof(float));
    for (int i = 0; i < ROWS * 33; i++)
        assert_true(fabsf(x.grad[i] - dx[i]) <= 0.02f * (1 + fabsf(dx[i])));
    sp_var *leaves[] = {&x, &w, &expected, &got};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) sp_leaf_free(leaves[i]);
    free(dx);
    sp_tape_free(&t);
}

static void activations_saved_in_bf16_change_gradients_by_their_rounding_only(void **state) {
    (void)state;
    check_halves(gelu);
    check_halves(swiglu);
}

int main(void) {
    setenv("SOFTPROMPT_BF16", "storage", 1); /* the way that rounds nothing but the weights */
    assert_int_equal(sp_gemm_start(2), SP_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_on_bf16_equal_those_on_the_rounded_weight),
        cmocka_unit_test(embeddings_and_rows_of_bf16_are_the_rounded_ones),
        cmocka_unit_test(activations_saved_in_bf16_change_gradients_by_their_rounding_only),
        cmocka_unit_test(a_leaf_that_trains_becomes_fp32_with_the_rounded_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
