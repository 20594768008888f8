#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/runlog.h"
#include "experiment/study_fixture.h"
#include "scheduling/scheduler.h"
#include "scheduling/slots.h"

#include "core/clock.h"
#include "core/host.h"
#include "scheduling/at_work.h"

#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define SPEC                                                                                       \
    "name: demo\nbase: {model: m, dataset: d}\nmethods: {prefix: {}, prompt: {}}\nseeds: [1, 2]\n"
#define DRAWN SPEC "grid: {data.limit: [9]}\nsubsamples: [4]\n"

static sp_assets *study_assets;
static int fail_seed, interrupt_at;
static const char *fail_message = "the loss is NaN at step 3";

/* A trial is in a process of its own: what it did, it leaves in a file. */
static char *calls_path(void) {
    return sp_path_join(study_folder, "calls");
}

static void note(const char *word) {
    char *path = calls_path();
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (write(fd, word, strlen(word)) < 0) abort();
    close(fd);
    free(path);
}

/* All that was noted since setup_runs. */
static char *noted(void) {
    char *path = calls_path();
    sp_buf text = {0};
    if (!sp_file_exists(path) || sp_read_file(path, &text)) sp_buf_puts(&text, "");
    free(path);
    return sp_buf_take(&text);
}

static int calls(void) {
    char *text = noted();
    int count = 0;
    for (const char *c = text; *c; c++) count += *c == '.';
    free(text);
    return count;
}

static sp_status write_finished(const sp_run_spec *run, const char *folder) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    char *path = sp_run_path(run, folder);
    sp_status st = sp_runlog_write(&log, path);
    sp_runlog_free(&log);
    free(path);
    return st;
}

/* Writes a finished log, but for the seed that is to fail and the call that is to be stopped. */
static sp_status fake_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                            const sp_progress *progress) {
    (void)assets;
    note(".");
    sp_progress_state state = sp_progress_start();
    state.seconds_left = 2;
    state.phase = "dev";
    sp_progress_report(progress, &state);
    if (run->seed == fail_seed) return sp_fail(SP_ERR_NUMERIC, "%s", fail_message);
    if (calls() == interrupt_at) return sp_fail(SP_ERR_INTERRUPTED, "stopped");
    return write_finished(run, folder);
}

static sp_status one_thread(const sp_run_spec *run, sp_assets *assets, int *threads) {
    (void)run, (void)assets;
    *threads = 1;
    return SP_OK;
}

/* One run at a time. */
static sp_study_job job_of(const sp_run_list *runs, const char *folder) {
    return (sp_study_job){.runs = runs,
                          .folder = folder,
                          .assets = study_assets,
                          .prepare = one_thread,
                          .trial = fake_trial,
                          .jobs = 1};
}

static sp_status schedule(const sp_run_list *runs, const char *folder, sp_schedule *out) {
    sp_study_job job = job_of(runs, folder);
    return sp_schedule_runs(&job, out);
}

