/* Both matrix multiplication back ends against a product in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "core/random.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct gemm_case {
    bool transpose_a, transpose_b;
    long m, n, k, extra; /* extra: leading dimensions beyond the columns */
    float beta;
} gemm_case;

static float *random_matrix(sp_rng *rng, long rows, long ld) {
    float *x = sp_alloc_floats((size_t)(rows * ld));
    for (long i = 0; i < rows * ld; i++) x[i] = sp_rng_normal(rng);
    return x;
}

static double product_at(const gemm_case *g, const float *a, long lda, const float *b, long ldb,
                         long i, long j) {
    double sum = 0;
    for (long p = 0; p < g->k; p++) {
        double x = g->transpose_a ? a[p * lda + i] : a[i * lda + p];
        double y = g->transpose_b ? b[j * ldb + p] : b[p * ldb + j];
        sum += x * y;
    }
    return sum;
}

static void check_case(const gemm_case *g) {
    sp_rng rng = sp_rng_make(1, "gemm");
    long a_rows = g->transpose_a ? g->k : g->m, lda = (g->transpose_a ? g->m : g->k) + g->extra;
    long b_rows = g->transpose_b ? g->n : g->k, ldb = (g->transpose_b ? g->k : g->n) + g->extra;
    long ldc = g->n + g->extra;
    float *a = random_matrix(&rng, a_rows, lda), *b = random_matrix(&rng, b_rows, ldb);
    float *c = random_matrix(&rng, g->m, ldc), *before = random_matrix(&rng, g->m, ldc);
    memcpy(before, c, (size_t)(g->m * ldc) * sizeof(float));
    if (g->beta == 0) /* beta 0 overwrites whatever stood there */
        for (long i = 0; i < g->m; i++)
            for (long j = 0; j < g->n; j++) c[i * ldc + j] = NAN;
    sp_gemm(g->transpose_a, g->transpose_b, g->m, g->n, g->k, a, lda, b, ldb, g->beta, c, ldc);
    for (long i = 0; i < g->m; i++)
        for (long j = 0; j < ldc; j++) {
            double expected = before[i * ldc + j];
            if (j < g->n) expected = g->beta * expected + product_at(g, a, lda, b, ldb, i, j);
            if (!(fabs((double)c[i * ldc + j] - expected) <= 1e-5 * (1 + sqrt((double)g->k))))
                fail_msg("%ld x %ld x %ld at (%ld, %ld): %g, expected %g", g->m, g->n, g->k, i, j,
                         (double)c[i * ldc + j], expected);
        }
    free(a);
    free(b);
    free(c);
    free(before);
}

static void check_backend(sp_gemm_backend backend) {
    static const long sizes[][3] = {{1, 1, 1},    {1, 37, 5},   {7, 1, 33},    {3, 5, 1},
                                    {17, 31, 23}, {64, 65, 63}, {1, 257, 129}, {130, 3, 70}};
    sp_gemm_use(backend);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int variant = 0; variant < 16; variant++) {
            gemm_case g = {variant & 1,
                           variant & 2,
                           sizes[s][0],
                           sizes[s][1],
                           sizes[s][2],
                           variant & 4 ? 3 : 0,
                           variant & 8 ? 1.0f : 0.0f};
            check_case(&g);
        }
}

static void openblas_equals_the_plain_product(void **state) {
    (void)state;
    check_backend(SP_GEMM_OPENBLAS);
}

static void onednn_equals_the_plain_product(void **state) {
    (void)state;
    check_backend(SP_GEMM_ONEDNN);
    sp_gemm_use(SP_GEMM_OPENBLAS);
}

static void a_product_without_rows_or_columns_touches_nothing(void **state) {
    (void)state;
    float a[4] = {1, 2, 3, 4}, c[4] = {5, 6, 7, 8};
    sp_gemm(false, false, 0, 2, 2, a, 2, a, 2, 0, c, 2);
    sp_gemm(false, false, 2, 0, 2, a, 2, a, 2, 0, c, 2);
    assert_memory_equal(c, ((float[]){5, 6, 7, 8}), sizeof c);
}

static void openblas_uses_its_avx512_kernels_where_the_cpu_has_them(void **state) {
    (void)state;
    if (!sp_cpu_has_avx512()) skip();
    assert_non_null(getenv("OPENBLAS_CORETYPE"));
    assert_string_equal(getenv("OPENBLAS_CORETYPE"), "SkylakeX");
    assert_non_null(strstr(sp_gemm_describe(SP_GEMM_OPENBLAS), "(SkylakeX)"));
}

static void the_same_product_gives_the_same_bits_again(void **state) {
    (void)state;
    enum { SIZE = 150 };
    sp_rng rng = sp_rng_make(2, "gemm");
    float *a = random_matrix(&rng, SIZE, SIZE), *b = random_matrix(&rng, SIZE, SIZE);
    float *first = sp_alloc_floats(SIZE * SIZE), *again = sp_alloc_floats(SIZE * SIZE);
    for (int backend = SP_GEMM_OPENBLAS; backend <= SP_GEMM_ONEDNN; backend++) {
        sp_gemm_use((sp_gemm_backend)backend);
        sp_gemm(false, false, SIZE, SIZE, SIZE, a, SIZE, b, SIZE, 0, first, SIZE);
        for (int i = 0; i < 5; i++) {
            sp_gemm(false, false, SIZE, SIZE, SIZE, a, SIZE, b, SIZE, 0, again, SIZE);
            assert_memory_equal(first, again, SIZE * SIZE * sizeof(float));
        }
    }
    sp_gemm_use(SP_GEMM_OPENBLAS);
    free(a);
    free(b);
    free(first);
    free(again);
}

static void the_environment_chooses_the_back_end_and_a_wrong_name_is_refused(void **state) {
    (void)state;
    setenv("SOFTPROMPT_GEMM", "onednn", 1);
    assert_int_equal(sp_gemm_start(2), SP_OK);
    assert_int_equal(sp_gemm_current(), SP_GEMM_ONEDNN);
    setenv("SOFTPROMPT_GEMM", "openblas", 1);
    assert_int_equal(sp_gemm_start(2), SP_OK);
    assert_int_equal(sp_gemm_current(), SP_GEMM_OPENBLAS);
    setenv("SOFTPROMPT_GEMM", "mkl", 1);
    assert_int_equal(sp_gemm_start(2), SP_ERR_USAGE);
    assert_non_null(strstr(sp_error(), "mkl"));
    unsetenv("SOFTPROMPT_GEMM");
    assert_int_equal(sp_gemm_start(2), SP_OK);
    assert_int_equal(sp_threads(), 2);
}

int main(void) {
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("SOFTPROMPT_GEMM");
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openblas_equals_the_plain_product),
        cmocka_unit_test(onednn_equals_the_plain_product),
        cmocka_unit_test(a_product_without_rows_or_columns_touches_nothing),
        cmocka_unit_test(openblas_uses_its_avx512_kernels_where_the_cpu_has_them),
        cmocka_unit_test(the_same_product_gives_the_same_bits_again),
        cmocka_unit_test(the_environment_chooses_the_back_end_and_a_wrong_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
