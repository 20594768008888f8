#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/compare.h"
#include "report/plot.h"

#include <math.h>

enum { EXAMPLES = 400 };

/* Run `name` answers example i as `right` says; the k-th bit of i decides where k is given. */
typedef bool is_right(int i);

static bool two_of_three(int i) {
    return i % 3 != 0;
}

static bool every_other(int i) {
    return i % 2 == 0;
}

static char *path_of(const char *name) {
    return sp_format("%s/%s.h5", study_folder, name);
}

static void write_run(const char *name, is_right *right, int count, const char *input,
                      const char *status) {
    sp_runlog log = {0};
    int hits = 0;
    sp_runlog_text(&log, "status", status);
    sp_runlog_text(&log, "label", "Prompt tuning");
    sp_runlog_text(&log, "experiment", "demo");
    char *spec = sp_format("method:\n  name: prompt\n  length: %zu\nseed: 1\n", strlen(name));
    sp_runlog_text(&log, "spec", spec);
    free(spec);
    for (int i = 0; i < count; i++) {
        char *record = sp_format("%s %d", input, i);
        sp_runlog_prediction(&log, record, right(i) ? "yes" : "no", "yes");
        hits += right(i);
        free(record);
    }
    for (int step = 1; step < 5; step++) sp_runlog_train(&log, step, 4.0 / step, 1, 1, step, step);
    sp_runlog_test(&log, NULL, "accuracy", count ? 100.0 * hits / count : 0);
    char *path = path_of(name);
    if (sp_runlog_write(&log, path)) fail_msg("%s", sp_error());
    free(path);
    sp_runlog_free(&log);
}

static int setup(void **state) {
    study_setup(state);
    write_run("a", two_of_three, EXAMPLES, "record", "finished");
    write_run("bb", every_other, EXAMPLES, "record", "finished");
    write_run("ccc", two_of_three, EXAMPLES, "record", "finished");
    write_run("fewer", two_of_three, 10, "record", "finished");
    write_run("other", two_of_three, EXAMPLES, "sentence", "finished");
    write_run("failed", two_of_three, EXAMPLES, "record", "failed");
    write_run("none", two_of_three, 0, "record", "finished");
    return 0;
}

static sp_status compare(const char *a, const char *b, const char *c, const char *metric,
                         sp_comparison *out) {
    const char *const names[] = {a, b, c};
    char *paths[3] = {0};
    size_t count = c ? 3 : 2;
    for (size_t i = 0; i < count; i++) paths[i] = path_of(names[i]);
    sp_status st = sp_compare((const char *const *)paths, count, metric, out);
    for (size_t i = 0; i < count; i++) free(paths[i]);
    return st;
}

/* The standard error of a mean of paired differences, by the textbook. */
static double standard_error(void) {
    double sum = 0, squares = 0;
    for (int i = 0; i < EXAMPLES; i++) {
        double d = 100.0 * (two_of_three(i) - every_other(i));
        sum += d, squares += d * d;
    }
    double mean = sum / EXAMPLES;
    return sqrt((squares / EXAMPLES - mean * mean) / EXAMPLES);
}

static void pairs_have_difference_interval_and_p(void **state) {
    (void)state;
    sp_comparison c;
    if (compare("a", "bb", "ccc", NULL, &c)) fail_msg("%s", sp_error());
    assert_int_equal(c.pair_count, 3);
    assert_int_equal(c.examples, EXAMPLES);
    assert_string_equal(c.metric->name, "accuracy");
    const sp_compared_pair *ab = &c.pairs[0], *ac = &c.pairs[1];
    assert_true(fabs(ab->difference - (66.5 - 50)) < 1e-9);
    double half = 1.96 * standard_error();
    assert_true(fabs((ab->high - ab->low) / 2 / half - 1) < 0.1);
    assert_true(fabs((ab->high + ab->low) / 2 - ab->difference) < 0.15 * half);
    assert_true(ab->p < 0.01 && ab->adjusted >= 2 * ab->p - 1e-12);
    assert_true(ac->difference == 0 && ac->low == 0 && ac->high == 0 && ac->p == 1);
    sp_comparison_free(&c);
}

