#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "scheduling/run_lock.h"
#include "scheduling/run_status.h"

#include <math.h>

static sp_run_spec the_run(void) {
    return (sp_run_spec){.method = "prompt", .id = "0123456789abcdef"};
}

static sp_run_status read_status(void) {
    sp_run_spec run = the_run();
    sp_run_status status;
    assert_int_equal(sp_run_status_read(&run, study_folder, &status), SP_OK);
    return status;
}

static void write_log(const char *state, const char *message) {
    sp_run_spec run = the_run();
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", state);
    sp_runlog_text(&log, "error", message);
    study_write_log(&run, &log);
}

static void write_checkpoint(long step) {
    char *path = sp_format("%s/runs/0123456789abcdef.checkpoint.h5", study_folder);
    sp_h5 *f;
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_finish(f, sp_h5_set_int(f, "/checkpoint", "step", step)), SP_OK);
    free(path);
}

/* The whole life of a run, as another process sees it. */
static void a_run_is_what_its_files_and_its_lock_say(void **state) {
    (void)state;
    sp_run_spec run = the_run();
    char *runs = sp_path_join(study_folder, "runs"), *message = "the disk is full";
    assert_int_equal(sp_make_folders(runs), SP_OK);
    assert_int_equal(read_status().state, SP_RUN_PENDING);
    int lock;
    assert_int_equal(sp_run_lock(&run, study_folder, &lock), SP_OK);
    assert_int_equal(read_status().state, SP_RUN_RUNNING);
    assert_string_equal(read_status().progress.host, "");
    sp_run_progress p = sp_run_progress_start(77);
    sp_progress_state at = sp_progress_start();
    at.step = 20;
    at.steps = 400;
    at.loss = 1.5;
    sp_run_progress_take(&p, &at);
    sp_run_progress_write(&p, &run, study_folder);
    sp_run_status status = read_status();
    assert_int_equal(status.state, SP_RUN_RUNNING);
    assert_int_equal(status.progress.pid, getpid());
    assert_int_equal(status.progress.run_pid, 77);
    assert_true(status.progress.step == 20 && status.progress.steps == 400);
    assert_true(status.progress.loss == 1.5 && isnan(status.progress.tokens_per_second));
    assert_true(status.progress.seconds_left < 0);
    assert_string_equal(status.progress.phase, "training");
    assert_int_equal(strlen(status.progress.started), 20);
    write_checkpoint(20);
    sp_run_unlock(&run, study_folder, lock, false);
    status = read_status();
    assert_int_equal(status.state, SP_RUN_INTERRUPTED);
    assert_int_equal(status.checkpoint_step, 20);
    write_log("failed", message);
    status = read_status();
    assert_int_equal(status.state, SP_RUN_FAILED);
    assert_string_equal(status.message, message);
    assert_int_equal(status.checkpoint_step, 20);
    sp_run_status_free(&status);
    assert_int_equal(sp_run_lock(&run, study_folder, &lock), SP_OK);
    status = read_status();
    assert_int_equal(status.state, SP_RUN_RUNNING);
    sp_run_status_free(&status);
    write_log("finished", "");
    assert_int_equal(read_status().state, SP_RUN_FINISHED);
    sp_run_unlock(&run, study_folder, lock, true);
    assert_int_equal(read_status().state, SP_RUN_FINISHED);
    char *lock_path = sp_format("%s/0123456789abcdef.lock", runs);
    assert_false(sp_file_exists(lock_path));
    free(runs), free(lock_path);
}

static void progress_that_is_not_understood_is_unknown(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "7",
                                        "{\"step\": \"x\", \"host\": 5}",
                                        "{\"step\": -1, \"steps\": 1e99, \"loss\": null}"};
    for (int i = 0; i < 6; i++) {
        sp_run_progress p = sp_run_progress_parse(texts[i], strlen(texts[i]));
        assert_true(p.step == 0 && p.steps == 0 && isnan(p.loss) && p.seconds_left < 0);
        assert_string_equal(p.host, "");
    }
}

static void limits_are_read_with_their_units(void **state) {
    (void)state;
    double x = -1;
    assert_true(sp_limits_parse_time("90", &x) && x == 90);
    assert_true(sp_limits_parse_time("90s", &x) && x == 90);
    assert_true(sp_limits_parse_time("1.5h", &x) && x == 5400);
    assert_true(sp_limits_parse_memory("4G", &x) && x == 0x1p32);
    assert_true(sp_limits_parse_memory("0.5M", &x) && x == 0x1p19);
    static const char *const wrong[] = {"",    "h",   "-1h",  "0",     "1d",  "1hh", "nan",
                                        "inf", "1e9", "0x5s", "1..2s", " 1s", "1 s"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        x = 7;
        assert_false(sp_limits_parse_time(wrong[i], &x));
        assert_false(sp_limits_parse_memory(wrong[i], &x));
        assert_true(x == 7);
    }
    assert_false(sp_limits_parse_memory("4", &x));
}

#define DEMO "name: demo\nbase: {model: m, dataset: d}\nmethods: {prompt: {}}\n"

static void limits_of_a_spec_are_no_part_of_a_runs_id(void **state) {
    (void)state;
    char ids[2][SP_RUN_ID + 1];
    for (int i = 0; i < 2; i++) {
        sp_spec spec;
        sp_run_list runs;
        const char *text = i ? DEMO "limits: {time: 30m, memory: 4G}\n" : DEMO;
        assert_int_equal(study_read(text, NULL, NULL, &spec), SP_OK);
        assert_true(spec.limits.seconds == (i ? 1800 : 0));
        assert_true(spec.limits.bytes == (i ? 0x1p32 : 0));
        assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
        memcpy(ids[i], runs.items[0].id, sizeof ids[i]);
        sp_run_list_free(&runs);
        sp_spec_free(&spec);
    }
    assert_string_equal(ids[0], ids[1]);
    sp_spec spec;
    assert_int_equal(study_read(DEMO "limits: {tiem: 3s}\n", NULL, NULL, &spec), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "did you mean 'time'"));
    assert_int_equal(study_read(DEMO "limits: {memory: [4G]}\n", NULL, NULL, &spec), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "limits.memory is 'a list or map'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_run_is_what_its_files_and_its_lock_say),
                                       cmocka_unit_test(progress_that_is_not_understood_is_unknown),
                                       cmocka_unit_test(limits_are_read_with_their_units),
                                       cmocka_unit_test(limits_of_a_spec_are_no_part_of_a_runs_id)};
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
