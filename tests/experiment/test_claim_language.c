/* The language of claims: what it takes apart, and what it refuses with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"

#define HEAD                                                                                       \
    "name: x\nbase: {model: m, dataset: d}\nmethods: {prefix: {}, soft: {method: prompt}}\n"

static sp_status read_claim(const char *claim, sp_spec *spec) {
    char *text = sp_format(HEAD "claims:\n  - {id: a, text: b, %s}\n", claim);
    sp_status st = study_read(text, NULL, NULL, spec);
    free(text);
    return st;
}

static sp_spec read_test(const char *test) {
    sp_spec spec;
    char *claim = sp_format("test: '%s'", test);
    if (read_claim(claim, &spec)) fail_msg("%s: %s", test, sp_error());
    free(claim);
    return spec;
}

/* The test is refused, and the message has the words. */
static void refuse(const char *test, const char *words) {
    sp_spec spec;
    char *claim = sp_format("test: '%s'", test);
    assert_int_equal(read_claim(claim, &spec), SP_ERR_SPEC);
    if (!strstr(sp_error(), words)) fail_msg("%s: no '%s' in '%s'", test, words, sp_error());
    if (!strstr(sp_error(), "s.yaml:5: ")) fail_msg("no file and line in '%s'", sp_error());
    free(claim);
}

static void a_relation_has_two_sides_of_weighted_atoms(void **state) {
    (void)state;
    sp_spec spec = read_test("mean(test.all.bleu | entry=prefix, method.length=1/5/\"20\") - 2 * "
                             "(best(dev.best.loss) - 0.5) >= 1e1 + 3*spread(test.seen.ter)");
    const sp_claim_test *t = &spec.claims[0].test;
    assert_int_equal(t->form, SP_CLAIM_MORE);
    assert_int_equal(t->left.term_count, 2);
    assert_true(t->left.constant == 1 && t->right.constant == 10);
    assert_true(t->left.terms[0].weight == 1 && t->left.terms[1].weight == -2);
    assert_int_equal(t->left.terms[1].statistic, SP_CLAIM_BEST);
    const sp_claim_term *first = &t->left.terms[0];
    assert_string_equal(first->score, "test.all.bleu");
    assert_int_equal(first->filter_count, 2);
    assert_string_equal(first->filters[1].setting, "method.length");
    assert_int_equal(first->filters[1].values.len, 3);
    assert_string_equal(first->filters[1].values.data[2], "20");
    assert_true(t->right.terms[0].weight == 3);
    assert_int_equal(t->right.terms[0].statistic, SP_CLAIM_SPREAD);
    sp_spec_free(&spec);
}

static void numbers_of_a_run_are_scores_without_a_group(void **state) {
    (void)state;
    static const char *const names[] = {"trainable_parameters", "train_seconds", "pscp",
                                        "class_words"};
    for (int i = 0; i < 4; i++) {
        char *test = sp_format("mean(%s | entry=prefix) > best(%s)", names[i], names[i]);
        char *vote = sp_format("vote(%s) > 1", names[i]);
        sp_spec spec = read_test(test);
        assert_string_equal(spec.claims[0].test.left.terms[0].score, names[i]);
        assert_true(sp_claim_score_is_attribute(names[i]));
        sp_spec_free(&spec);
        refuse(vote, "a vote has no ");
        free(test), free(vote);
    }
    refuse("mean(psc) > 1", "train_seconds, pscp or class_words");
}

static void a_minus_before_parentheses_turns_all_signs_in_them(void **state) {
    (void)state;
    sp_spec spec = read_test("-(mean(test.all.bleu) - 2*(mean(test.all.ter) + 1)) < 0");
    const sp_claim_expr *left = &spec.claims[0].test.left;
    assert_int_equal(spec.claims[0].test.form, SP_CLAIM_LESS);
    assert_true(left->terms[0].weight == -1 && left->terms[1].weight == 2 && left->constant == 2);
    sp_spec_free(&spec);
}

