#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/drawing.h"
#include "report/report.h"

#include <math.h>

typedef struct numbers {
    double score, dev, total;
} numbers;

/* What a test puts into the log of a run. */
typedef numbers number_source(const sp_run_spec *run);

static sp_spec spec;
static sp_run_list runs;
static sp_results results;

static void write_log(const sp_run_spec *run, numbers n) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_integer(&log, "best_step", 10);
    sp_runlog_number(&log, "total_parameters", n.total);
    sp_runlog_number(&log, "trainable_parameters", 100);
    sp_runlog_train(&log, 1, 2, 1e-3, 1, 10, 1);
    sp_runlog_dev(&log, 10, "bleu", n.dev);
    sp_runlog_dev(&log, 10, "loss", 100 - n.dev);
    sp_runlog_dev(&log, 20, "bleu", 99);
    sp_runlog_dev(&log, 20, "loss", 0);
    sp_runlog_test(&log, NULL, "bleu", n.score);
    sp_runlog_test(&log, NULL, "ter", n.score);
    study_write_log(run, &log);
}

static void open_study(const char *text, number_source *source) {
    if (study_read(text, NULL, NULL, &spec)) fail_msg("%s", sp_error());
    if (sp_expand(&spec, study_identify, NULL, &runs)) fail_msg("%s", sp_error());
    for (size_t i = 0; i < runs.count; i++) write_log(&runs.items[i], source(&runs.items[i]));
    if (sp_results_load(&spec, &runs, study_folder, &results)) fail_msg("%s", sp_error());
}

static void close_study(void) {
    sp_results_free(&results);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
}

#define HEAD "name: x\nbase: {model: m, dataset: d}\n"

static double size_of(const sp_run_spec *run) {
    return run->model[0] == 'a' ? 1.1e6 : 1.25e7;
}

static numbers by_length_and_seed(const sp_run_spec *run) {
    double q = 10 * run->method_options.length + run->seed;
    return (numbers){q, q / 2, size_of(run)};
}

/* A line over the model stands at the parameters that the logs have, with their size as tick; a
 * setting makes series, and the filter leaves runs out. */
static void test_series_over_models(void **state) {
    (void)state;
    open_study(HEAD "methods: {prompt: {}}\nseeds: [1, 3]\n"
                    "grid: {model: [a, b], method.length: [1, 2, 5]}\n"
                    "report: {figure: {kind: line, x: model, y: test.all.bleu,\n"
                    "  series: method.length, where: {method.length: [1, 5]}}}\n",
               by_length_and_seed);
    sp_drawing d;
    sp_drawing_make(&results, &spec.figures[0], &d);
    assert_int_equal(d.line_count, 2);
    assert_string_equal(d.lines[0].label, "length 1");
    assert_string_equal(d.lines[1].label, "length 5");
    assert_string_not_equal(d.lines[0].look.color, d.lines[1].look.color);
    assert_int_equal(d.lines[0].count, 2);
    assert_true(d.lines[0].points[0].x == 1.1e6 && d.lines[0].points[1].x == 1.25e7);
    assert_true(d.lines[0].points[0].mean == 12);
    assert_true(fabs(d.lines[0].points[0].deviation - sqrt(2)) < 1e-12);
    assert_int_equal(d.tick_count, 2);
    assert_string_equal(d.ticks[0].text, "1.1M");
    assert_true(spec.figures[0].logx);
    sp_drawing_free(&d);
    close_study();
}

