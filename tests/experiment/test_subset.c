/* Parts of a split: evenly spaced with balanced labels, and random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "experiment/subset.h"

#include <stdbool.h>
#include <stdlib.h>

/* Examples "0", "1", ... with labels as given; `labels` 0: none. */
static sp_split make_split(int count, int labels) {
    sp_split split = {0};
    for (int i = 0; i < count; i++) {
        sp_example *e = sp_split_add(&split);
        e->input = sp_format("%d", i);
        e->label = labels ? i % labels : -1;
    }
    return split;
}

static int number(const sp_split *split, size_t i) {
    return atoi(split->items[i].input);
}

static void without_labels_the_kept_are_evenly_spaced(void **state) {
    (void)state;
    sp_split split = make_split(10, 0);
    sp_split_keep(&split, 4, 0);
    assert_int_equal(split.count, 4);
    static const int expected[] = {0, 2, 5, 7};
    for (size_t i = 0; i < 4; i++) assert_int_equal(number(&split, i), expected[i]);
    sp_split_free(&split);
}

/* Every tenth of labels that alternate 0, 1, ..., 9 would be label 0 alone. */
static void evenly_spaced_examples_keep_the_shares_of_labels_and_the_order(void **state) {
    (void)state;
    sp_split split = make_split(1000, 10);
    sp_split_keep(&split, 100, 0);
    int counts[10] = {0};
    assert_int_equal(split.count, 100);
    for (size_t i = 0; i < 100; i++) {
        counts[split.items[i].label]++;
        if (i) assert_true(number(&split, i) > number(&split, i - 1));
    }
    for (int k = 0; k < 10; k++) assert_int_equal(counts[k], 10);
    assert_true(number(&split, 99) >= 900); /* they come from all of the split */
    sp_split_free(&split);
}

static void a_limit_of_none_or_of_more_than_there_is_keeps_all(void **state) {
    (void)state;
    for (int draw = 0; draw < 2; draw++) {
        sp_split split = make_split(5, 2);
        sp_split_keep(&split, 0, draw);
        sp_split_keep(&split, 5, draw);
        sp_split_keep(&split, 6, draw);
        assert_int_equal(split.count, 5);
        sp_split_free(&split);
    }
}

static bool contains(const sp_split *split, int wanted) {
    for (size_t i = 0; i < split->count; i++)
        if (number(split, i) == wanted) return true;
    return false;
}

static void a_random_subset_depends_on_its_number_and_holds_the_smaller_ones(void **state) {
    (void)state;
    sp_split small = make_split(200, 2), large = make_split(200, 2), other = make_split(200, 2);
    sp_split_keep(&small, 20, 1);
    sp_split_keep(&large, 50, 1);
    sp_split_keep(&other, 20, 2);
    int shared = 0;
    assert_int_equal(small.count, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_true(contains(&large, number(&small, i)));
        shared += contains(&other, number(&small, i));
        if (i) assert_true(number(&small, i) > number(&small, i - 1));
    }
    assert_true(shared < 15);
    sp_split_free(&small);
    sp_split_free(&large);
    sp_split_free(&other);
}

/* Of two sets in turn, each keeps what it would keep alone. */
static void each_set_of_a_mixture_keeps_what_it_would_keep_alone(void **state) {
    (void)state;
    for (int draw = 0; draw < 3; draw++) {
        sp_split alone = make_split(50, 5), mixed = {0};
        for (int i = 0; i < 100; i++) {
            sp_example *e = sp_split_add(&mixed);
            e->input = sp_format("%d", i / 2);
            e->label = i / 2 % 5;
            e->task = i % 2;
        }
        sp_split_keep(&alone, 20, draw);
        sp_split_keep(&mixed, 20, draw);
        assert_int_equal(mixed.count, 40);
        size_t next[2] = {0};
        for (size_t i = 0; i < 40; i++) {
            int task = mixed.items[i].task;
            assert_int_equal(number(&mixed, i), number(&alone, next[task]++));
        }
        assert_int_equal(next[0], 20);
        sp_split_free(&alone);
        sp_split_free(&mixed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_labels_the_kept_are_evenly_spaced),
        cmocka_unit_test(evenly_spaced_examples_keep_the_shares_of_labels_and_the_order),
        cmocka_unit_test(a_limit_of_none_or_of_more_than_there_is_keeps_all),
        cmocka_unit_test(a_random_subset_depends_on_its_number_and_holds_the_smaller_ones),
        cmocka_unit_test(each_set_of_a_mixture_keeps_what_it_would_keep_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
