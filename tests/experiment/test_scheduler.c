#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/runlog.h"
#include "experiment/scheduler.h"
#include "experiment/study_fixture.h"

#include <math.h>
#include <sys/wait.h>

#define SPEC                                                                                       \
    "name: demo\nbase: {model: m, dataset: d}\nmethods: {prefix: {}, prompt: {}}\nseeds: [1, 2]\n"
#define DRAWN SPEC "grid: {data.limit: [9]}\nsubsamples: [4]\n"

static int calls, fail_seed, interrupt_at;
static const char *fail_message = "the loss is NaN at step 3";

/* Writes a finished log, but for the seed that is to fail and the call that is to be stopped. */
static sp_status fake_trial(const sp_run_spec *run, const char *folder,
                            const sp_progress *progress) {
    calls++;
    sp_progress_state state = sp_progress_start();
    state.seconds_left = 2;
    sp_progress_report(progress, &state);
    if (run->seed == fail_seed) return sp_fail(SP_ERR_NUMERIC, "%s", fail_message);
    if (calls == interrupt_at) return sp_fail(SP_ERR_INTERRUPTED, "stopped");
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    char *path = sp_run_path(run, folder);
    sp_status st = sp_runlog_write(&log, path);
    sp_runlog_free(&log);
    free(path);
    return st;
}

static sp_run_list read_runs(const char *text) {
    sp_spec spec;
    sp_run_list runs;
    assert_int_equal(study_read(text, NULL, NULL, &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, &runs), SP_OK);
    sp_spec_free(&spec);
    calls = fail_seed = interrupt_at = 0;
    return runs;
}

static sp_run_list setup_runs(void) {
    return read_runs(SPEC);
}

/* A finished run is never done twice. */
static void test_skips_finished(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "a");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    assert_true(out.done == 4 && out.skipped == 0 && calls == 4);
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    assert_true(out.done == 0 && out.skipped == 4 && calls == 4);
    char *index = sp_path_join(folder, "index.h5");
    sp_h5 *f;
    sp_strings names = {0};
    assert_int_equal(sp_h5_open(index, &f), SP_OK);
    assert_int_equal(sp_h5_members(f, "/", &names), SP_OK);
    assert_int_equal(names.len, 4);
    char *inside = sp_format("/%s/train/loss", runs.items[0].id);
    assert_true(sp_h5_exists(f, inside));
    sp_h5_close(f);
    sp_strings_free(&names);
    sp_run_list_free(&runs);
    free(inside), free(index), free(folder);
}

/* A failed run is recorded, the rest goes on, and the next call tries it again; the record has the
 * reason of the last try. */
static void test_failure(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "b");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_runlog log;
    sp_run_state run_state;
    fail_seed = 2;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_ERR_FAILED);
    assert_non_null(strstr(sp_error(), "2 of 4 runs failed; the first: "));
    assert_non_null(strstr(sp_error(), "seed 2: the loss is NaN at step 3"));
    assert_true(out.done == 2 && out.failed == 2);
    assert_int_equal(sp_run_find_state(&runs.items[1], folder, &run_state), SP_OK);
    assert_int_equal(run_state, SP_RUN_FAILED);
    char *path = sp_run_path(&runs.items[1], folder);
    assert_int_equal(sp_runlog_read(path, &log), SP_OK);
    assert_string_equal(sp_runlog_get_text(&log, "error"), "the loss is NaN at step 3");
    assert_string_equal(sp_runlog_get_text(&log, "spec"), runs.items[1].spec_yaml);
    assert_string_equal(sp_runlog_get_text(&log, "entry"), runs.items[1].entry);
    assert_string_equal(sp_runlog_get_text(&log, "label"), runs.items[1].label);
    sp_runlog_free(&log);
    fail_message = "the disk is gone";
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_ERR_FAILED);
    assert_int_equal(sp_runlog_read(path, &log), SP_OK);
    assert_string_equal(sp_runlog_get_text(&log, "error"), fail_message);
    sp_runlog_free(&log);
    fail_seed = 0;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    assert_true(out.done == 2 && out.skipped == 2);
    sp_run_list_free(&runs);
    free(path), free(folder);
}

/* An interruption stops at once; the same call goes on later. */
static void test_interruption(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "c");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    interrupt_at = 2;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_ERR_INTERRUPTED);
    assert_int_equal(calls, 2);
    interrupt_at = 0;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    assert_true(out.done == 3 && out.skipped == 1);
    sp_run_list_free(&runs);
    free(folder);
}

/* Two processes never work on one study. */
static void test_busy(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "d"), *lock = sp_path_join(folder, ".lock");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    int fd;
    assert_int_equal(sp_make_folders(folder), SP_OK);
    assert_int_equal(sp_lock_file(lock, &fd), SP_OK);
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_ERR_BUSY);
    assert_int_equal(calls, 0);
    sp_unlock_file(fd);
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    sp_run_list_free(&runs);
    free(folder), free(lock);
}

/* Temporary files of killed processes disappear; a truncated run file is named, not redone. */
static void test_leftovers_and_damage(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "e");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    char *path = sp_run_path(&runs.items[0], folder), *left = sp_format("%s.tmp-99", path);
    assert_int_equal(sp_write_file(left, "x", 1), SP_OK);
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_OK);
    assert_false(sp_file_exists(left));
    assert_int_equal(truncate(path, 600), 0);
    assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, NULL, &out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    assert_int_equal(calls, 4);
    sp_run_list_free(&runs);
    free(path), free(left), free(folder);
}

/* An unwritable results folder is told before any training. */
static void test_unwritable_folder(void **state) {
    (void)state;
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(sp_schedule_runs(&runs, "/proc/none", fake_trial, NULL, &out), SP_ERR_IO);
    assert_int_equal(calls, 0);
    sp_run_list_free(&runs);
}

static int lines;

static void check_line(void *user, const sp_progress_state *s) {
    const sp_run_list *runs = user;
    assert_string_equal(s->experiment, "demo");
    assert_int_equal(s->run, lines + 1);
    assert_int_equal(s->runs, 4);
    static const char *const replicates[] = {"seed 1", "seed 2", "subsample 4 seed 1",
                                             "subsample 4 seed 2"};
    bool drawn = runs->items[lines].subsample == 4;
    assert_string_equal(s->replicate, replicates[lines % 2 + (drawn ? 2 : 0)]);
    if (lines == 0) assert_true(s->seconds_left < 0); /* nothing known about the other runs yet */
    if (lines == 3) assert_true(s->seconds_left == 2);
    lines++;
}

/* Progress says which run of the study is at work. */
static void test_progress(void **state) {
    (void)state;
    for (int drawn = 0; drawn < 2; drawn++) {
        char *folder = sp_path_join(study_folder, drawn ? "f" : "g");
        sp_run_list runs = read_runs(drawn ? DRAWN : SPEC);
        sp_schedule out;
        sp_progress progress = {.line = check_line, .user = &runs};
        lines = 0;
        assert_int_equal(sp_schedule_runs(&runs, folder, fake_trial, &progress, &out), SP_OK);
        assert_int_equal(lines, 4);
        sp_run_list_free(&runs);
        free(folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skips_finished),
                                       cmocka_unit_test(test_failure),
                                       cmocka_unit_test(test_interruption),
                                       cmocka_unit_test(test_busy),
                                       cmocka_unit_test(test_leftovers_and_damage),
                                       cmocka_unit_test(test_unwritable_folder),
                                       cmocka_unit_test(test_progress)};
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