/* Bars stand in groups by the values of a setting, or by entry. */
static void test_bars(void **state) {
    (void)state;
    open_study(HEAD "methods: {prefix: {}, other: {method: prefix, label: Other}}\n"
                    "grid: {method.length: [1, 20]}\n"
                    "report: {figures: [{kind: bar, x: method.length, y: test.all.bleu},\n"
                    "  {name: by-entry, kind: bar, x: entry, y: dev.best.bleu,\n"
                    "   where: {method.length: 20}}]}\n",
               by_length_and_seed);
    sp_drawing d;
    sp_drawing_make(&results, &spec.figures[0], &d);
    assert_int_equal(d.line_count, 2);
    assert_int_equal(d.tick_count, 2);
    assert_string_equal(d.ticks[1].text, "20");
    assert_true(d.lines[1].points[1].x == 1 && d.lines[1].points[1].mean == 201);
    sp_drawing_free(&d);
    sp_drawing_make(&results, &spec.figures[1], &d);
    assert_int_equal(d.line_count, 1);
    assert_int_equal(d.lines[0].count, 2);
    assert_string_equal(d.ticks[1].text, "Other");
    assert_true(d.lines[0].points[0].mean == 100.5); /* of the best step, not the last */
    sp_drawing_free(&d);
    close_study();
}

/* Methods have one order and one look in all figures; a second entry of a method differs in dash
 * and point only. */