static void same_files_give_the_same_numbers(void **state) {
    (void)state;
    sp_comparison c, again;
    assert_int_equal(compare("a", "bb", NULL, NULL, &c), SP_OK);
    assert_int_equal(compare("a", "bb", NULL, "accuracy", &again), SP_OK);
    assert_true(c.pairs[0].low == again.pairs[0].low && c.pairs[0].p == again.pairs[0].p);
    sp_comparison_free(&c), sp_comparison_free(&again);
}

static void expect_in(const sp_sheet *sheet, const char *part) {
    sp_buf text = {0};
    sp_sheet_markdown(sheet, &text);
    if (!strstr(text.data, part)) fail_msg("'%s' is not in:\n%s", part, text.data);
    sp_buf_free(&text);
}

static void sheets_name_what_differs(void **state) {
    (void)state;
    sp_comparison c;
    sp_sheet sides, tests;
    assert_int_equal(compare("a", "bb", NULL, NULL, &c), SP_OK);
    sp_comparison_sheet(&c, &sides);
    sp_comparison_tests(&c, &tests);
    expect_in(&sides, "|  | Prompt tuning length 1 | Prompt tuning length 2 |\n");
    expect_in(&sides, "| method.length | 1 | 2 |\n");
    expect_in(&sides, "| Accuracy | **66.5** | 50.0 |\n");
    expect_in(&tests, "| Prompt tuning length 1 | Prompt tuning length 2 | 16.5 | ");
    expect_in(&tests, "400 test examples");
    sp_sheet_free(&sides), sp_sheet_free(&tests);
    sp_comparison_free(&c);
}

static void refuse(const char *a, const char *b, const char *metric, sp_status kind,
                   const char *part) {
    sp_comparison c;
    assert_int_equal(compare(a, b, NULL, metric, &c), kind);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    sp_comparison_free(&c);
}

static void runs_that_cannot_be_compared_are_refused(void **state) {
    (void)state;
    refuse("a", "fewer", NULL, SP_ERR_DATA, "different examples, 400 and 10 of them");
    refuse("a", "other", NULL, SP_ERR_DATA, "different examples (the 1-th is another)");
    refuse("a", "failed", NULL, SP_ERR_DATA, "its status is failed");
    refuse("none", "none", NULL, SP_ERR_DATA, "has no test predictions");
    refuse("a", "missing", NULL, SP_ERR_MISSING, "missing.h5");
    refuse("a", "bb", "bleu", SP_ERR_USAGE, "bleu: not a metric that all");
    refuse("a", "bb", "nonsense", SP_ERR_USAGE, "nonsense: not a metric");
}

static void curves_are_drawn_to_any_file(void **state) {
    (void)state;
    sp_comparison c;
    bool drawn;
    assert_int_equal(compare("a", "bb", NULL, NULL, &c), SP_OK);
    const sp_curve curves[] = {{"one", &c.runs[0].log}, {"two", &c.runs[1].log}};
    assert_int_equal(sp_plot_curves(curves, 2, NULL, "x.gif", &drawn), SP_ERR_USAGE);
    assert_int_equal(sp_plot_curves(curves, 2, NULL, ".svgz", &drawn), SP_ERR_USAGE);
    if (system("gnuplot --version > /dev/null 2>&1") == 0) {
        char *path = sp_path_join(study_folder, "curves.svg");
        assert_int_equal(sp_plot_curves(curves, 2, "accuracy", path, &drawn), SP_OK);
        assert_true(drawn && sp_file_exists(path));
        free(path);
    }
    sp_comparison_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pairs_have_difference_interval_and_p),
                                       cmocka_unit_test(same_files_give_the_same_numbers),
                                       cmocka_unit_test(sheets_name_what_differs),
                                       cmocka_unit_test(runs_that_cannot_be_compared_are_refused),
                                       cmocka_unit_test(curves_are_drawn_to_any_file)};
    return cmocka_run_group_tests(tests, setup, study_teardown);
}
