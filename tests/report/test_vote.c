/* Majority votes on cases made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/vote.h"

/* The vote of up to five voters on one example. */
static void expect_vote(const char *const *answers, size_t voters, const char *winner) {
    sp_strings hypotheses[5] = {0}, out = {0};
    for (size_t v = 0; v < voters; v++) sp_strings_push(&hypotheses[v], answers[v]);
    sp_vote(hypotheses, voters, &out);
    assert_int_equal(out.len, 1);
    assert_string_equal(out.data[0], winner);
    for (size_t v = 0; v < voters; v++) sp_strings_free(&hypotheses[v]);
    sp_strings_free(&out);
}

static void the_answer_of_most_voters_wins(void **state) {
    (void)state;
    expect_vote((const char *[]){"plant", "animal", "food", "animal", "animal"}, 5, "animal");
    expect_vote((const char *[]){"plant", "animal", "food", "food", "animal"}, 5, "animal");
    expect_vote((const char *[]){"a", "b", "b"}, 3, "b");
    expect_vote((const char *[]){"only"}, 1, "only");
    expect_vote((const char *[]){"a", "A", "A"}, 3, "A");
}

static void of_equal_answers_that_of_the_earliest_voter_wins(void **state) {
    (void)state;
    expect_vote((const char *[]){"a", "b"}, 2, "a");
    expect_vote((const char *[]){"c", "b", "a", "a", "b"}, 5, "b");
    expect_vote((const char *[]){"c", "b", "a"}, 3, "c");
}

static void every_example_has_a_vote_of_its_own(void **state) {
    (void)state;
    sp_strings voters[3] = {0}, out = {0};
    const char *const said[3][2] = {{"a", "x"}, {"a", "y"}, {"b", "y"}};
    for (int v = 0; v < 3; v++)
        for (int i = 0; i < 2; i++) sp_strings_push(&voters[v], said[v][i]);
    sp_strings_push(&out, "before");
    sp_vote(voters, 3, &out);
    assert_int_equal(out.len, 3);
    assert_string_equal(out.data[1], "a");
    assert_string_equal(out.data[2], "y");
    for (int v = 0; v < 3; v++) sp_strings_free(&voters[v]);
    sp_strings_free(&out);
}

static void a_tie_of_labels_goes_to_the_larger_sum_of_scores(void **state) {
    (void)state;
    const float a[] = {0.5f, 0.4f, 0.1f}, b[] = {0.1f, 0.8f, 0.1f}, c[] = {0.5f, 0.4f, 0.1f};
    const float d[] = {0.4f, 0.6f, 0}, e[] = {0.6f, 0.4f, 0};
    assert_int_equal(sp_vote_label((int[]){0, 1, 0}, (const float *[]){a, b, c}, 3, 3), 0);
    assert_int_equal(sp_vote_label((int[]){0, 1}, (const float *[]){a, b}, 2, 3), 1);
    assert_int_equal(sp_vote_label((int[]){1, 0}, (const float *[]){b, a}, 2, 3), 1);
    assert_int_equal(sp_vote_label((int[]){2, 0, 1}, (const float *[]){a, a, a}, 3, 3), 0);
    /* equal sums: the earliest */
    assert_int_equal(sp_vote_label((int[]){1, 0}, (const float *[]){d, e}, 2, 3), 1);
    assert_int_equal(sp_vote_label((int[]){0, 1}, (const float *[]){e, d}, 2, 3), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_of_most_voters_wins),
        cmocka_unit_test(of_equal_answers_that_of_the_earliest_voter_wins),
        cmocka_unit_test(every_example_has_a_vote_of_its_own),
        cmocka_unit_test(a_tie_of_labels_goes_to_the_larger_sum_of_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