static void test_looks(void **state) {
    (void)state;
    open_study(HEAD "methods: {prompt: {}, flat: {method: prefix, label: Flat}, prefix: {},\n"
                    "  fine-tune: {}}\n"
                    "report: {figures: [{kind: scatter, y: test.all.bleu},\n"
                    "  {kind: learning-curve, y: dev.bleu, where: {entry: [prompt, prefix]}}]}\n",
               by_length_and_seed);
    sp_drawing d, curve;
    sp_drawing_make(&results, &spec.figures[0], &d);
    sp_drawing_make(&results, &spec.figures[1], &curve);
    static const char *const order[] = {"Fine-tuning", "Flat", "Prefix-tuning", "Prompt tuning"};
    assert_int_equal(d.line_count, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(d.lines[i].label, order[i]);
    assert_string_equal(d.lines[1].look.color, d.lines[2].look.color);
    assert_int_not_equal(d.lines[1].look.dash, d.lines[2].look.dash);
    assert_int_not_equal(d.lines[1].look.point, d.lines[2].look.point);
    assert_int_equal(curve.line_count, 2);
    assert_string_equal(curve.lines[0].label, "Prefix-tuning");
    assert_string_equal(curve.lines[0].look.color, d.lines[2].look.color);
    assert_int_equal(curve.lines[0].look.dash, d.lines[2].look.dash);
    for (const sp_method *const *a = sp_methods(); *a; a++)
        for (const sp_method *const *b = sp_methods(); b != a; b++)
            assert_string_not_equal(sp_look_of_method((*a)->name, 0).color,
                                    sp_look_of_method((*b)->name, 0).color);
    sp_drawing_free(&curve);
    sp_drawing_free(&d);
    close_study();
}

static numbers broken(const sp_run_spec *run) {
    numbers n = by_length_and_seed(run);
    if (run->seed == 1) n.score = n.dev = NAN;
    if (run->method_options.length == 5) n.score = n.dev = INFINITY;
    return n;
}

#define SEARCH HEAD "methods: {prompt: {grid: {length: [1, 2, 5]}}, none: {}}\nseeds: [1, 2]\n"

/* NaN and infinity in a run file: left out of means, bold and figures; both are still written. */
static void test_nan(void **state) {
    (void)state;
    open_study(SEARCH "report: {table: {metrics: [bleu, ter]}, best: dev.bleu,\n"
                      "  figures: [{kind: bar, x: method.length, y: test.all.bleu},\n"
                      "   {kind: scatter, y: test.all.bleu},\n"
                      "   {kind: learning-curve, y: dev.bleu}]}\n",
               broken);
    sp_buf md = {0};
    sp_status st = sp_report_write(&spec, &runs, study_folder, &md, NULL);
    if (st && st != SP_ERR_MISSING) fail_msg("%s", sp_error());
    if (!strstr(md.data, "| **22.0** | 22.0 | 2 |\n")) fail_msg("%s", md.data);
    assert_non_null(strstr(md.data, "Prompt tuning length 5 "));
    assert_non_null(strstr(md.data, "| - | - | 2 |\n"));
    assert_null(strstr(md.data, "nan"));
    assert_null(strstr(md.data, "inf"));
    sp_buf_free(&md);
    sp_drawing d;
    for (int i = 0; i < 3; i++) {
        sp_drawing_make(&results, &spec.figures[i], &d);
        for (size_t j = 0; j < d.line_count; j++)
            for (size_t k = 0; k < d.lines[j].count; k++)
                assert_true(isfinite(d.lines[j].points[k].mean));
        sp_drawing_free(&d);
    }
    close_study();
}

static void expect_in(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

/* The search names each entry's best point with all that was tried; a report of a search alone has
 * no table, so that nobody looks at the test set. */
static void test_best(void **state) {
    (void)state;
    open_study(SEARCH "report: {best: dev.bleu}\n", by_length_and_seed);
    sp_buf md = {0};
    if (sp_report_write(&spec, &runs, study_folder, &md, NULL)) fail_msg("%s", sp_error());
    expect_in(md.data, "# x: the best on dev\n\n| Method | Best | BLEU on dev | Tried |\n");
    expect_in(md.data,
              "| Prompt tuning | length 5 | 25.8 \xc2\xb1 0.4 | length 1: 5.8 \xc2\xb1 0.4; "
              "length 2: 10.8 \xc2\xb1 0.4; length 5: 25.8 \xc2\xb1 0.4 |\n");
    expect_in(md.data, "| Untuned | as given | ");
    assert_null(strstr(md.data, "Trained parameters"));
    sp_buf_free(&md);
    char *path = sp_path_join(study_folder, "best.md");
    assert_true(sp_file_exists(path));
    free(path);
    char *fresh = sp_path_join(study_folder, "fresh");
    static const char *const names[] = {"best.md", "table.md", "figures"};
    assert_int_equal(sp_report_write(&spec, &runs, fresh, NULL, NULL), SP_OK);
    for (int i = 0; i < 3; i++) {
        path = sp_path_join(fresh, names[i]);
        assert_int_equal(access(path, F_OK) == 0, i == 0);
        free(path);
    }
    free(fresh);
    close_study();
    open_study(SEARCH "report: {best: dev.loss}\n", broken);
    if (sp_report_write(&spec, &runs, study_folder, &md, NULL)) fail_msg("%s", sp_error());
    expect_in(md.data, "| Prompt tuning | length 2 | 89.000 | ");
    expect_in(md.data, "length 1: 94.000 (1 of 2); length 2: 89.000 (1 of 2); length 5: - |\n");
    sp_buf_free(&md);
    close_study();
}

/* The caption names all models and data sets, and the lower TER is the bold one. */
static void test_table(void **state) {
    (void)state;
    open_study(HEAD "methods: {prompt: {}}\nsubsamples: [1, 2]\n"
                    "grid: {model: [a, b], dataset: [c, d], method.length: [1, 2], "
                    "data.limit: [9]}\n"
                    "report: {table: {columns: [all.ter, all.bleu]}}\n",
               by_length_and_seed);
    sp_buf md = {0};
    if (sp_report_write(&spec, &runs, study_folder, &md, NULL)) fail_msg("%s", sp_error());
    expect_in(md.data, "Models a, b; data sets c, d. Mean \xc2\xb1 sample standard deviation over "
                       "subsamples and seeds; best in bold.\n");
    expect_in(md.data, "| TER all (lower is better) | BLEU all | Runs |\n");
    expect_in(md.data, "**11.0 \xc2\xb1 0.0** | 11.0 \xc2\xb1 0.0 | 2 |\n");
    expect_in(md.data, "| 21.0 \xc2\xb1 0.0 | **21.0 \xc2\xb1 0.0** | 2 |\n");
    sp_buf_free(&md);
    close_study();
}

/* A report that names no metrics shows those the runs have. */
static void test_default_columns(void **state) {
    (void)state;
    open_study(HEAD "methods: {prompt: {}}\n", by_length_and_seed);
    assert_int_equal(results.score_count, 2);
    assert_string_equal(results.scores[0].metric->name, "bleu");
    close_study();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_series_over_models),
                                       cmocka_unit_test(test_bars),
                                       cmocka_unit_test(test_looks),
                                       cmocka_unit_test(test_nan),
                                       cmocka_unit_test(test_best),
                                       cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_default_columns)};
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
