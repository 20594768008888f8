#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/view.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

static sp_spec spec;
static sp_run_list runs;

static void fill_log(sp_runlog *log, int steps) {
    sp_runlog_text(log, "status", "finished");
    for (int step = 1; step <= steps; step++)
        sp_runlog_train(log, step, 5.0 / step, 1e-3, 1, step, step);
    sp_runlog_dev(log, 10, "loss", 2);
    sp_runlog_dev(log, 10, "bleu", 41.5);
}

static void write_finished(const sp_run_spec *run, int steps) {
    sp_runlog log = {0};
    fill_log(&log, steps);
    study_write_log(run, &log);
}

static void write_checkpoint(const sp_run_spec *run, int steps) {
    sp_runlog log = {0};
    fill_log(&log, steps);
    char *path = sp_run_checkpoint_path(run, study_folder);
    sp_h5 *file;
    sp_status st = sp_h5_create(path, &file);
    if (!st) st = sp_h5_set_int(file, "/checkpoint", "step", steps);
    if (!st) st = sp_h5_finish(file, sp_runlog_save_series(&log, file, "/checkpoint/log"));
    if (st) abort();
    free(path);
    sp_runlog_free(&log);
}

static int setup(void **state) {
    study_setup(state);
    assert_int_equal(study_read("name: demo\nbase: {model: m, dataset: d}\n"
                                "methods: {prefix: {}, prompt: {}}\nseeds: [1, 2]\n",
                                NULL, NULL, &spec),
                     SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    return 0;
}

static int teardown(void **state) {
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
    return study_teardown(state);
}

static void assert_sparkline(const double *values, size_t count, size_t width, const char *text) {
    sp_buf out = {0};
    sp_buf_puts(&out, "");
    sp_sparkline(values, count, width, &out);
    assert_string_equal(out.data, text);
    sp_buf_free(&out);
}

static void sparkline_goes_from_the_lowest_to_the_highest(void **state) {
    (void)state;
    const double rising[] = {0, 1, 2, 3, 4, 5, 6, 7}, flat[] = {2, 2}, gap[] = {0, NAN, 7};
    assert_sparkline(rising, 8, 8, "▁▂▃▄▅▆▇█");
    assert_sparkline(rising, 8, 2, "▁█");
    assert_sparkline(flat, 2, 8, "▁▁");
    assert_sparkline(gap, 3, 8, "▁█");
    assert_sparkline(NULL, 0, 8, "");
}

static void expect_in(const sp_buf *text, const char *part) {
    if (!strstr(text->data, part)) fail_msg("'%s' is not in:\n%s", part, text->data);
}

static void states_are_counted_and_failures_named(void **state) {
    (void)state;
    write_finished(&runs.items[0], 10);
    study_write_failed(&runs.items[1]);
    write_checkpoint(&runs.items[2], 10);
    sp_view view;
    sp_buf line = {0}, screen = {0}, narrow = {0};
    sp_view_start(&runs, study_folder, "demo", &view);
    sp_view_look(&view);
    assert_false(sp_view_is_over(&view));
    sp_view_line(&view, &line);
    expect_in(&line, "demo: 4 runs");
    expect_in(&line, "1 finished");
    expect_in(&line, "1 failed");
    expect_in(&line, "1 interrupted");
    expect_in(&line, "1 pending");
    sp_view_screen(&view, 0, 0, &screen);
    expect_in(&screen, "Prefix-tuning seed 2 failed: the loss is NaN\n");
    sp_view_screen(&view, 3, 10, &narrow);
    assert_true(narrow.len < 40);
    expect_in(&narrow, "demo: 4 ru\n");
    sp_buf_free(&line), sp_buf_free(&screen), sp_buf_free(&narrow);
    sp_view_free(&view);
}

static void a_study_is_over_when_all_runs_are(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) write_finished(&runs.items[i], 10);
    study_write_failed(&runs.items[3]);
    sp_view view;
    sp_view_start(&runs, study_folder, "demo", &view);
    sp_view_look(&view);
    assert_true(sp_view_is_over(&view));
    bool drawn;
    char *figure = sp_path_join(study_folder, "curves.svg");
    if (system("gnuplot --version > /dev/null 2>&1") == 0) {
        assert_int_equal(sp_view_draw(&view, figure, &drawn), SP_OK);
        assert_true(drawn && sp_file_exists(figure));
    }
    free(figure);
    sp_view_free(&view);
}

/* Replaces and removes the files of two runs as fast as it can. */
static void churn(void) {
    for (int i = 0;; i++) {
        write_checkpoint(&runs.items[0], 1 + i % 50);
        write_finished(&runs.items[1], 1 + i % 50);
        sp_run_progress p = sp_run_progress_start(getpid());
        snprintf(p.phase, sizeof p.phase, "training");
        p.step = i, p.steps = 1000, p.loss = 1;
        sp_run_progress_write(&p, &runs.items[0], study_folder);
        char *checkpoint = sp_run_checkpoint_path(&runs.items[0], study_folder);
        char *run = sp_run_path(&runs.items[1], study_folder);
        if (i % 2) unlink(checkpoint), unlink(run);
        if (i % 3) sp_run_progress_remove(&runs.items[0], study_folder);
        free(checkpoint), free(run);
    }
}

static void reading_while_files_are_replaced_never_fails(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        char *path = sp_run_path(&runs.items[i], study_folder);
        unlink(path);
        free(path);
    }
    pid_t writer = fork();
    if (writer == 0) churn();
    sp_buf text = {0};
    for (int round = 0; round < 40; round++) {
        sp_view view;
        sp_view_start(&runs, study_folder, "demo", &view);
        for (int i = 0; i < 5; i++) {
            sp_view_look(&view);
            for (size_t k = 0; k < runs.count; k++) assert_false(view.items[k].damaged);
            sp_buf_clear(&text);
            sp_view_screen(&view, 20, 80, &text);
            sp_view_line(&view, &text);
        }
        sp_view_free(&view);
    }
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    sp_buf_free(&text);
}

static void a_damaged_file_is_shown_as_such(void **state) {
    (void)state;
    char *path = sp_run_path(&runs.items[0], study_folder);
    assert_int_equal(sp_write_file(path, "no HDF5", 7), SP_OK);
    sp_view view;
    sp_buf text = {0};
    sp_view_start(&runs, study_folder, "demo", &view);
    sp_view_look(&view);
    sp_view_screen(&view, 0, 0, &text);
    expect_in(&text, "seed 1 failed: its file cannot be read");
    sp_buf_free(&text);
    sp_view_free(&view);
    unlink(path);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparkline_goes_from_the_lowest_to_the_highest),
        cmocka_unit_test(states_are_counted_and_failures_named),
        cmocka_unit_test(a_study_is_over_when_all_runs_are),
        cmocka_unit_test(reading_while_files_are_replaced_never_fails),
        cmocka_unit_test(a_damaged_file_is_shown_as_such)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
