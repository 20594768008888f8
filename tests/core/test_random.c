/* The counter-based generator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"

#include <math.h>

enum { DRAWS = 100000 };

static void numbers_equal_the_published_vectors_of_philox(void **state) {
    (void)state;
    /* Random123's kat_vectors: philox4x32 10, counter and key all zeros. */
    static const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    sp_rng rng = {0};
    for (int i = 0; i < 4; i++) assert_int_equal(sp_rng_u32(&rng), zeros[i]);
    assert_int_equal(rng.counter, 4);
}

static void a_copied_generator_goes_on_with_the_same_numbers(void **state) {
    (void)state;
    sp_rng rng = sp_rng_make(42, "test");
    for (int i = 0; i < 7; i++) sp_rng_u32(&rng);
    sp_rng restored = {rng.seed, rng.purpose, rng.counter};
    for (int i = 0; i < 100; i++) assert_int_equal(sp_rng_u32(&rng), sp_rng_u32(&restored));
}

static void seeds_and_purposes_give_unrelated_streams(void **state) {
    (void)state;
    sp_rng a = sp_rng_make(1, "init"), b = sp_rng_make(2, "init"), c = sp_rng_make(1, "shuffle");
    double ab = 0, ac = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = sp_rng_uniform(&a) - 0.5;
        ab += x * (sp_rng_uniform(&b) - 0.5);
        ac += x * (sp_rng_uniform(&c) - 0.5);
    }
    /* Five standard errors of a product of two uniform numbers. */
    double limit = 5 * sqrt((double)DRAWS) / 12;
    assert_true(fabs(ab) < limit);
    assert_true(fabs(ac) < limit);
}

static void uniform_numbers_fill_0_to_1_without_1(void **state) {
    (void)state;
    sp_rng rng = sp_rng_make(3, "uniform");
    double sum = 0, squares = 0;
    float least = 1, most = 0;
    for (int i = 0; i < DRAWS; i++) {
        float x = sp_rng_uniform(&rng);
        assert_true(x >= 0 && x < 1);
        least = fminf(least, x);
        most = fmaxf(most, x);
        sum += x;
        squares += (double)x * x;
    }
    assert_true(least < 0.001f && most > 0.999f);
    assert_true(fabs(sum / DRAWS - 0.5) < 0.005);
    assert_true(fabs(squares / DRAWS - 1.0 / 3) < 0.005);
}

static void normal_numbers_have_mean_0_variance_1_and_finite_values(void **state) {
    (void)state;
    sp_rng rng = sp_rng_make(4, "normal");
    double sum = 0, squares = 0;
    int beyond_2 = 0;
    for (int i = 0; i < DRAWS; i++) {
        float x = sp_rng_normal(&rng);
        assert_true(isfinite(x));
        sum += x;
        squares += (double)x * x;
        beyond_2 += fabsf(x) > 2;
    }
    assert_true(fabs(sum / DRAWS) < 0.015);
    assert_true(fabs(squares / DRAWS - 1) < 0.025);
    assert_true(fabs((double)beyond_2 / DRAWS - 0.0455) < 0.004);
}

static void numbers_below_n_are_all_as_frequent(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 7, 10};
    for (int k = 0; k < 4; k++) {
        uint32_t n = sizes[k];
        int counts[10] = {0};
        sp_rng rng = sp_rng_make(5, "below");
        for (int i = 0; i < DRAWS; i++) {
            uint32_t x = sp_rng_below(&rng, n);
            assert_true(x < n);
            counts[x]++;
        }
        double expected = (double)DRAWS / n;
        for (uint32_t i = 0; i < n; i++)
            assert_true(fabs(counts[i] - expected) <= 5 * sqrt(expected));
    }
    /* 3 * 2^30 is where a plain remainder would favour the lower third. */
    int low = 0;
    sp_rng rng = sp_rng_make(6, "below");
    for (int i = 0; i < DRAWS; i++) low += sp_rng_below(&rng, 3u << 30) < 1u << 30;
    assert_true(fabs((double)low / DRAWS - 1.0 / 3) < 0.01);
}

static void a_shuffle_keeps_the_items_and_reaches_every_order(void **state) {
    (void)state;
    int seen[27] = {0}, orders = 0;
    sp_rng rng = sp_rng_make(7, "shuffle");
    for (int i = 0; i < 1000; i++) {
        int items[3] = {0, 1, 2};
        sp_rng_shuffle(&rng, items, 3, sizeof *items);
        assert_int_equal((1 << items[0]) + (1 << items[1]) + (1 << items[2]), 7);
        seen[9 * items[0] + 3 * items[1] + items[2]]++;
    }
    for (int i = 0; i < 27; i++) {
        orders += seen[i] > 0;
        if (seen[i]) assert_in_range(seen[i], 110, 225);
    }
    assert_int_equal(orders, 6);
    sp_rng_shuffle(&rng, NULL, 0, sizeof(int));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_equal_the_published_vectors_of_philox),
        cmocka_unit_test(a_copied_generator_goes_on_with_the_same_numbers),
        cmocka_unit_test(seeds_and_purposes_give_unrelated_streams),
        cmocka_unit_test(uniform_numbers_fill_0_to_1_without_1),
        cmocka_unit_test(normal_numbers_have_mean_0_variance_1_and_finite_values),
        cmocka_unit_test(numbers_below_n_are_all_as_frequent),
        cmocka_unit_test(a_shuffle_keeps_the_items_and_reaches_every_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