static sp_run_list read_runs(const char *text) {
    sp_spec spec;
    sp_run_list runs;
    assert_int_equal(study_read(text, NULL, NULL, &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    sp_spec_free(&spec);
    fail_seed = interrupt_at = 0;
    char *path = calls_path();
    unlink(path);
    free(path);
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
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    assert_true(out.done == 4 && out.skipped == 0 && calls() == 4);
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    assert_true(out.done == 0 && out.skipped == 4 && calls() == 4);
    /* The index is for h5py and h5dump: our own reader follows no link into another file. */
    char *index = sp_path_join(folder, "index.h5");
    hid_t f = H5Fopen(index, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5G_info_t info;
    assert_true(f >= 0 && H5Gget_info(f, &info) >= 0);
    assert_int_equal(info.nlinks, 4);
    char *inside = sp_format("/%s/train/loss", runs.items[0].id);
    assert_true(H5Oexists_by_name(f, inside, H5P_DEFAULT) > 0);
    H5Fclose(f);
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
    assert_int_equal(schedule(&runs, folder, &out), SP_ERR_FAILED);
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
    assert_int_equal(schedule(&runs, folder, &out), SP_ERR_FAILED);
    assert_int_equal(sp_runlog_read(path, &log), SP_OK);
    assert_string_equal(sp_runlog_get_text(&log, "error"), fail_message);
    sp_runlog_free(&log);
    fail_seed = 0;
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
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
    assert_int_equal(schedule(&runs, folder, &out), SP_ERR_INTERRUPTED);
    assert_int_equal(calls(), 2);
    interrupt_at = 0;
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    assert_true(out.done == 3 && out.skipped == 1);
    sp_run_list_free(&runs);
    free(folder);
}

static char *lock_of(const sp_run_spec *run, const char *folder) {
    return sp_format("%s/runs/%s.lock", folder, run->id);
}

static void a_run_of_another_process_is_left_to_it(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "d"), *runs_folder = sp_path_join(folder, "runs");
    sp_run_list runs = setup_runs();
    char *lock = lock_of(&runs.items[1], folder);
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.no_wait = true;
    int fd;
    assert_int_equal(sp_make_folders(runs_folder), SP_OK);
    assert_int_equal(sp_lock_file(lock, &fd), SP_OK);
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    assert_true(out.done == 3 && calls() == 3);
    sp_unlock_file(fd);
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    assert_true(out.done == 1 && out.skipped == 3);
    assert_false(sp_file_exists(lock));
    sp_run_list_free(&runs);
    free(folder), free(runs_folder), free(lock);
}

/* Temporary files of killed processes disappear; a truncated run file is named, not redone. */
static void test_leftovers_and_damage(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "e");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    char *path = sp_run_path(&runs.items[0], folder), *left = sp_format("%s.tmp-99", path);
    assert_int_equal(sp_write_file(left, "x", 1), SP_OK);
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    assert_false(sp_file_exists(left));
    assert_int_equal(truncate(path, 600), 0);
    assert_int_equal(schedule(&runs, folder, &out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    assert_int_equal(calls(), 4);
    sp_run_list_free(&runs);
    free(path), free(left), free(folder);
}

/* An unwritable results folder is told before any training. */
static void test_unwritable_folder(void **state) {
    (void)state;
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(schedule(&runs, "/proc/none", &out), SP_ERR_IO);
    assert_int_equal(calls(), 0);
    sp_run_list_free(&runs);
}

static int lines;

static void check_line(void *user, const sp_progress_state *s) {
    const sp_run_list *runs = user;
    assert_string_equal(s->experiment, "demo");
    assert_string_equal(s->phase, "dev");
    assert_int_equal(s->run, lines + 1);
    assert_int_equal(s->runs, 4);
    assert_true(s->done == lines && s->running == 1 && s->failed == 0);
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
        sp_study_job job = job_of(&runs, folder);
        job.watch = (sp_study_watch){.user = &runs, .progress = check_line};
        lines = 0;
        assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
        assert_int_equal(lines, 4);
        sp_run_list_free(&runs);
        free(folder);
    }
}

/* ---- several at a time ---- */

static bool has_two_cpus(void) {
    sp_slots cpus = sp_slots_usable();
    return sp_slots_free(&cpus) >= 2;
}

/* True as soon as `count` trials have begun; false if that takes over ten seconds. */
static bool wait_for_calls(int count) {
    for (int i = 0; i < 1000; i++) {
        if (calls() >= count) return true;
        usleep(10000);
    }
    return false;
}

/* Ends well only if another trial is at work meanwhile; notes its CPUs. */
static sp_status meeting_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                               const sp_progress *progress) {
    (void)assets, (void)progress;
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    char *line = sp_format(".%d", CPU_COUNT(&cpus));
    note(line);
    free(line);
    if (!wait_for_calls(2)) return sp_fail(SP_ERR_DATA, "alone");
    return write_finished(run, folder);
}

static void two_jobs_are_two_runs_at_a_time_on_one_cpu_each(void **state) {
    (void)state;
    if (!has_two_cpus()) skip();
    char *folder = sp_path_join(study_folder, "h");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.trial = meeting_trial;
    job.jobs = 2;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    assert_int_equal(out.done, 4);
    char *text = noted();
    assert_string_equal(text, ".1.1.1.1");
    sp_run_list_free(&runs);
    free(text), free(folder);
}

/* Seed 2 on two threads. */
static sp_status threads_by_seed(const sp_run_spec *run, sp_assets *assets, int *threads) {
    (void)assets;
    *threads = run->seed;
    return SP_OK;
}

static sp_status slow_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                            const sp_progress *progress) {
    (void)assets, (void)progress;
    note(run->seed == 2 ? "[" : "(");
    usleep(20000);
    note(run->seed == 2 ? "]" : ")");
    return write_finished(run, folder);
}

