#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/report.h"
#include "report/table.h"

#include <math.h>

#define SPEC                                                                                       \
    "name: demo\ntitle: A | demo\nbase: {model: m, dataset: d}\n"                                  \
    "methods: {fine-tune: {}, prefix: {}, prompt: {}, none: {}}\nseeds: [1, 2]\n"                  \
    "report:\n"                                                                                    \
    "  table: {metrics: [bleu], groups: [seen, all]}\n"                                            \
    "  figures:\n"                                                                                 \
    "    - {kind: learning-curve, y: dev.bleu}\n"                                                  \
    "    - {name: rate, kind: learning-curve, y: train.learning_rate}\n"                           \
    "    - {kind: scatter, y: test.all.bleu}\n"                                                    \
    "    - {name: by-length, kind: line, x: method.length, y: test.seen.bleu, logx: true}\n"       \
    "paper:\n  - {title: P 2021, note: BLEU of 1, columns: [BLEU], rows: {prefix: [62.9], "        \
    "adapter: ['']}}\n"

static sp_spec spec;
static sp_run_list runs;

static void write_log(const sp_run_spec *run, double bleu, long trainable, long kept) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_text(&log, "language_model", trainable == 4000000 ? "tuned" : "frozen");
    sp_runlog_integer(&log, "trainable_parameters", trainable);
    sp_runlog_integer(&log, "kept_parameters", kept);
    sp_runlog_integer(&log, "total_parameters", 4000000);
    for (int step = 1; step <= 20; step++)
        sp_runlog_train(&log, step, 3, 1e-3 * step, 1, 100 * step, step);
    sp_runlog_dev(&log, 10, "bleu", bleu - 5);
    sp_runlog_dev(&log, 20, "bleu", bleu);
    sp_runlog_test(&log, NULL, "bleu", bleu);
    sp_runlog_test(&log, "seen", "bleu", bleu + 3);
    study_write_log(run, &log);
}

/* A finished run that said SAYING to each of `count` records. */
static void write_saying(const sp_run_spec *run, const char *saying, int count) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_text(&log, "output", "text");
    sp_runlog_test(&log, NULL, "bleu", 1);
    for (int i = 0; i < count; i++) {
        char *input = sp_format("record %d", i), *said = sp_format("%s of %d", saying, i);
        sp_runlog_prediction(&log, input, said, "one\ntwo");
        free(input), free(said);
    }
    study_write_log(run, &log);
}

