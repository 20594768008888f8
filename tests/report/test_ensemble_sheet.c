/* The table of ensembles, from stored answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/ensemble.h"

#include <math.h>

#define SPEC                                                                                       \
    "name: votes\nbase: {model: m, dataset: d, data: {limit: 9}}\nmethods: {prompt: {}, prefix: "  \
    "{}}\n"                                                                                        \
    "seeds: [1, 2, 3]\nsubsamples: [1, 2]\n"                                                       \
    "report: {table: {metrics: [accuracy], groups: [all]}, ensemble: true}\n"

static sp_spec spec;
static sp_run_list runs;

/* A finished run that answers four examples, whose labels are abab, with the letters of `said`. */
static void write_answers(const sp_run_spec *run, const char *said, const char *inputs) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_test(&log, NULL, "accuracy", 1);
    for (int i = 0; i < 4; i++)
        sp_runlog_prediction(&log, (char[]){inputs[i], 0}, (char[]){said[i], 0}, i % 2 ? "b" : "a");
    study_write_log(run, &log);
}

static void write_entry(const char *entry, int subsample, const char *const *said) {
    for (size_t i = 0; i < runs.count; i++) {
        const sp_run_spec *run = &runs.items[i];
        if (strcmp(run->entry, entry) == 0 && run->subsample == subsample && said[run->seed - 1])
            write_answers(run, said[run->seed - 1], "wxyz");
    }
}

static int setup(void **state) {
    study_setup(state);
    assert_int_equal(study_read(SPEC, NULL, NULL, &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    return 0;
}

static int teardown(void **state) {
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
    return study_teardown(state);
}

static void expect_csv(const char *expected) {
    sp_results r;
    sp_sheet sheet = {0};
    sp_buf csv = {0};
    assert_int_equal(sp_results_load(&spec, &runs, study_folder, &r), SP_OK);
    if (sp_ensemble_sheet(&r, study_folder, &sheet)) fail_msg("%s", sp_error());
    sp_sheet_csv(&sheet, &csv);
    const char *rows = strchr(csv.data, '\n') + 1;
    while (*rows == '\r' || *rows == '\n') rows++;
    assert_string_equal(rows, expected);
    sp_buf_free(&csv);
    sp_sheet_free(&sheet);
    sp_results_free(&r);
}

static void average_best_and_vote_are_those_of_the_stored_answers(void **state) {
    (void)state;
    /* right: abab; the seeds have 3, 3 and 3 of 4, their majority all; then 4, 2, 2 with abbb */
    write_entry("prompt", 1, (const char *const[]){"abaa", "abbb", "bbab"});
    write_entry("prompt", 2, (const char *const[]){"abab", "abba", "abba"});
    /* a lone seed has no vote, and neither has its row */
    write_entry("prefix", 1, (const char *const[]){"abab", NULL, NULL});
    expect_csv("Prompt tuning,3,70.83333333,87.5,75\n");
}

static void seeds_with_other_examples_are_refused(void **state) {
    (void)state;
    sp_results r;
    sp_sheet sheet = {0};
    size_t written = 0;
    for (size_t i = 0; i < runs.count && written < 2; i++)
        if (runs.items[i].subsample == 1)
            write_answers(&runs.items[i], "abab", written++ ? "vxyz" : "wxyz");
    assert_int_equal(sp_results_load(&spec, &runs, study_folder, &r), SP_OK);
    assert_int_equal(sp_ensemble_sheet(&r, study_folder, &sheet), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "has other test examples than the seeds beside it"));
    sp_sheet_free(&sheet);
    sp_results_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(average_best_and_vote_are_those_of_the_stored_answers,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(seeds_with_other_examples_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