static void a_run_whose_threads_do_not_fit_waits(void **state) {
    (void)state;
    if (!has_two_cpus()) skip();
    sp_slots cpus = sp_slots_usable(), two = cpus;
    cpu_set_t pair = sp_slots_take(&two, 2);
    assert_int_equal(sched_setaffinity(0, sizeof pair, &pair), 0);
    char *folder = sp_path_join(study_folder, "i");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.prepare = threads_by_seed;
    job.trial = slow_trial;
    job.jobs = 0;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    char *text = noted();
    assert_string_equal(text, "()[]()[]");
    assert_int_equal(sched_setaffinity(0, sizeof cpus.all, &cpus.all), 0);
    sp_run_list_free(&runs);
    free(text), free(folder);
}

/* ---- tries ---- */

static sp_status failure_kind;

/* The first seed fails at its first try, in a process that can be tried again or not. */
static sp_status failing_once(const sp_run_spec *run, const char *folder, sp_assets *assets,
                              const sp_progress *progress) {
    (void)assets, (void)progress;
    char *text = noted();
    bool first = run->seed == 1 && !strstr(text, run->id);
    free(text);
    note(".");
    note(run->id);
    return first ? sp_fail(failure_kind, "not this time") : write_finished(run, folder);
}

static int retried;

static void count_retry(void *user, const sp_run_spec *run, const char *message, int left) {
    (void)user, (void)left;
    assert_int_equal(run->seed, 1);
    assert_string_equal(message, "not this time");
    retried++;
}

static void failures_that_may_pass_are_tried_again_at_the_end(void **state) {
    (void)state;
    static const sp_status kinds[] = {SP_ERR_IO,      SP_ERR_MEMORY, SP_ERR_INTERNAL, SP_ERR_FAILED,
                                      SP_ERR_NUMERIC, SP_ERR_SPEC,   SP_ERR_DATA};
    for (int i = 0; i < 7; i++) {
        char *folder = sp_format("%s/retry%d", study_folder, i);
        sp_run_list runs = setup_runs();
        sp_schedule out;
        sp_study_job job = job_of(&runs, folder);
        job.trial = failing_once;
        job.retries = 1;
        job.watch.retried = count_retry;
        failure_kind = kinds[i];
        retried = 0;
        sp_status st = sp_schedule_runs(&job, &out);
        char *text = noted();
        if (i < 4) {
            assert_int_equal(st, SP_OK);
            assert_true(out.done == 4 && out.failed == 0 && retried == 2 && calls() == 6);
            const char *last = strrchr(text, '.') + 1;
            assert_int_equal(strncmp(last, runs.items[2].id, SP_RUN_ID), 0);
        } else {
            assert_int_equal(st, SP_ERR_FAILED);
            assert_true(out.done == 2 && out.failed == 2 && retried == 0 && calls() == 4);
        }
        sp_run_list_free(&runs);
        free(text), free(folder);
    }
}

/* ---- limits ---- */