/* Fine-tuning and prefix have two runs, prompt one and a failed one, the untuned model none. */
static int setup(void **state) {
    study_setup(state);
    assert_int_equal(study_read(SPEC, NULL, NULL, &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    write_log(&runs.items[0], 60, 4000000, 4000000);
    write_log(&runs.items[1], 62, 4000000, 4000000);
    write_log(&runs.items[2], 40, 61440, 7680);
    write_log(&runs.items[3], 44, 61440, 7680);
    write_log(&runs.items[4], 20, 1920, 1920);
    study_write_failed(&runs.items[5]);
    return 0;
}

static int teardown(void **state) {
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
    return study_teardown(state);
}

/* Mean and sample standard deviation, with n - 1. */
static void test_summary(void **state) {
    (void)state;
    const double values[4] = {2, 4, 4, 6};
    sp_summary s = sp_summarise(values, 4);
    assert_true(s.mean == 4 && fabs(s.deviation - sqrt(8.0 / 3)) < 1e-12 && s.n == 4);
    s = sp_summarise(values, 1);
    assert_true(s.mean == 2 && s.deviation == 0);
    assert_true(isnan(sp_summarise(values, 0).mean));
}

/* The table aggregates over seeds, marks the best, and names what failed or is missing. */
static void test_markdown(void **state) {
    (void)state;
    sp_buf md = {0};
    if (sp_report_write(&spec, &runs, study_folder, &md, NULL)) fail_msg("%s", sp_error());
    static const char *const expected[] = {
        "Model m; data set d. Mean",
        "| Fine-tuning | tuned | 4,000,000 | 100% | 4,000,000 | **64.0 \xc2\xb1 1.4** | **61.0 "
        "\xc2\xb1 "
        "1.4** | 2 |\n",
        "| Prefix-tuning | frozen | 61,440 | 1.54% | 7,680 | 45.0 \xc2\xb1 2.8 | 42.0 \xc2\xb1 2.8 "
        "| 2 |\n",
        "| Prompt tuning | frozen | 1,920 | 0.048% | 1,920 | 23.0 | 20.0 | 1 of 2 |\n",
        "- Prompt tuning seed 2 failed: the loss is NaN\n",
        "seed 1 is not finished yet\n",
        "## Published: P 2021\n\nBLEU of 1\n\n| Published | BLEU |\n",
        "| Prefix-tuning | 62.9 |\n| adapter | - |\n"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(md.data, expected[i])) fail_msg("'%s' is not in:\n%s", expected[i], md.data);
    sp_buf_free(&md);
}

static size_t count_of(const char *text, const char *part) {
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++) n++;
    return n;
}

/* What a model leaves out is a list of its own in the table's notes, once. */
static void test_left_out(void **state) {
    (void)state;
    sp_spec other;
    sp_run_list list;
    sp_buf md = {0};
    const char *text = "name: left\nbase: {model: gpt2-4m, dataset: d}\nmethods: {prefix: {}, "
                       "bitfit: {}}\nmodels: {gpt2-4m: {leave_out: {bitfit: has none}}}\n"
                       "report: {table: {metrics: [bleu]}}\n";
    if (study_read(text, NULL, NULL, &other)) fail_msg("%s", sp_error());
    assert_int_equal(sp_expand(&other, study_identify, NULL, &list), SP_OK);
    if (sp_report_write(&other, &list, study_folder, &md, NULL)) fail_msg("%s", sp_error());
    assert_non_null(strstr(md.data, "is not finished yet\n\n- BitFit is left out with gpt2-4m: has "
                                    "none\n"));
    assert_int_equal(count_of(md.data, "BitFit"), 1);
    sp_buf_free(&md);
    sp_run_list_free(&list);
    sp_spec_free(&other);
}

static void expect_in_file(const char *name, const char *part) {
    char *path = sp_path_join(study_folder, name);
    sp_buf text = {0};
    assert_int_equal(sp_read_file(path, &text), SP_OK);
    if (!strstr(text.data, part)) fail_msg("'%s' is not in %s:\n%s", part, name, text.data);
    sp_buf_free(&text);
    free(path);
}

/* Ten records, evenly spaced, are shown with the text of each row's first finished run; a row that
 * has not seen a record has an empty text. Without generated texts there is no such file. */
static void test_examples(void **state) {
    (void)state;
    char *path = sp_path_join(study_folder, "examples.txt");
    assert_int_equal(sp_report_write(&spec, &runs, study_folder, NULL, NULL), SP_OK);
    assert_false(sp_file_exists(path));
    write_saying(&runs.items[6], "Nothing\x1b[1m", 40);
    write_saying(&runs.items[2], "Prefix", 9);
    assert_int_equal(sp_report_write(&spec, &runs, study_folder, NULL, NULL), SP_OK);
    sp_buf text = {0};
    assert_int_equal(sp_read_file(path, &text), SP_OK);
    assert_int_equal(count_of(text.data, "Prefix-tuning  Prefix of "), 9);
    assert_int_equal(count_of(text.data, "Nothing?[1m of "), 9);
    assert_non_null(strstr(text.data, "\n9\n"));
    assert_null(strstr(text.data, "\n10\n"));
    assert_non_null(strstr(text.data, "one\n"));
    sp_buf_clear(&text);
    write_saying(&runs.items[2], "Prefix", 40);
    write_saying(&runs.items[6], "Nothing", 2);
    assert_int_equal(sp_report_write(&spec, &runs, study_folder, NULL, NULL), SP_OK);
    assert_int_equal(sp_read_file(path, &text), SP_OK);
    assert_int_equal(count_of(text.data, "Prefix of "), 10);
    assert_int_equal(count_of(text.data, "Prefix of 36\n"), 1);
    assert_int_equal(count_of(text.data, "Nothing of "), 1);
    sp_buf_free(&text);
    free(path);
    write_log(&runs.items[2], 40, 61440, 7680);
    char *none = sp_run_path(&runs.items[6], study_folder);
    unlink(none);
    free(none);
}

/* CSV has full numbers and empty fields; TeX escapes and can be \input. */
static void test_csv_and_tex(void **state) {
    (void)state;
    assert_int_equal(sp_report_write(&spec, &runs, study_folder, NULL, NULL), SP_OK);
    expect_in_file("table.csv", "bleu_seen_mean,bleu_seen_sd,bleu_all_mean,bleu_all_sd\n");
    expect_in_file("table.csv",
                   "prefix,prefix,,2,2,0,frozen,61440,1.536,7680,45,2.828427125,42,2.828427125\n");
    expect_in_file("table.csv", "none,none,,2,0,0,,,,,,,,\n");
    expect_in_file(
        "table.tex",
        "Fine-tuning & tuned & 4,000,000 & 100\\% & 4,000,000 & \\textbf{64.0 $\\pm$ 1.4}");
    expect_in_file("table.tex", "\n% Published: P 2021\n% BLEU of 1\n\\begin{tabular}");
}

/* Every figure comes as data, svg, png and pdf, and none is left half-written. */
static void test_figures(void **state) {
    (void)state;
    static const char *const names[] = {"learning-curve", "rate", "scatter", "by-length"};
    static const char *const formats[] = {"dat", "svg", "png", "pdf"};
    if (system("gnuplot --version > /dev/null 2>&1")) skip();
    size_t drawn = 0;
    assert_int_equal(sp_report_write(&spec, &runs, study_folder, NULL, &drawn), SP_OK);
    assert_int_equal(drawn, 4);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            char *path = sp_format("%s/figures/%s.%s", study_folder, names[i], formats[j]);
            struct stat info;
            if (stat(path, &info) || info.st_size < 20) fail_msg("%s was not drawn", path);
            free(path);
        }
    /* The command beside a figure draws it again from its data alone. */
    char *again = sp_format("mkdir %s/again && cd %s/again && cp ../figures/scatter.dat "
                            "../figures/scatter.gp . && gnuplot scatter.gp && "
                            "gnuplot -e \"format='png'\" scatter.gp && "
                            "cmp scatter.svg ../figures/scatter.svg && "
                            "cmp scatter.png ../figures/scatter.png",
                            study_folder, study_folder);
    assert_int_equal(system(again), 0);
    free(again);
    expect_in_file("figures/learning-curve.dat",
                   "\"Prefix-tuning\"\n10 37 34.17157288 39.82842712\n");
    expect_in_file("figures/rate.dat", "\n20 0.02 0.02 0.02\n");
    expect_in_file("figures/rate.svg", "learning rate in training");
    expect_in_file("figures/scatter.svg", "rgb(  0, 114, 178)"); /* prefix: #0072B2 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),     cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_left_out),    cmocka_unit_test(test_examples),
        cmocka_unit_test(test_csv_and_tex), cmocka_unit_test(test_figures)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