static void a_curve_has_an_expression_and_a_setting(void **state) {
    (void)state;
    static const char *const names[] = {"rises", "falls", "rises-then-falls", "rises-then-flat",
                                        "shrinks"};
    for (int i = 0; i < 5; i++) {
        char *test = sp_format("%s(mean(test.all.bleu | method=prefix) over model)", names[i]);
        sp_spec spec = read_test(test);
        assert_int_equal(spec.claims[0].test.form, SP_CLAIM_RISES + i);
        assert_string_equal(spec.claims[0].test.over, "model");
        assert_string_equal(spec.claims[0].test.left.terms[0].filters[0].setting, "method.name");
        sp_spec_free(&spec);
        free(test);
    }
}

static void a_wrong_test_is_refused_with_file_line_and_place(void **state) {
    (void)state;
    refuse("mean(test.all.bleu)", "at its end: expected >, >=, < or <=");
    refuse("mean(test.all.bleu) > ", "at its end: expected mean(...)");
    refuse("maen(test.all.bleu) > 1", "character 1, at 'maen(test.all.ble...': use mean");
    refuse("maen(test.all.bleu) > 1", "did you mean 'mean'?");
    refuse("mean(test.all.blue) > 1", "unknown metric 'blue'; did you mean 'bleu'?");
    refuse("mean(test.most.bleu) > 1", "character 6");
    refuse("mean(loss) > 1", "no such score");
    refuse("mean(test.bleu) > 1", "no such score");
    refuse("mean(dev.best.chrf) > 1", "no series 'chrf' on dev");
    refuse("vote(dev.best.bleu) > 1", "only test answers are kept to vote with");
    refuse("mean(test.all.bleu | method.lenght=1) > 1", "did you mean 'method.length'?");
    refuse("mean(test.all.bleu | entry=prefx) > 1",
           "no entry of that name; did you mean 'prefix'?");
    refuse("mean(test.all.bleu | method=soft) > 1", "there is no method of that name");
    refuse("mean(test.all.bleu | entry=) > 1", "expected a value");
    refuse("mean(test.all.bleu | entry=\"a) > 1", "the quote does not end");
    refuse("mean(test.all.bleu entry=prefix) > 1", "expected ')' after the score and its filters");
    refuse("mean(test.all.bleu) > 1 1", "the test should end here");
    refuse("mean(test.all.bleu) > 1e999", "too large");
    refuse("mean(test.all.bleu) > 2e", "exponent");
    refuse("1 > 2", "nothing here depends on a run");
    refuse("rises(mean(test.all.bleu) over)", "at ')': expected a setting");
    refuse("rises(mean(test.all.bleu), model)", "expected 'over' and a setting");
    refuse("((((((((((((((((((mean(test.all.bleu)))))))))))))))))))) > 1", "parentheses");
}

static void a_claim_has_an_id_of_its_own_and_a_test_or_a_reason(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"{id: a, text: b}", "no test and no not_testable"},
        {"{id: a, text: b, test: '1 < mean(test.all.bleu)', not_testable: c}",
         "use one of the two"},
        {"{id: A, text: b, not_testable: c}", "id is 'A'"},
        {"{id: a, text: b, not_testable: ''}", "not_testable is empty"},
        {"{id: a, text: b, not_testable: c}\n  - {id: a, text: b, not_testable: c}", "two claims"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sp_spec spec;
        char *text = sp_format(HEAD "claims:\n  - %s\n", wrong[i][0]);
        assert_int_equal(study_read(text, NULL, NULL, &spec), SP_ERR_SPEC);
        if (!strstr(sp_error(), wrong[i][1])) fail_msg("'%s': %s", wrong[i][1], sp_error());
        free(text);
    }
    sp_spec spec;
    if (read_claim("paper: '1.5', source: s, not_testable: too large", &spec))
        fail_msg("%s", sp_error());
    assert_string_equal(spec.claims[0].not_testable, "too large");
    assert_string_equal(spec.claims[0].paper, "1.5");
    sp_spec_free(&spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relation_has_two_sides_of_weighted_atoms),
        cmocka_unit_test(numbers_of_a_run_are_scores_without_a_group),
        cmocka_unit_test(a_minus_before_parentheses_turns_all_signs_in_them),
        cmocka_unit_test(a_curve_has_an_expression_and_a_setting),
        cmocka_unit_test(a_wrong_test_is_refused_with_file_line_and_place),
        cmocka_unit_test(a_claim_has_an_id_of_its_own_and_a_test_or_a_reason),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