static void expect_limit(const char *name, sp_trial *trial, sp_limits limits, const char *message) {
    char *folder = sp_path_join(study_folder, name);
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_runlog log;
    sp_study_job job = job_of(&runs, folder);
    job.trial = trial;
    job.limits = limits;
    job.retries = 2; /* which are not for this */
    job.jobs = 0;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_ERR_FAILED);
    assert_true(out.failed == 4 && calls() <= 4);
    char *path = sp_run_path(&runs.items[0], folder);
    assert_int_equal(sp_runlog_read(path, &log), SP_OK);
    assert_non_null(strstr(sp_runlog_get_text(&log, "error"), message));
    sp_runlog_free(&log);
    sp_run_list_free(&runs);
    free(path), free(folder);
}

static sp_status patient_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                               const sp_progress *progress);

static sp_status greedy_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                              const sp_progress *progress) {
    (void)run, (void)folder, (void)assets, (void)progress;
    note(".");
    enum { BYTES = 256 << 20 };
    char *own = sp_alloc(BYTES, 1);
    memset(own, 1, BYTES);
    sleep(20);
    free(own);
    return sp_fail(SP_ERR_DATA, "nobody minded");
}

static void a_run_beyond_its_limits_is_a_failed_run_with_the_remedy(void **state) {
    (void)state;
    expect_limit("time", patient_trial, (sp_limits){.seconds = 0.3}, "larger --time-limit");
    expect_limit("memory", greedy_trial, (sp_limits){.bytes = 0x1p27}, "memory limit of 128 MB");
}

/* Pages that are shared with the study are not the run's own. */
static void inherited_memory_is_not_counted(void **state) {
    (void)state;
    enum { BYTES = 256 << 20 };
    char *shared = sp_alloc(BYTES, 1);
    memset(shared, 1, BYTES);
    char *folder = sp_path_join(study_folder, "inherited");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.limits.bytes = 0x1p27;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    sp_run_list_free(&runs);
    free(folder), free(shared);
}

/* The time of day, which jumps by a day at each look when it is to. */
static bool jumping;

static time_t jump(void) {
    static time_t days;
    return jumping ? ++days % 2 ? days * 86400 : -days * 86400 : 0;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    long failed = syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_REALTIME) t->tv_sec += jump();
    return (int)failed;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

static void no_jump_of_the_clock_changes_what_is_done(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "jumps");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.limits.seconds = 3600;
    jumping = true;
    time_t a = time(NULL), b = time(NULL);
    assert_true(a > b + 3600 || b > a + 3600);
    double before = sp_now();
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    double seconds = sp_now() - before;
    jumping = false;
    assert_true(seconds >= 0 && seconds < 60);
    assert_int_equal(out.done, 4);
    sp_run_list_free(&runs);
    free(folder);
}

/* ---- runs whose process dies ---- */

/* The first seed dies: by a signal, or of too large a wish for memory. */
static int death;

static sp_status dying_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                             const sp_progress *progress) {
    (void)assets, (void)progress;
    if (run->seed == 1 && death) raise(death);
    if (run->seed == 1) free(sp_alloc(SIZE_MAX, 2));
    return write_finished(run, folder);
}

static void expect_deaths(const char *name, const char *message) {
    char *folder = sp_path_join(study_folder, name);
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_runlog log;
    sp_study_job job = job_of(&runs, folder);
    job.trial = dying_trial;
    job.jobs = 0;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_ERR_FAILED);
    assert_true(out.done == 2 && out.failed == 2);
    char *path = sp_run_path(&runs.items[0], folder);
    assert_int_equal(sp_runlog_read(path, &log), SP_OK);
    assert_string_equal(sp_runlog_get_text(&log, "status"), "failed");
    assert_non_null(strstr(sp_runlog_get_text(&log, "error"), message));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left, dead or alive */
    sp_runlog_free(&log);
    sp_run_list_free(&runs);
    free(path), free(folder);
}

static void a_killed_run_is_a_failed_run_and_the_study_goes_on(void **state) {
    (void)state;
    death = SIGKILL;
    expect_deaths("k", "ended by signal 9 (Killed); if memory ran out, use fewer --jobs");
    death = SIGALRM;
    expect_deaths("l", "ended by signal 14 (Alarm clock)");
}

