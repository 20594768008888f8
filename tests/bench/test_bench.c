/* What the benchmark counts, draws and hands over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/child.h"
#include "bench/workload.h"

#include <stdlib.h>
#include <string.h>

/* A row tells the median and the range of its samples, in whatever order they come. */
static void rows_have_median_and_range(void **state) {
    (void)state;
    sp_bench_rows rows = {0};
    double odd[] = {3, 1, 2}, even[] = {4, 1, 2, 8};
    sp_bench_rows_summarise(&rows, (sp_bench_row){.threads = 1}, odd, 3);
    sp_bench_rows_summarise(&rows, (sp_bench_row){.threads = 1}, even, 4);
    assert_true(rows.items[0].median == 2 && rows.items[0].low == 1 && rows.items[0].high == 3);
    assert_true(rows.items[1].median == 3 && rows.items[1].low == 1 && rows.items[1].high == 8);
    assert_int_equal(rows.items[1].repetitions, 4);
    sp_bench_rows_free(&rows);
}

static sp_status make_two_rows(const void *user, sp_bench_rows *rows) {
    sp_bench_row row = {.median = *(const double *)user};
    for (int i = 0; i < 2; i++) sp_bench_rows_add(rows, &row);
    strcpy(rows->gemm, "library");
    return SP_OK;
}

static sp_status fail_on_purpose(const void *user, sp_bench_rows *rows) {
    (void)rows;
    return sp_fail(SP_ERR_DATA, "no %s", (const char *)user);
}

static sp_status die(const void *user, sp_bench_rows *rows) {
    (void)user, (void)rows;
    abort();
}

/* What a child process measures arrives here, and so does its failure, whatever way it fails. */
static void children_hand_over_rows_and_failures(void **state) {
    (void)state;
    sp_bench_rows rows = {0};
    double value = 7;
    assert_int_equal(sp_bench_in_child(make_two_rows, &value, &rows), SP_OK);
    assert_int_equal(rows.count, 2);
    assert_true(rows.items[1].median == 7);
    assert_string_equal(rows.gemm, "library");
    assert_int_equal(sp_bench_in_child(fail_on_purpose, "luck", &rows), SP_ERR_DATA);
    assert_string_equal(sp_error(), "no luck");
    assert_int_equal(sp_bench_in_child(die, NULL, &rows), SP_ERR_INTERNAL);
    assert_int_equal(rows.count, 2);
    sp_bench_rows_free(&rows);
}

/* Sequences are a function of seed and number, within their lengths and the vocabulary. */
static void sequences_come_from_the_seed(void **state) {
    (void)state;
    sp_sequences a, b, other;
    sp_bench_draw(1, 2, 50, 10, &a);
    sp_bench_draw(1, 2, 50, 10, &b);
    sp_bench_draw(1, 3, 50, 10, &other);
    bool differs = false;
    for (size_t i = 0; i < a.count; i++) {
        size_t n = a.items[i].len;
        assert_in_range(n, SP_BENCH_SHORTEST, SP_BENCH_LONGEST);
        assert_int_equal(n, b.items[i].len);
        assert_memory_equal(a.items[i].data, b.items[i].data, n * sizeof(int));
        for (size_t k = 0; k < n; k++) assert_in_range(a.items[i].data[k], 1, 9);
        differs |= n != other.items[i].len;
    }
    assert_true(differs);
    sp_sequences_free(&a), sp_sequences_free(&b), sp_sequences_free(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_have_median_and_range),
                                       cmocka_unit_test(children_hand_over_rows_and_failures),
                                       cmocka_unit_test(sequences_come_from_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
