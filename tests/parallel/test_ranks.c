/* Sums and agreements of ranks, which are threads here, and what mpirun's environment says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parallel/launch.h"
#include "support/thread_ranks.h"

#include <math.h>
#include <stdio.h>

/* More than a block of ranks.c, and no multiple of the sizes. */
enum { SMALL = 10, LARGE = (4 << 20) + 12347 };

typedef struct sums {
    size_t count;
    float *results[MOST_RANKS];
    double bytes[MOST_RANKS];
} sums;

/* Numbers whose sum depends on the order. */
static float term(int rank, size_t i) {
    float x = (float)((i * 2654435761u + (unsigned)rank * 40503u) % 1000003u) / 1000.0f;
    return rank % 2 ? -x * 1e-3f : x;
}

static void sum_terms(sp_ranks *ranks, void *user) {
    sums *s = user;
    float *data = malloc(s->count * sizeof *data);
    for (size_t i = 0; i < s->count; i++) data[i] = term(ranks->rank, i);
    sp_ranks_sum(ranks, data, s->count);
    s->results[ranks->rank] = data;
    s->bytes[ranks->rank] = ranks->bytes_sent;
}

static void check_sum(int size, size_t count) {
    sums s = {.count = count};
    with_ranks(size, sum_terms, &s);
    for (size_t i = 0; i < count; i++) {
        float expected = term(0, i);
        for (int r = 1; r < size; r++) expected += term(r, i);
        for (int r = 0; r < size; r++)
            if (memcmp(&s.results[r][i], &expected, sizeof expected) != 0)
                fail_msg("%d ranks, number %zu: rank %d has %.9g, not %.9g", size, i, r,
                         (double)s.results[r][i], (double)expected);
    }
    double volume = 2.0 * (size - 1) / size * (double)count * sizeof(float);
    for (int r = 0; r < size; r++) {
        assert_true(s.bytes[r] >= volume && s.bytes[r] <= volume + 16.0 * size * size);
        free(s.results[r]);
    }
}

static void a_sum_has_the_bits_of_adding_in_rank_order_on_every_rank(void **state) {
    (void)state;
    for (int size = 1; size <= 5; size++) check_sum(size, SMALL);
    check_sum(3, 1);
    check_sum(2, LARGE);
    check_sum(3, LARGE);
}

typedef struct outcome {
    sp_status status[MOST_RANKS];
    char message[MOST_RANKS][128];
    bool any[MOST_RANKS], led[MOST_RANKS];
    double number[MOST_RANKS];
    char text[MOST_RANKS][64];
} outcome;

static void keep(outcome *o, const sp_ranks *ranks, sp_status st) {
    o->status[ranks->rank] = st;
    snprintf(o->message[ranks->rank], sizeof o->message[0], "%s", sp_error());
}

static void fail_on_two(sp_ranks *ranks, void *user) {
    outcome *o = user;
    int r = ranks->rank;
    sp_status st = r == 1   ? sp_fail(SP_ERR_DATA, "the first")
                   : r == 2 ? sp_fail(SP_ERR_IO, "the second")
                            : SP_OK;
    o->any[r] = r == 2;
    o->led[r] = r != 0;
    keep(o, ranks, sp_ranks_settle_flags(ranks, st, &o->any[r], &o->led[r]));
}

static void all_ranks_end_with_the_failure_of_the_lowest(void **state) {
    (void)state;
    outcome o = {0};
    with_ranks(3, fail_on_two, &o);
    for (int r = 0; r < 3; r++) {
        assert_int_equal(o.status[r], SP_ERR_DATA);
        assert_string_equal(o.message[r], "rank 1: the first");
        assert_true(o.any[r]);
        assert_false(o.led[r]);
    }
}

static void differ_on_one(sp_ranks *ranks, void *user) {
    const int value[] = {7, 7, 8};
    keep(user, ranks,
         sp_ranks_check_same(ranks, "the number", &value[ranks->rank], sizeof value[0]));
}

static void agree(sp_ranks *ranks, void *user) {
    const int value = 7;
    keep(user, ranks, sp_ranks_check_same(ranks, "the number", &value, sizeof value));
}

static void ranks_that_differ_are_found(void **state) {
    (void)state;
    outcome o = {0};
    with_ranks(3, differ_on_one, &o);
    for (int r = 0; r < 3; r++) {
        assert_int_equal(o.status[r], SP_ERR_INTERNAL);
        assert_non_null(strstr(o.message[r], "the number is not the same on ranks 0 and 2"));
    }
    with_ranks(3, agree, &o);
    for (int r = 0; r < 3; r++) assert_int_equal(o.status[r], SP_OK);
}

static void gather_texts(sp_ranks *ranks, void *user) {
    static const char *const texts[] = {"one", "", "three"};
    outcome *o = user;
    sp_buf mine = {0}, all = {0};
    size_t lengths[3];
    sp_buf_puts(&mine, texts[ranks->rank]);
    sp_ranks_gather(ranks, &mine, &all, lengths);
    assert_int_equal(lengths[0] * 100 + lengths[1] * 10 + lengths[2], 305);
    snprintf(o->text[ranks->rank], sizeof o->text[0], "%s", all.data);
    double numbers[] = {1, ranks->rank ? 0.1 : 1e17};
    sp_ranks_sum_numbers(ranks, numbers, 2);
    assert_true(numbers[0] == 3);
    o->number[ranks->rank] = numbers[1];
    sp_buf_free(&mine), sp_buf_free(&all);
}

static void texts_and_numbers_come_in_rank_order(void **state) {
    (void)state;
    outcome o = {0};
    with_ranks(3, gather_texts, &o);
    for (int r = 0; r < 3; r++) {
        assert_string_equal(o.text[r], "onethree");
        assert_true(o.number[r] == 1e17);
    }
}

static void one_process_alone_is_left_as_it_is(void **state) {
    (void)state;
    float data[] = {1, 2};
    bool any = false, led = true;
    sp_ranks_sum(NULL, data, 2);
    assert_true(data[0] == 1 && data[1] == 2);
    assert_int_equal(sp_ranks_settle_flags(NULL, SP_ERR_DATA, &any, &led), SP_ERR_DATA);
    assert_true(led && !any);
    assert_true(sp_ranks_leads(NULL));
    assert_int_equal(sp_ranks_size(NULL), 1);
    sp_ranks_leave(NULL);
}

static void set(const char *rank, const char *size) {
    setenv("OMPI_COMM_WORLD_RANK", rank, 1);
    setenv("OMPI_COMM_WORLD_SIZE", size, 1);
}

static void the_environment_of_mpirun_is_read(void **state) {
    (void)state;
    unsetenv("OMPI_COMM_WORLD_SIZE");
    assert_false(sp_launched());
    assert_int_equal(sp_launch_read().size, 1);
    set("1", "3");
    assert_true(sp_launched());
    assert_int_equal(sp_launch_read().rank, 1);
    assert_int_equal(sp_launch_read().size, 3);
    set("-1", "many");
    assert_false(sp_launched());
    assert_int_equal(sp_launch_read().rank, 0);
    assert_int_equal(sp_launch_read().size, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_has_the_bits_of_adding_in_rank_order_on_every_rank),
        cmocka_unit_test(all_ranks_end_with_the_failure_of_the_lowest),
        cmocka_unit_test(ranks_that_differ_are_found),
        cmocka_unit_test(texts_and_numbers_come_in_rank_order),
        cmocka_unit_test(one_process_alone_is_left_as_it_is),
        cmocka_unit_test(the_environment_of_mpirun_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
