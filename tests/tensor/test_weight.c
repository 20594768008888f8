/* Weights in bf16 and products of few rows against a product in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/status.h"
#include "tensor/cpu.h"
#include "tensor/few_rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "tensor/weight.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static float *random_matrix(const char *purpose, long rows, long ld) {
    sp_rng rng = sp_rng_make(1, purpose);
    float *x = sp_alloc_floats((size_t)(rows * ld));
    for (long i = 0; i < rows * ld; i++) x[i] = sp_rng_normal(&rng);
    return x;
}

typedef struct product {
    bool transpose;
    long m, n, k, first; /* first: columns of op(B) before those that are asked for */
    long extra;          /* leading dimensions beyond the columns */
    float beta;
    bool backward; /* through a weight that is stored for the other direction */
} product;

enum { BEYOND = 3 }; /* columns of op(B) after those that are asked for */

static long rows_of_b(const product *g) {
    return g->transpose ? g->first + g->n + BEYOND : g->k;
}

static long columns_of_b(const product *g) {
    return g->transpose ? g->k : g->first + g->n + BEYOND;
}

/* One element of the product. Not checked by the sanitizers: it would take most of their time. */
__attribute__((no_sanitize("address", "undefined"))) static double
plain_element(const product *g, const float *a, const float *b, long ldb, long column) {
    long step = g->transpose ? 1 : ldb;
    const float *from = b + (g->transpose ? column * ldb : column);
    double sum = 0;
    for (long p = 0; p < g->k; p++) sum += (double)a[p] * from[p * step];
    return sum;
}

static void assert_product(const product *g, const float *a, long lda, const float *b, long ldb,
                           const float *before, const float *c, long ldc, double tolerance) {
    for (long i = 0; i < g->m; i++)
        for (long j = 0; j < ldc; j++) {
            double expected = before[i * ldc + j];
            if (j < g->n)
                expected = g->beta * expected + plain_element(g, a + i * lda, b, ldb, g->first + j);
            if (!(fabs((double)c[i * ldc + j] - expected) <= tolerance * (1 + sqrt((double)g->k))))
                fail_msg("%ld x %ld x %ld, transpose %d, at (%ld, %ld): %g, expected %g", g->m,
                         g->n, g->k, g->transpose, i, j, (double)c[i * ldc + j], expected);
        }
}

typedef void multiply(const product *g, const float *a, long lda, const float *b, long ldb,
                      float *c, long ldc);

static void by_few_rows(const product *g, const float *a, long lda, const float *b, long ldb,
                        float *c, long ldc) {
    const float *from = g->transpose ? b + g->first * ldb : b + g->first;
    sp_few_rows_gemm(g->transpose, g->m, g->n, g->k, a, lda, from, ldb, g->beta, c, ldc);
}

static void by_weight(const product *g, const float *a, long lda, const float *b, long ldb,
                      float *c, long ldc) {
    bool transposed = g->backward ? !g->transpose : g->transpose;
    sp_weight *w = sp_weight_new(rows_of_b(g), columns_of_b(g), b, ldb, transposed);
    sp_weight_gemm(w, g->transpose, g->first, g->n, g->m, a, lda, g->beta, c, ldc);
    sp_weight_free(w);
}

/* Numbers that bf16 holds exactly. */
static void round_all(float *x, long n) {
    uint16_t *half = sp_alloc((size_t)n, sizeof *half);
    sp_bf16_from_floats(n, x, half);
    sp_bf16_to_floats(n, half, x);
    free(half);
}

static void check_product(multiply *run, const product *g) {
    long lda = g->k + g->extra, ldb = columns_of_b(g) + g->extra, ldc = g->n + g->extra;
    float *a = random_matrix("a", g->m, lda), *b = random_matrix("b", rows_of_b(g), ldb);
    float *c = random_matrix("c", g->m, ldc), *before = random_matrix("c", g->m, ldc);
    if (run == by_weight) {
        round_all(b, rows_of_b(g) * ldb);
        if (sp_bf16_current() == SP_BF16_NATIVE) round_all(a, g->m * lda);
    }
    for (long i = 0; g->beta == 0 && i < g->m; i++)
        for (long j = 0; j < g->n; j++) c[i * ldc + j] = NAN;
    run(g, a, lda, b, ldb, c, ldc);
    assert_product(g, a, lda, b, ldb, before, c, ldc, 1e-5);
    free(a), free(b), free(c), free(before);
}

static void check_shapes(multiply *run) {
    static const long sizes[][3] = {{1, 1, 1},    {1, 37, 5},    {2, 33, 100},   {3, 100, 33},
                                    {5, 64, 1},   {7, 31, 700},  {8, 32, 16},    {13, 65, 130},
                                    {33, 7, 100}, {81, 70, 100}, {9, 64, 160},   {48, 40, 260},
                                    {97, 66, 48}, {65, 34, 31},  {100, 257, 40}, {90, 33, 2100}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int variant = 0; variant < 32; variant++) {
            product g = {.transpose = variant & 1,
                         .m = sizes[s][0],
                         .n = sizes[s][1],
                         .k = sizes[s][2],
                         .first = variant & 2 ? 5 : 0,
                         .extra = variant & 4 ? 3 : 0,
                         .beta = variant & 8 ? 1.0f : 0.0f,
                         .backward = variant & 16};
            check_product(run, &g);
        }
}