static void a_run_that_finds_no_memory_is_a_failed_run_with_its_line(void **state) {
    (void)state;
    death = 0;
    expect_deaths("m", "out of memory (");
}

/* ---- signals to the study ---- */

/* Stays until it is asked to stop. */
static sp_status patient_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                               const sp_progress *progress) {
    (void)run, (void)folder, (void)assets, (void)progress;
    char *pid = sp_format("%d.", (int)getpid());
    note(pid);
    free(pid);
    while (!sp_interrupted()) usleep(1000);
    usleep(50000); /* a checkpoint */
    note("!");
    return sp_fail(SP_ERR_INTERRUPTED, "stopped");
}

/* The study in a process of its own, which ends with its status. */
static pid_t start_study(const sp_run_list *runs, const char *folder) {
    pid_t pid = fork();
    if (pid) return pid;
    sp_watch_interrupts();
    sp_schedule out;
    sp_study_job job = job_of(runs, folder);
    job.trial = patient_trial;
    job.jobs = 0;
    _exit(sp_schedule_runs(&job, &out));
}

static int cpus_of_runs(const sp_run_list *runs) {
    sp_slots cpus = sp_slots_usable();
    int count = sp_slots_free(&cpus);
    return count < (int)runs->count ? count : (int)runs->count;
}

static void an_interruption_waits_for_the_checkpoints_of_all_runs(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        char *folder = sp_path_join(study_folder, i ? "n" : "o");
        sp_run_list runs = setup_runs();
        int expected = cpus_of_runs(&runs), how = 0;
        pid_t study = start_study(&runs, folder);
        assert_true(wait_for_calls(expected));
        kill(study, signals[i]);
        waitpid(study, &how, 0);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), SP_ERR_INTERRUPTED);
        char *text = noted(), *c = text;
        for (int k = 0; k < expected; k++, c++) assert_non_null(c = strchr(c, '!'));
        sp_run_list_free(&runs);
        free(text), free(folder);
    }
}

/* Dead, if only waiting for a father to notice. */
static bool is_gone(int pid) {
    char *path = sp_format("/proc/%d/stat", pid), line[256] = "";
    FILE *f = fopen(path, "r");
    if (f && !fgets(line, sizeof line, f)) line[0] = '\0';
    if (f) fclose(f);
    free(path);
    const char *after_name = strrchr(line, ')');
    return !after_name || after_name[2] == 'Z' || after_name[2] == 'X';
}

static void runs_end_with_their_study_and_free_its_folder(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "p");
    sp_run_list runs = setup_runs();
    char *lock = lock_of(&runs.items[0], folder);
    pid_t study = start_study(&runs, folder);
    assert_true(wait_for_calls(cpus_of_runs(&runs)));
    char *text = noted();
    kill(study, SIGKILL);
    waitpid(study, NULL, 0);
    for (char *c = text; *c; c = strchr(c, '.') + 1) {
        int tries = 1000, pid = atoi(c);
        while (!is_gone(pid) && tries--) usleep(10000);
        assert_true(tries > 0);
    }
    int fd;
    assert_int_equal(sp_lock_file(lock, &fd), SP_OK);
    sp_unlock_file(fd);
    sp_run_list_free(&runs);
    free(text), free(lock), free(folder);
}

/* So that the lock of a run that ended, or of one whose process is gone, is free. */
static void a_run_holds_the_lock_of_no_other(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "q");
    sp_run_list runs = setup_runs();
    pid_t study = start_study(&runs, folder);
    assert_true(wait_for_calls(cpus_of_runs(&runs)));
    char *text = noted();
    for (char *c = text; *c; c = strchr(c, '.') + 1) {
        char *descriptors = sp_format("/proc/%d/fd", atoi(c));
        int locks = 0;
        DIR *dir = opendir(descriptors);
        assert_non_null(dir);
        for (struct dirent *e; (e = readdir(dir));) {
            char target[512] = "";
            if (readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1) > 0)
                locks += strstr(target, ".lock") || strstr(target, "at-work");
        }
        assert_int_equal(locks, 2); /* its own, and that of its CPU */
        closedir(dir);
        free(descriptors);
    }
    kill(study, SIGTERM);
    waitpid(study, NULL, 0);
    sp_run_list_free(&runs);
    free(text), free(folder);
}

