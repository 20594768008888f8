#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/runlog.h"
#include "experiment/study_fixture.h"

#include <math.h>

static sp_runlog make_log(void) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "method", "prefix");
    sp_runlog_text(&log, "status", "running");
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_integer(&log, "seed", 3);
    sp_runlog_number(&log, "wall_seconds", 1.5);
    sp_runlog_train(&log, 1, 2.5, 1e-3, 0.7, 100, 0.1);
    sp_runlog_train(&log, 2, 2.25, 2e-3, 0.6, 200, 0.2);
    sp_runlog_dev(&log, 1, "loss", 3);
    sp_runlog_dev(&log, 2, "loss", 2);
    sp_runlog_dev(&log, 2, "bleu", 48);
    sp_runlog_test(&log, NULL, "bleu", 40);
    sp_runlog_test(&log, NULL, "bleu", 41);
    sp_runlog_test(&log, "seen", "bleu", 50);
    sp_runlog_test(&log, "other", "bleu", 30);
    sp_runlog_prediction(&log, "in", "caf\xc3\xa9", "a\nb");
    sp_runlog_transfer(&log, "other", "there", "said", "right");
    sp_runlog_transfer(&log, "third", "x", "y", "z");
    return log;
}

/* A log comes back from its file: attributes, series and scores. */
static void test_round_trip(void **state) {
    (void)state;
    char *path = sp_path_join(study_folder, "runs/x.h5");
    sp_runlog log = make_log(), back;
    assert_int_equal(sp_runlog_write(&log, path), SP_OK);
    assert_int_equal(sp_runlog_read(path, &back), SP_OK);
    assert_string_equal(sp_runlog_get_text(&back, "status"), "finished");
    assert_true(sp_runlog_get_number(&back, "seed") == 3);
    assert_true(sp_runlog_get_number(&back, "wall_seconds") == 1.5);
    assert_null(sp_runlog_get_text(&back, "error"));
    assert_int_equal(back.train[SP_COLUMN_LOSS].len, 2);
    assert_true(back.train[SP_COLUMN_LOSS].data[1] == 2.25);
    assert_true(back.train[SP_COLUMN_STEP].data[1] == 2);
    assert_true(isnan(sp_runlog_get_dev(&back, "bleu")->data[0]));
    assert_true(sp_runlog_get_dev(&back, "bleu")->data[1] == 48);
    assert_null(sp_runlog_get_dev(&back, "chrf"));
    assert_true(sp_runlog_get_test(&back, NULL, "bleu") == 41);
    assert_true(sp_runlog_get_test(&back, "seen", "bleu") == 50);
    assert_true(isnan(sp_runlog_get_test(&back, "unseen", "bleu")));
    assert_true(sp_runlog_get_test(&back, "other", "bleu") == 30);
    assert_true(isnan(sp_runlog_get_test(&back, "other", "predictions")));
    sp_runlog_free(&log);
    sp_runlog_free(&back);
    free(path);
}

/* The file has the names that people outside rely on. */
static void test_fixed_names(void **state) {
    (void)state;
    static const char *const paths[] = {"/train/step",
                                        "/train/loss",
                                        "/train/learning_rate",
                                        "/train/gradient_norm",
                                        "/train/tokens",
                                        "/train/seconds",
                                        "/dev/step",
                                        "/dev/bleu",
                                        "/test/bleu",
                                        "/test/seen/bleu",
                                        "/test/predictions/input",
                                        "/test/predictions/hypothesis",
                                        "/test/predictions/reference",
                                        "/test/other/bleu",
                                        "/test/other/predictions/input",
                                        "/test/other/predictions/hypothesis",
                                        "/test/third/predictions/reference"};
    char *path = sp_path_join(study_folder, "x.h5"), *schema;
    sp_runlog log = make_log();
    sp_h5 *f;
    assert_int_equal(sp_runlog_write(&log, path), SP_OK);
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!sp_h5_exists(f, paths[i])) fail_msg("%s is missing", paths[i]);
    assert_int_equal(sp_h5_get_text(f, "/", "schema", &schema), SP_OK);
    assert_string_equal(schema, "softprompt-run/1");
    free(schema);
    sp_h5_close(f);
    sp_runlog_free(&log);
    free(path);
}

/* A checkpoint carries the series: saved and loaded, the log goes on as if never interrupted. */
static void test_series_in_checkpoint(void **state) {
    (void)state;
    char *path = sp_path_join(study_folder, "ckpt.h5");
    sp_runlog log = make_log(), back = {0};
    sp_h5 *f;
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_runlog_save_series(&log, f, "/log"), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
    sp_runlog_dev(&back, 9, "chrf", 1); /* must be forgotten */
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_runlog_load_series(&back, f, "/log"), SP_OK);
    sp_h5_close(f);
    assert_int_equal(back.train[0].len, 2);
    assert_null(sp_runlog_get_dev(&back, "chrf"));
    sp_runlog_dev(&back, 3, "bleu", 49);
    assert_int_equal(sp_runlog_get_dev(&back, "bleu")->len, 3);
    assert_true(isnan(sp_runlog_get_dev(&back, "loss")->data[2]));
    sp_runlog_free(&log);
    sp_runlog_free(&back);
    free(path);
}

/* An HDF5 file of someone else is refused. */
static void test_foreign_file(void **state) {
    (void)state;
    char *path = sp_path_join(study_folder, "foreign.h5");
    sp_h5 *f;
    sp_runlog log;
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
    assert_int_equal(sp_runlog_read(path, &log), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "is not a run log"));
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_fixed_names),
        cmocka_unit_test(test_series_in_checkpoint), cmocka_unit_test(test_foreign_file)};
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
