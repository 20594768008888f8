/* Batches of even size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "training/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 1003, BATCH = 16, EPOCHS = 5, BATCHES = ITEMS * EPOCHS / BATCH };

/* As uneven as texts: most are short, some are long. */
static void fill_sizes(int *sizes, size_t count) {
    sp_rng rng = sp_rng_make(1, "sizes");
    for (size_t i = 0; i < count; i++) {
        float u = sp_rng_uniform(&rng);
        sizes[i] = 10 + (int)(90 * u * u);
    }
}

/* Standard deviation over the mean of the batches' sizes. */
static double spread(sp_sampler *s, const int *sizes) {
    double sum = 0, squares = 0;
    for (int b = 0; b < BATCHES; b++) {
        double size = 0;
        for (int i = 0; i < BATCH; i++) size += sizes[sp_sampler_next(s)];
        sum += size;
        squares += size * size;
    }
    double mean = sum / BATCHES;
    return sqrt(squares / BATCHES - mean * mean) / mean;
}

static void batches_are_about_equal_in_size_over_the_ends_of_epochs_too(void **state) {
    (void)state;
    int sizes[ITEMS];
    fill_sizes(sizes, ITEMS);
    sp_sampler plain, even;
    sp_sampler_init(&plain, ITEMS, 1, "pairs");
    sp_sampler_init(&even, ITEMS, 1, "pairs");
    sp_sampler_balance(&even, sizes, BATCH);
    double before = spread(&plain, sizes), after = spread(&even, sizes);
    if (!(before > 0.15 && after < 0.04)) fail_msg("%g before, %g after", before, after);
    sp_sampler_free(&plain);
    sp_sampler_free(&even);
}

static void assert_each_once(sp_sampler *s, size_t count) {
    int *seen = calloc(count, sizeof *seen);
    for (size_t i = 0; i < count; i++) seen[sp_sampler_next(s)]++;
    for (size_t i = 0; i < count; i++) assert_int_equal(seen[i], 1);
    free(seen);
}

/* Also if there are fewer items than a batch takes, or all are of one size, or of none. */
static void every_item_comes_once_an_epoch(void **state) {
    (void)state;
    static const size_t counts[] = {1, 3, 16, 17, 100, 256, 257, ITEMS};
    static const size_t batches[] = {1, 4, 16, 300};
    int sizes[ITEMS], none[ITEMS] = {0};
    fill_sizes(sizes, ITEMS);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t k = 0; k < sizeof batches / sizeof *batches; k++)
            for (int empty = 0; empty < 2; empty++) {
                sp_sampler s;
                sp_sampler_init(&s, counts[i], 7, "pairs");
                sp_sampler_balance(&s, empty ? none : sizes, batches[k]);
                for (int epoch = 0; epoch < 4; epoch++) assert_each_once(&s, counts[i]);
                sp_sampler_free(&s);
            }
}

static void a_resumed_sampler_goes_on_with_the_same_batches(void **state) {
    (void)state;
    int sizes[ITEMS];
    fill_sizes(sizes, ITEMS);
    sp_sampler s, resumed;
    sp_sampler_init(&s, ITEMS, 3, "pairs");
    sp_sampler_balance(&s, sizes, BATCH);
    for (int i = 0; i < 2 * ITEMS + 40; i++) sp_sampler_next(&s);
    sp_sampler_init(&resumed, ITEMS, 3, "pairs");
    sp_sampler_balance(&resumed, sizes, BATCH);
    resumed.epoch = s.epoch;
    resumed.cursor = s.cursor;
    sp_sampler_resume(&resumed);
    for (int i = 0; i < 2 * ITEMS; i++)
        assert_int_equal(sp_sampler_next(&resumed), sp_sampler_next(&s));
    sp_sampler_free(&s);
    sp_sampler_free(&resumed);
}

static void another_epoch_has_other_batches(void **state) {
    (void)state;
    int sizes[ITEMS], first[ITEMS], second[ITEMS];
    fill_sizes(sizes, ITEMS);
    sp_sampler s;
    sp_sampler_init(&s, ITEMS, 3, "pairs");
    sp_sampler_balance(&s, sizes, BATCH);
    for (int i = 0; i < ITEMS; i++) first[i] = (int)sp_sampler_next(&s);
    for (int i = 0; i < ITEMS; i++) second[i] = (int)sp_sampler_next(&s);
    assert_memory_not_equal(first, second, sizeof first);
    sp_sampler_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_about_equal_in_size_over_the_ends_of_epochs_too),
        cmocka_unit_test(every_item_comes_once_an_epoch),
        cmocka_unit_test(a_resumed_sampler_goes_on_with_the_same_batches),
        cmocka_unit_test(another_epoch_has_other_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