/* ---- several processes ---- */

/* The counts of a study in a process of its own, as a byte each: done, elsewhere, failed. */
static pid_t start_sharing(const sp_study_job *job, int counts[2]) {
    assert_int_equal(pipe(counts), 0);
    pid_t pid = fork();
    if (pid) return pid;
    sp_watch_interrupts();
    sp_schedule out;
    sp_status st = sp_schedule_runs(job, &out);
    char bytes[] = {(char)out.done, (char)(out.elsewhere + out.skipped), (char)out.failed};
    if (write(counts[1], bytes, 3) != 3) abort();
    _exit(st);
}

static int end_sharing(pid_t pid, const int counts[2], char bytes[3]) {
    int how;
    waitpid(pid, &how, 0);
    close(counts[1]);
    memset(bytes, -1, 3);
    if (read(counts[0], bytes, 3) < 0) abort();
    close(counts[0]);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static sp_status slow_fake(const sp_run_spec *run, const char *folder, sp_assets *assets,
                           const sp_progress *progress) {
    usleep(300000);
    return fake_trial(run, folder, assets, progress);
}

static void two_processes_share_the_runs_of_a_study(void **state) {
    (void)state;
    if (!has_two_cpus()) skip();
    for (int failing = 0; failing < 2; failing++) {
        char *folder = sp_path_join(study_folder, failing ? "share1" : "share0");
        sp_run_list runs = setup_runs();
        sp_study_job job = job_of(&runs, folder);
        job.trial = slow_fake;
        fail_seed = failing ? 2 : 0;
        int counts[2][2];
        char bytes[2][3];
        pid_t pids[2];
        for (int i = 0; i < 2; i++) pids[i] = start_sharing(&job, counts[i]);
        for (int i = 0; i < 2; i++)
            assert_int_equal(end_sharing(pids[i], counts[i], bytes[i]),
                             failing ? SP_ERR_FAILED : SP_OK);
        assert_int_equal(calls(), 4);
        assert_int_equal(bytes[0][0] + bytes[1][0], failing ? 2 : 4);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(bytes[i][0] + bytes[i][1] + bytes[i][2], 4);
            assert_int_equal(bytes[i][2], failing ? 2 : 0);
            assert_true(bytes[i][0] > 0 || failing);
        }
        sp_run_list_free(&runs);
        free(folder);
    }
}

/* The first one that says where it is, and what another process then gets. */
static sp_status cpu_trial(const sp_run_spec *run, const char *folder, sp_assets *assets,
                           const sp_progress *progress) {
    (void)assets, (void)progress;
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &cpus)) continue;
        char *line = sp_format(".%d,", cpu);
        note(line);
        free(line);
    }
    if (!wait_for_calls(2)) return sp_fail(SP_ERR_DATA, "alone");
    return write_finished(run, folder);
}

static void processes_that_share_a_study_take_different_cpus(void **state) {
    (void)state;
    if (!has_two_cpus()) skip();
    char *folder = sp_path_join(study_folder, "cpus"), bytes[3];
    sp_run_list runs = read_runs("name: demo\nbase: {model: m, dataset: d}\n"
                                 "methods: {prefix: {}}\nseeds: [1, 2]\n");
    sp_study_job job = job_of(&runs, folder);
    job.trial = cpu_trial;
    int counts[2][2];
    pid_t pids[2];
    for (int i = 0; i < 2; i++) pids[i] = start_sharing(&job, counts[i]);
    for (int i = 0; i < 2; i++) assert_int_equal(end_sharing(pids[i], counts[i], bytes), SP_OK);
    char *text = noted();
    int first = atoi(text + 1), second = atoi(strrchr(text, '.') + 1);
    assert_int_equal(calls(), 2);
    assert_int_not_equal(first, second);
    sp_run_list_free(&runs);
    free(text), free(folder);
}