static void a_product_of_few_rows_equals_the_plain_product(void **state) {
    (void)state;
    check_shapes(by_few_rows);
}

static void go_the_way(const char *name) {
    setenv("SOFTPROMPT_BF16", name, 1);
    assert_int_equal(sp_gemm_start(2), SP_OK);
}

static void a_product_with_a_stored_weight_equals_the_plain_product(void **state) {
    (void)state;
    go_the_way("storage");
    check_shapes(by_weight);
}

static void a_product_in_native_bf16_equals_the_plain_product(void **state) {
    (void)state;
    if (!sp_cpu_has_avx512()) skip();
    go_the_way("native");
    check_shapes(by_weight);
    go_the_way("storage");
}

static float one_in_bf16(float x) {
    sp_weight *w = sp_weight_new(1, 1, &x, 1, false);
    sp_weight_floats(w, 0, 1, &x);
    sp_weight_free(w);
    return x;
}

static void weights_round_to_nearest_and_ties_to_even(void **state) {
    (void)state;
    assert_true(one_in_bf16(1.0f) == 1.0f);
    assert_true(one_in_bf16(0x1.01p0f) == 0x1.00p0f);   /* a tie, down to even */
    assert_true(one_in_bf16(0x1.03p0f) == 0x1.04p0f);   /* a tie, up to even */
    assert_true(one_in_bf16(0x1.0102p0f) == 0x1.02p0f); /* beyond the tie */
    assert_true(one_in_bf16(-0x1.03p0f) == -0x1.04p0f);
    assert_true(isinf(one_in_bf16(3.4e38f)));
    assert_true(isinf(one_in_bf16(INFINITY)));
    assert_true(isnan(one_in_bf16(NAN)));
}

static void check_rows(bool transposed) {
    enum { ROWS = 45, COLS = 33, LD = 40 };
    float *x = random_matrix("w", ROWS, LD), out[2 * COLS];
    round_all(x, ROWS * LD);
    sp_weight *w = sp_weight_new(ROWS, COLS, x, LD, transposed);
    sp_weight_floats(w, 31, 2, out);
    for (int i = 0; i < 2; i++)
        assert_memory_equal(out + i * COLS, x + (31 + i) * LD, COLS * sizeof(float));
    sp_weight_free(w);
    free(x);
}

static void rows_of_a_weight_come_back_as_floats(void **state) {
    (void)state;
    check_rows(false);
    check_rows(true);
    sp_weight_free(NULL);
}

/* The product of a weight [k, n], from within a parallel region or not, into c. */
static void multiply_where(bool inside, const sp_weight *w, long m, long n, long k, const float *a,
                           float *c) {
#pragma omp parallel num_threads(2) if (inside)
#pragma omp single
    sp_weight_gemm(w, false, 0, n, m, a, k, 0, c, n);
}

static void few_rows_have_the_same_bits_inside_a_parallel_region_and_with_one_thread(void **state) {
    (void)state;
    enum { M = 40, N = 700, K = 1100 };
    float *b = random_matrix("b", K, N), *a = random_matrix("a", M, K);
    float *first = sp_alloc_floats(M * N), *again = sp_alloc_floats(M * N);
    sp_weight *w = sp_weight_new(K, N, b, N, false);
    multiply_where(false, w, M, N, K, a, first);
    multiply_where(true, w, M, N, K, a, again);
    assert_memory_equal(first, again, M * N * sizeof(float));
    assert_int_equal(sp_gemm_start(1), SP_OK);
    multiply_where(false, w, M, N, K, a, again);
    assert_memory_equal(first, again, M * N * sizeof(float));
    assert_int_equal(sp_gemm_start(2), SP_OK);
    sp_weight_free(w);
    free(a), free(b), free(first), free(again);
}

static void the_environment_chooses_the_way_of_bf16_and_a_wrong_name_is_refused(void **state) {
    (void)state;
    setenv("SOFTPROMPT_BF16", "native", 1);
    assert_int_equal(sp_gemm_start(2), sp_cpu_has_avx512() ? SP_OK : SP_ERR_USAGE);
    assert_int_equal(sp_bf16_current(), SP_BF16_NATIVE);
    go_the_way("storage");
    assert_int_equal(sp_bf16_current(), SP_BF16_STORAGE);
    setenv("SOFTPROMPT_BF16", "fp8", 1);
    assert_int_equal(sp_gemm_start(2), SP_ERR_USAGE);
    assert_non_null(strstr(sp_error(), "fp8"));
    unsetenv("SOFTPROMPT_BF16");
    assert_int_equal(sp_gemm_start(2), SP_OK);
}

int main(void) {
    unsetenv("SOFTPROMPT_BF16");
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_of_few_rows_equals_the_plain_product),
        cmocka_unit_test(a_product_with_a_stored_weight_equals_the_plain_product),
        cmocka_unit_test(a_product_in_native_bf16_equals_the_plain_product),
        cmocka_unit_test(weights_round_to_nearest_and_ties_to_even),
        cmocka_unit_test(rows_of_a_weight_come_back_as_floats),
        cmocka_unit_test(few_rows_have_the_same_bits_inside_a_parallel_region_and_with_one_thread),
        cmocka_unit_test(the_environment_chooses_the_way_of_bf16_and_a_wrong_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
