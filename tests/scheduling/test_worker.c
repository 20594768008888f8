/* A process for one job: what it shares with its parent, and what it tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduling/slots.h"
#include "scheduling/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Starts the job on all CPUs and hears it to its end; *news counts the reports of progress. */
static sp_status do_job(sp_job *job, void *user, sp_progress_state *last, int *news) {
    sp_worker w;
    sp_slots cpus = sp_slots_usable();
    sp_progress_state state;
    sp_worker_news heard;
    *news = 0;
    assert_int_equal(sp_worker_start(&w, job, user, &cpus.all, -1), SP_OK);
    while ((heard = sp_worker_listen(&w, &state)) != SP_WORKER_ENDED) {
        if (heard != SP_WORKER_PROGRESS) continue;
        ++*news;
        *last = state;
        if (state.phase) assert_string_equal(state.phase, "dev");
    }
    return sp_worker_end(&w);
}

/* ---- memory ---- */

/* Kilobytes of this process that no other process has too; -1: the system does not tell. */
static long private_kilobytes(void) {
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    if (!f) return -1;
    char line[256];
    long sum = 0, value;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Clean: %ld", &value) == 1 ||
            sscanf(line, "Private_Dirty: %ld", &value) == 1)
            sum += value;
    fclose(f);
    return sum;
}

typedef struct block {
    char *data;
    size_t len;
} block;

/* Reads all of the block; then writes into half of it. */
static sp_status use_block(void *user, const sp_progress *progress) {
    (void)progress;
    const block *b = user;
    long before = private_kilobytes(), size = (long)(b->len >> 10), sum = 0;
    for (size_t i = 0; i < b->len; i += 64) sum += b->data[i];
    long after_reading = private_kilobytes();
    memset(b->data, 2, b->len / 2);
    long after_writing = private_kilobytes();
    if (before < 0) return SP_OK;
    if (sum != (long)(b->len / 64) || after_reading - before > size / 16)
        return sp_fail(SP_ERR_DATA, "reading %ld kB made %ld kB private", size,
                       after_reading - before);
    if (after_writing - before < size / 2 - size / 16)
        return sp_fail(SP_ERR_DATA, "writing half of %ld kB made only %ld kB private", size,
                       after_writing - before);
    return SP_OK;
}

static void what_a_worker_only_reads_stays_shared(void **state) {
    (void)state;
    if (private_kilobytes() < 0) skip();
    block b = {.len = (size_t)32 << 20};
    b.data = malloc(b.len);
    memset(b.data, 1, b.len);
    sp_progress_state last;
    int news;
    if (do_job(use_block, &b, &last, &news)) fail_msg("%s", sp_error());
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] != 1) fail_msg("byte %zu was changed by the worker", i);
    free(b.data);
}

/* ---- what it tells ---- */

static sp_status report_often(void *user, const sp_progress *progress) {
    (void)user;
    sp_progress_state state = sp_progress_start();
    for (int i = 0; i < 20000; i++) {
        state.step = i + 1;
        state.phase = i ? NULL : "dev";
        sp_progress_report(progress, &state);
    }
    return SP_OK;
}

static void progress_comes_at_once_but_not_in_floods(void **state) {
    (void)state;
    sp_progress_state last;
    int news;
    assert_int_equal(do_job(report_often, NULL, &last, &news), SP_OK);
    assert_in_range(news, 1, 200);
    assert_true(last.step >= 1);
}

static sp_status fail_with(void *user, const sp_progress *progress) {
    (void)progress;
    return sp_fail(SP_ERR_NUMERIC, "%s", (const char *)user);
}

static sp_status say_nothing(void *user, const sp_progress *progress) {
    if (write(STDERR_FILENO, "", 0)) return SP_ERR_IO;
    return fail_with(user, progress);
}

static void a_failure_comes_with_its_message(void **state) {
    (void)state;
    sp_progress_state last;
    int news;
    char long_message[4000];
    memset(long_message, 'x', sizeof long_message);
    long_message[sizeof long_message - 1] = '\0';
    assert_int_equal(do_job(fail_with, "step 3: the loss is NaN", &last, &news), SP_ERR_NUMERIC);
    assert_string_equal(sp_error(), "step 3: the loss is NaN");
    assert_int_equal(do_job(fail_with, long_message, &last, &news), SP_ERR_NUMERIC);
    assert_true(strlen(sp_error()) > 1000);
    assert_int_equal(do_job(say_nothing, "after nothing", &last, &news), SP_ERR_NUMERIC);
    assert_string_equal(sp_error(), "after nothing");
}

static sp_status talk_and_leave(void *user, const sp_progress *progress) {
    (void)user, (void)progress;
    fputs("\nsoftprompt: internal error: the third kind\nmore of it\n", stderr);
    _exit(SP_ERR_INTERNAL);
}

static sp_status leave(void *user, const sp_progress *progress) {
    (void)user, (void)progress;
    _exit(3);
}

static void a_worker_that_ends_without_a_word_is_a_failure_with_its_last_line(void **state) {
    (void)state;
    sp_progress_state last;
    int news;
    assert_int_equal(do_job(talk_and_leave, NULL, &last, &news), SP_ERR_INTERNAL);
    assert_string_equal(sp_error(), "internal error: the third kind");
    assert_int_equal(do_job(leave, NULL, &last, &news), SP_ERR_INTERNAL);
    assert_string_equal(sp_error(), "its process ended with exit code 3");
}

/* Of a sanitizer build. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static sp_status lose_memory(void *user, const sp_progress *progress) {
    (void)user, (void)progress;
    for (int i = 0; i < 100; i++) {
        char *volatile lost = malloc(100);
        lost[0] = 1;
    }
    return SP_OK;
}

static void what_a_worker_leaks_is_found_in_a_sanitizer_build(void **state) {
    (void)state;
    if (!__lsan_do_recoverable_leak_check) skip();
    sp_progress_state last;
    int news;
    assert_int_equal(do_job(lose_memory, NULL, &last, &news), SP_ERR_INTERNAL);
    assert_string_equal(sp_error(), "memory was leaked");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_worker_only_reads_stays_shared),
        cmocka_unit_test(progress_comes_at_once_but_not_in_floods),
        cmocka_unit_test(a_failure_comes_with_its_message),
        cmocka_unit_test(what_a_worker_leaks_is_found_in_a_sanitizer_build),
        cmocka_unit_test(a_worker_that_ends_without_a_word_is_a_failure_with_its_last_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