/* Only the process that is told to is patient. */
static pid_t patient_study;

static sp_status patient_in_one(const sp_run_spec *run, const char *folder, sp_assets *assets,
                                const sp_progress *progress) {
    if (getppid() == patient_study) return patient_trial(run, folder, assets, progress);
    return fake_trial(run, folder, assets, progress);
}

static void the_run_of_a_killed_process_is_taken_over(void **state) {
    (void)state;
    if (!has_two_cpus()) skip();
    char *folder = sp_path_join(study_folder, "orphan");
    sp_run_list runs = setup_runs();
    sp_study_job job = job_of(&runs, folder);
    job.trial = patient_in_one;
    int counts[2];
    char bytes[3];
    pid_t killed = fork();
    if (!killed) {
        sp_schedule out;
        patient_study = getpid();
        _exit(sp_schedule_runs(&job, &out));
    }
    assert_true(wait_for_calls(1));
    pid_t other = start_sharing(&job, counts);
    assert_true(wait_for_calls(4)); /* the other three */
    usleep(100000);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0); /* and it waits */
    kill(killed, SIGKILL);
    waitpid(killed, NULL, 0);
    assert_int_equal(end_sharing(other, counts, bytes), SP_OK);
    assert_int_equal(bytes[0], 4);
    sp_run_list_free(&runs);
    free(folder);
}

static void ask_study(const char *folder, pid_t study, const char *run) {
    char *name = sp_format("%ld@%s", (long)study, sp_host());
    assert_true(sp_at_work_is(folder, name));
    assert_int_equal(sp_at_work_ask(folder, name, run), SP_OK);
    free(name);
}

static void a_cancelled_study_stops_with_checkpoints(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "cancel");
    sp_run_list runs = setup_runs();
    pid_t study = start_study(&runs, folder);
    int how;
    assert_true(wait_for_calls(1));
    ask_study(folder, study, NULL);
    waitpid(study, &how, 0);
    assert_int_equal(WEXITSTATUS(how), SP_ERR_INTERRUPTED);
    char *text = noted();
    assert_non_null(strchr(text, '!'));
    sp_run_list_free(&runs);
    free(text), free(folder);
}

/* A cancelled run is not done, nor taken by another process; the other runs are. */
static void a_cancelled_run_is_left_alone_and_the_study_goes_on(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "cancel1");
    sp_run_list runs = setup_runs();
    sp_study_job job = job_of(&runs, folder);
    job.trial = patient_trial;
    int counts[2];
    char bytes[3];
    pid_t study = start_sharing(&job, counts);
    for (int i = 0; i < 4; i++) {
        assert_true(wait_for_calls(i + 1));
        ask_study(folder, study, runs.items[i].id);
    }
    assert_int_equal(end_sharing(study, counts, bytes), SP_ERR_INTERRUPTED);
    assert_int_equal(calls(), 4);
    assert_true(bytes[0] == 0 && bytes[2] == 0);
    sp_run_list_free(&runs);
    free(folder);
}

/* A request to a process that is gone does not stop a later one, be it of the same number. */
static void a_stale_request_stops_nobody(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "stale"), *all = sp_path_join(folder, "at-work");
    char *own = sp_format("%s/%ld@%s", all, (long)getpid(), sp_host());
    char *dead = sp_format("%s/4194999@%s", all, sp_host());
    sp_run_list runs = setup_runs();
    sp_schedule out;
    assert_int_equal(sp_make_folders(all), SP_OK);
    assert_int_equal(sp_write_file(own, "cancel\n", 7), SP_OK);
    assert_int_equal(sp_write_file(dead, "cancel\n", 7), SP_OK);
    assert_int_equal(schedule(&runs, folder, &out), SP_OK);
    assert_int_equal(out.done, 4);
    assert_false(sp_file_exists(own));
    assert_false(sp_file_exists(dead));
    sp_run_list_free(&runs);
    free(folder), free(all), free(own), free(dead);
}

