/* Whole studies on the smallest model of the ladder: what is done at a time, interrupted or killed
 * makes no difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "experiment/study_fixture.h"
#include "experiment/trial.h"
#include "scheduling/scheduler.h"

#include <signal.h>
#include <sys/wait.h>

enum { RUNS = 4, STEPS = 15 };

static void write_things(void) {
    sp_buf lines = {0};
    for (int i = 0; i < 24; i++)
        sp_buf_printf(&lines, "{\"input\": \"name : thing %d%s\", \"target\": \"thing %d\"}\n", i,
                      i % 3 ? "" : " of a longer name", i);
    char *path = sp_path_join(study_folder, "things.jsonl");
    assert_int_equal(sp_write_file(path, lines.data, lines.len), SP_OK);
    free(path);
    static const char card[] =
        "name: things\nreader: jsonl\n"
        "splits: {train: things.jsonl, dev: things.jsonl, test: things.jsonl}\n";
    path = sp_path_join(study_folder, "things.yaml");
    assert_int_equal(sp_write_file(path, card, strlen(card)), SP_OK);
    free(path);
    sp_buf_free(&lines);
}

static sp_run_list read_study(sp_assets *assets) {
    sp_spec spec;
    sp_run_list runs;
    char *text = sp_format("name: demo\nbase: {model: gpt2-1m, dataset: %s/things.yaml, train: "
                           "{steps: %d, batch: 4, eval_every: 5}, decode: {max_tokens: 6}}\n"
                           "methods: {prefix: {hidden: 16, length: 3}, fine-tune: {lr: 1e-4}}\n"
                           "seeds: [1, 2]\n",
                           study_folder, STEPS);
    if (study_read(text, NULL, NULL, &spec)) fail_msg("%s", sp_error());
    if (sp_expand(&spec, sp_assets_identify, assets, &runs)) fail_msg("%s", sp_error());
    assert_int_equal(runs.count, RUNS);
    sp_spec_free(&spec);
    free(text);
    return runs;
}

/* How a study is disturbed: once, when one of its runs first tells of a step. */
typedef enum disturbance { LEFT_ALONE, INTERRUPTED, ALL_KILLED } disturbance;

static void disturb(void *user, const sp_progress_state *state) {
    disturbance *d = user;
    if (state->step < 2 || *d == LEFT_ALONE) return;
    kill(getpid(), *d == INTERRUPTED ? SIGINT : SIGKILL);
    *d = LEFT_ALONE;
}

/* Does the study `name` in a process of its own; returns how that ended. */
static int do_study(const char *name, int jobs, disturbance d) {
    pid_t pid = fork();
    if (pid == 0) {
        sp_watch_interrupts();
        sp_assets *assets = sp_assets_new();
        sp_run_list runs = read_study(assets);
        char *folder = sp_path_join(study_folder, name);
        sp_schedule done;
        sp_study_job job = {.runs = &runs,
                            .folder = folder,
                            .assets = assets,
                            .prepare = sp_trial_prepare,
                            .trial = sp_trial_run,
                            .jobs = jobs,
                            .watch = {.user = &d, .progress = disturb}};
        sp_status st = sp_schedule_runs(&job, &done);
        if (st && st != SP_ERR_INTERRUPTED) fprintf(stderr, "%s\n", sp_error());
        sp_run_list_free(&runs);
        sp_assets_free(assets);
        free(folder);
        _exit(st);
    }
    int how = 0;
    assert_true(pid > 0 && waitpid(pid, &how, 0) == pid);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1000 + WTERMSIG(how);
}

static sp_h5 *open_run(const sp_run_spec *run, const char *name) {
    char *folder = sp_path_join(study_folder, name), *path = sp_run_path(run, folder);
    sp_h5 *file;
    if (sp_h5_open(path, &file)) fail_msg("%s", sp_error());
    free(folder), free(path);
    return file;
}

static void assert_same_numbers(sp_h5 *a, sp_h5 *b, const char *path, size_t expected) {
    double *x, *y;
    size_t n, m;
    if (sp_h5_read_reals(a, path, &x, &n)) fail_msg("%s", sp_error());
    if (sp_h5_read_reals(b, path, &y, &m)) fail_msg("%s", sp_error());
    assert_true(n == expected && m == n);
    assert_memory_equal(x, y, n * sizeof *x);
    free(x), free(y);
}

static void assert_same_texts(sp_h5 *a, sp_h5 *b, const char *path) {
    sp_strings x = {0}, y = {0};
    if (sp_h5_read_texts(a, path, &x)) fail_msg("%s", sp_error());
    if (sp_h5_read_texts(b, path, &y)) fail_msg("%s", sp_error());
    assert_true(x.len == 24 && y.len == x.len);
    for (size_t i = 0; i < x.len; i++) assert_string_equal(x.data[i], y.data[i]);
    sp_strings_free(&x), sp_strings_free(&y);
}

static void assert_same_studies(const char *one, const char *other) {
    sp_assets *assets = sp_assets_new();
    sp_run_list runs = read_study(assets);
    for (size_t i = 0; i < runs.count; i++) {
        sp_h5 *a = open_run(&runs.items[i], one), *b = open_run(&runs.items[i], other);
        assert_same_numbers(a, b, "/train/loss", STEPS);
        assert_same_numbers(a, b, "/train/gradient_norm", STEPS);
        assert_same_numbers(a, b, "/dev/loss", 3);
        assert_same_texts(a, b, "/test/predictions/hypothesis");
        sp_h5_close(a), sp_h5_close(b);
    }
    sp_run_list_free(&runs);
    sp_assets_free(assets);
}

static int prepare(void **state) {
    if (study_setup(state)) return 1;
    write_things();
    return do_study("alone", 1, LEFT_ALONE);
}

static void two_jobs_give_what_one_gives(void **state) {
    (void)state;
    assert_int_equal(do_study("two", 2, LEFT_ALONE), SP_OK);
    assert_same_studies("alone", "two");
}

static void
a_study_interrupted_on_two_jobs_and_resumed_gives_what_one_left_alone_gives(void **state) {
    (void)state;
    assert_int_equal(do_study("stopped", 2, INTERRUPTED), SP_ERR_INTERRUPTED);
    assert_int_equal(do_study("stopped", 2, INTERRUPTED), SP_ERR_INTERRUPTED);
    assert_int_equal(do_study("stopped", 2, LEFT_ALONE), SP_OK);
    assert_same_studies("alone", "stopped");
}

static void a_study_killed_on_two_jobs_and_resumed_gives_what_one_left_alone_gives(void **state) {
    (void)state;
    assert_int_equal(do_study("killed", 2, ALL_KILLED), 1000 + SIGKILL);
    assert_int_equal(do_study("killed", 2, LEFT_ALONE), SP_OK);
    assert_same_studies("alone", "killed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_jobs_give_what_one_gives),
        cmocka_unit_test(
            a_study_interrupted_on_two_jobs_and_resumed_gives_what_one_left_alone_gives),
        cmocka_unit_test(a_study_killed_on_two_jobs_and_resumed_gives_what_one_left_alone_gives),
    };
    return cmocka_run_group_tests(tests, prepare, study_teardown);
}
