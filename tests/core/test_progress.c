#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/progress.h"

#include <stdlib.h>

static void expect(const sp_progress_state *s, const char *line) {
    char *text = sp_progress_text(s);
    assert_string_equal(text, line);
    free(text);
}

/* A line tells what a person waiting wants to know, and nothing that is unknown. */
static void test_line(void **state) {
    (void)state;
    sp_progress_state s = sp_progress_start();
    expect(&s, "");
    s.phase = "test";
    expect(&s, "test");
    s = (sp_progress_state){.experiment = "table1",
                            .run = 4,
                            .runs = 9,
                            .label = "prefix len 10",
                            .replicate = "seed 1",
                            .step = 220,
                            .steps = 400,
                            .loss = 1.31,
                            .tokens_per_second = 5210,
                            .dev_metric = "bleu",
                            .dev_value = 48.1,
                            .seconds_left = 350};
    expect(&s, "table1 \xc2\xb7 4/9 runs \xc2\xb7 prefix len 10 seed 1 \xc2\xb7 step 220/400 "
               "\xc2\xb7 loss 1.31 \xc2\xb7 5.2k tok/s \xc2\xb7 dev BLEU 48.1 \xc2\xb7 6 min left");
    s = sp_progress_start();
    s.dev_metric = "accuracy", s.dev_value = 30;
    expect(&s, "dev accuracy 30.0");
}

/* Of several runs at a time, a line tells how many are done, at work and failed. */
static void test_line_of_several_runs(void **state) {
    (void)state;
    sp_progress_state s = sp_progress_start();
    s.run = 4, s.runs = 9, s.done = 3, s.running = 2;
    expect(&s, "3/9 runs done, 2 running");
    s.failed = 1;
    s.label = "prefix length 10";
    expect(&s, "3/9 runs done, 2 running, 1 failed \xc2\xb7 prefix length 10");
}

/* Durations are rounded to what one says. */
static void test_durations(void **state) {
    (void)state;
    const double seconds[] = {0.4, 59, 100, 3600, 7530};
    const char *const texts[] = {"0 s", "59 s", "2 min", "60 min", "2 h 6 min"};
    for (int i = 0; i < 5; i++) {
        char *text = sp_duration_text(seconds[i]);
        assert_string_equal(text, texts[i]);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_line),
                                       cmocka_unit_test(test_line_of_several_runs),
                                       cmocka_unit_test(test_durations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