/* What somebody may be writing stays. */
static void temporary_files_of_others_stay(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "others"), *in = sp_path_join(folder, "runs");
    sp_run_list runs = setup_runs();
    sp_schedule out;
    sp_study_job job = job_of(&runs, folder);
    job.no_wait = true;
    char *lock = lock_of(&runs.items[1], folder), *path = sp_run_path(&runs.items[1], folder);
    char *names[] = {sp_format("%s.tmp-5@elsewhere", path),
                     sp_format("%s/table.md.tmp-5@elsewhere", folder),
                     sp_format("%s/table.md.tmp-%ld@%s", folder, (long)getpid(), sp_host()),
                     sp_format("%s/table.md.tmp-4194999@%s", folder, sp_host())};
    int fd;
    assert_int_equal(sp_make_folders(in), SP_OK);
    for (int i = 0; i < 4; i++) assert_int_equal(sp_write_file(names[i], "x", 1), SP_OK);
    assert_int_equal(sp_lock_file(lock, &fd), SP_OK);
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    for (int i = 0; i < 4; i++) assert_int_equal(sp_file_exists(names[i]), i < 3);
    sp_unlock_file(fd);
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    assert_false(sp_file_exists(names[0]));
    for (int i = 0; i < 4; i++) free(names[i]);
    sp_run_list_free(&runs);
    free(folder), free(in), free(lock), free(path);
}

/* Entries with equal settings are one run, also while it is at work. */
static void equal_runs_are_done_once(void **state) {
    (void)state;
    char *folder = sp_path_join(study_folder, "r");
    sp_run_list runs = read_runs("name: demo\nbase: {model: m, dataset: d}\nmethods:\n"
                                 "  prefix: {}\n  twin: {method: prefix}\n");
    sp_schedule out;
    assert_string_equal(runs.items[0].id, runs.items[1].id);
    sp_study_job job = job_of(&runs, folder);
    job.jobs = 0;
    assert_int_equal(sp_schedule_runs(&job, &out), SP_OK);
    assert_true(out.done == 1 && out.skipped == 1 && calls() == 1);
    sp_run_list_free(&runs);
    free(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skips_finished),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_interruption),
        cmocka_unit_test(a_run_of_another_process_is_left_to_it),
        cmocka_unit_test(test_leftovers_and_damage),
        cmocka_unit_test(test_unwritable_folder),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(two_jobs_are_two_runs_at_a_time_on_one_cpu_each),
        cmocka_unit_test(a_run_whose_threads_do_not_fit_waits),
        cmocka_unit_test(a_killed_run_is_a_failed_run_and_the_study_goes_on),
        cmocka_unit_test(a_run_that_finds_no_memory_is_a_failed_run_with_its_line),
        cmocka_unit_test(an_interruption_waits_for_the_checkpoints_of_all_runs),
        cmocka_unit_test(runs_end_with_their_study_and_free_its_folder),
        cmocka_unit_test(a_run_holds_the_lock_of_no_other),
        cmocka_unit_test(failures_that_may_pass_are_tried_again_at_the_end),
        cmocka_unit_test(a_run_beyond_its_limits_is_a_failed_run_with_the_remedy),
        cmocka_unit_test(inherited_memory_is_not_counted),
        cmocka_unit_test(no_jump_of_the_clock_changes_what_is_done),
        cmocka_unit_test(two_processes_share_the_runs_of_a_study),
        cmocka_unit_test(processes_that_share_a_study_take_different_cpus),
        cmocka_unit_test(the_run_of_a_killed_process_is_taken_over),
        cmocka_unit_test(a_cancelled_study_stops_with_checkpoints),
        cmocka_unit_test(a_cancelled_run_is_left_alone_and_the_study_goes_on),
        cmocka_unit_test(a_stale_request_stops_nobody),
        cmocka_unit_test(temporary_files_of_others_stay),
        cmocka_unit_test(equal_runs_are_done_once)};
    study_assets = sp_assets_new();
    int failed = cmocka_run_group_tests(tests, study_setup, study_teardown);
    sp_assets_free(study_assets);
    return failed;
}
