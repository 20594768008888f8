/* Claims judged from run files: against an independent bootstrap (tests/golden/make_claims.py), on
 * simulated nulls, and where runs are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "experiment/study_fixture.h"
#include "report/claim_board.h"
#include "report/claim_statistics.h"

#include <math.h>

static sp_spec spec;
static sp_run_list runs;
static sp_results results;
static sp_assets *assets;
static sp_judgement *judgements;
static size_t count;

static void open_study(const char *text) {
    if (study_read(text, NULL, NULL, &spec)) fail_msg("%s", sp_error());
    if (sp_expand(&spec, study_identify, NULL, &runs)) fail_msg("%s", sp_error());
    char *path = sp_path_join(study_folder, "runs");
    study_remove(path);
    free(path);
}

static void judge(void) {
    assets = sp_assets_new();
    if (sp_results_load(&spec, &runs, study_folder, &results)) fail_msg("%s", sp_error());
    if (sp_claims_judge(&results, study_folder, assets, &judgements, &count))
        fail_msg("%s", sp_error());
}

static void close_study(void) {
    sp_judgements_free(judgements, count);
    sp_results_free(&results);
    sp_assets_free(assets);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
}

static const sp_judgement *find(const char *id) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(judgements[i].claim.id, id) == 0) return &judgements[i];
    fail_msg("no claim %s", id);
    return NULL;
}

/* A finished run with its answers to inputs "PREFIX0", "PREFIX1", ... */
static void write_run(const sp_run_spec *run, const char *prefix, char *const *answers, size_t n) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "finished");
    sp_runlog_number(&log, "trainable_parameters", strcmp(run->entry, "prefix") == 0 ? 10 : 20);
    for (size_t i = 0; i < n; i++) {
        char *input = sp_format("%s%zu", prefix, i);
        sp_runlog_prediction(&log, input, answers[i], "");
        free(input);
    }
    study_write_log(run, &log);
}

/* ---- against numpy ---- */

static char *read_file(const char *path) {
    sp_buf text = {0};
    if (sp_read_file(path, &text)) fail_msg("%s", sp_error());
    return sp_buf_take(&text);
}

/* A line of answers.tsv: entry, length or "-", seed, answers. */
static void write_recorded(char *line) {
    char *answers[200], *entry = strsep(&line, "\t"), *length = strsep(&line, "\t");
    int seed = atoi(strsep(&line, "\t"));
    size_t n = 0, written = 0;
    while (line && n < 200) answers[n++] = strsep(&line, "\t");
    for (size_t i = 0; i < runs.count; i++) {
        const sp_run_spec *run = &runs.items[i];
        char *point = sp_format("length %s", length);
        bool same_point = strcmp(length, "-") == 0 || strcmp(run->point, point) == 0;
        if (strcmp(run->entry, entry) == 0 && same_point && run->seed == seed)
            write_run(run, "record ", answers, n), written++;
        free(point);
    }
    assert_int_equal(written, 1);
}

/* Effects are equal; intervals and p-values as far as two sets of resamples allow: the standard
 * error of a 2.5 % quantile of 2,000 normal deviates is about 6 % of their standard deviation,
 * more in the tails of Student's t. */
static void effects_intervals_and_p_values_are_those_of_numpy(void **state) {
    (void)state;
    char *text = read_file("tests/golden/claims/study.yaml");
    open_study(text);
    char *all = read_file("tests/golden/claims/answers.tsv");
    for (char *rest = all, *line; (line = strsep(&rest, "\n")) && rest;) write_recorded(line);
    judge();
    char *expected = read_file("tests/golden/claims/expected.tsv");
    size_t compared = 0;
    for (char *rest = expected, *line; (line = strsep(&rest, "\n")) && rest; compared++) {
        char id[32];
        double effect, low, high, p;
        assert_int_equal(sscanf(line, "%31s %lf %lf %lf %lf", id, &effect, &low, &high, &p), 5);
        const sp_judgement *j = find(id);
        if (j->verdict == SP_NOT_TESTABLE) fail_msg("%s: %s", id, j->reason);
        double width = high - low;
        if (fabs(j->effect - effect) > 1e-6 * (1 + fabs(effect)))
            fail_msg("%s: effect %.9g, not %.9g", id, j->effect, effect);
        if (fabs(j->low - low) > 0.12 * width || fabs(j->high - high) > 0.12 * width)
            fail_msg("%s: [%g, %g], not [%g, %g]", id, j->low, j->high, low, high);
        if (fabs(j->p - p) > 0.003 + 5 * sqrt(2 * p / 2000))
            fail_msg("%s: p %g, not %g", id, j->p, p);
    }
    assert_int_equal(compared, count);
    assert_int_equal(find("more")->seeds, 3);
    assert_int_equal(find("less")->examples, 30);
    free(text), free(all), free(expected);
    close_study();
}

/* ---- simulated studies ---- */

enum { TEXTS = 100, PAIRS = 120 };

static void write_labels(void) {
    static const char *const splits[] = {"train", "dev", "test"};
    sp_buf text = {0};
    for (int i = 0; i < TEXTS; i++)
        sp_buf_printf(&text, "{\"text\": \"t%d\", \"label\": \"%s\"}\n", i, i % 2 ? "yes" : "no");
    for (int i = 0; i < 3; i++) {
        char *path = sp_format("%s/%s.jsonl", study_folder, splits[i]);
        assert_int_equal(sp_write_file(path, text.data, text.len), SP_OK);
        free(path);
    }
    sp_buf_free(&text);
    char *path = sp_path_join(study_folder, "set.yaml");
    const char *card = "name: set\ntitle: t\nlicence: l\nsource: s\nreader: jsonl\n"
                       "splits: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n";
    assert_int_equal(sp_write_file(path, card, strlen(card)), SP_OK);
    free(path);
}

/* Answers that are right with probability `share`. */
static void write_guesses(const sp_run_spec *run, double share, sp_rng *rng) {
    static char yes[] = "yes", no[] = "no";
    char *answers[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        bool right = sp_rng_uniform(rng) < share;
        answers[i] = right == (i % 2 == 1) ? yes : no;
    }
    write_run(run, "t", answers, TEXTS);
}

/* PAIRS pairs of methods that are equally good, with `seeds` seeds of which each has an effect of
 * its own. Returns the share of the pairs with p < 0.05. */
static double share_of_false_alarms(int seeds, double seed_effect, uint64_t stream) {
    sp_buf text = {0};
    sp_buf_printf(&text, "name: x\nbase: {model: m, dataset: %s/set.yaml}\n", study_folder);
    sp_buf_puts(&text, "methods: {prefix: {}, prompt: {}}\ngrid: {train.steps: [");
    for (int i = 1; i <= PAIRS; i++) sp_buf_printf(&text, "%s%d", i > 1 ? ", " : "", i);
    sp_buf_puts(&text, "]}\nseeds: [");
    for (int i = 1; i <= seeds; i++) sp_buf_printf(&text, "%s%d", i > 1 ? ", " : "", i);
    sp_buf_puts(&text, "]\nclaims:\n");
    for (int i = 1; i <= PAIRS; i++)
        sp_buf_printf(
            &text,
            "  - {id: c%d, text: t, test: 'mean(test.all.accuracy | entry=prefix, "
            "train.steps=%d) > mean(test.all.accuracy | entry=prompt, train.steps=%d)'}\n",
            i, i, i);
    write_labels();
    open_study(text.data);
    sp_buf_free(&text);
    sp_rng rng = sp_rng_make(stream, "null");
    for (size_t i = 0; i < runs.count; i++)
        write_guesses(&runs.items[i], 0.7 + seed_effect * sp_rng_normal(&rng), &rng);
    judge();
    size_t alarms = 0, after_holm = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_not_equal(judgements[i].verdict, SP_NOT_TESTABLE);
        alarms += judgements[i].p < 0.05, after_holm += judgements[i].adjusted < 0.05;
    }
    assert_in_range(after_holm, 0, 1);
    close_study();
    return (double)alarms / PAIRS;
}

/* 5 % of 120 have a standard deviation of 2 %. With several seeds it may be fewer: chance in the
 * examples counts twice. */
static void a_difference_that_is_chance_is_called_one_in_twenty_times(void **state) {
    (void)state;
    double one_seed = share_of_false_alarms(1, 0, 1), three = share_of_false_alarms(3, 0.1, 2);
    if (one_seed < 0.005 || one_seed > 0.11) fail_msg("one seed: %g", one_seed);
    if (three > 0.11) fail_msg("three seeds: %g", three);
}

static const char small[] =
    "methods: {prefix: {}, prompt: {}}\nseeds: [1, 2, 3]\n"
    "claims:\n"
    "  - {id: better, text: t, test: 'mean(test.all.accuracy | entry=prefix) > "
    "mean(test.all.accuracy | entry=prompt)'}\n"
    "  - {id: worse, text: t, test: 'mean(test.all.accuracy | entry=prefix) < "
    "mean(test.all.accuracy | entry=prompt)'}\n"
    "  - {id: vote, text: t, test: 'vote(test.all.accuracy | entry=prompt) > "
    "mean(test.all.accuracy | entry=prompt)'}\n"
    "  - {id: macro, text: t, test: 'mean(test.all.macro-f1 | entry=prefix) > "
    "mean(test.all.macro-f1 | entry=prompt)'}\n"
    "  - {id: size, text: t, test: 'mean(trainable_parameters | entry=prefix) < 0.6 * "
    "mean(trainable_parameters | entry=prompt)'}\n"
    "  - {id: cost, text: t, test: 'mean(pscp | entry=prefix) > 1'}\n"
    "  - {id: none, text: t, test: 'mean(test.all.accuracy | entry=prefix, method.length=99) > "
    "1'}\n"
    "  - {id: text, text: t, test: 'mean(test.all.bleu | entry=prefix) > 1'}\n"
    "  - {id: group, text: t, test: 'mean(test.unseen.accuracy | entry=prefix) > 1'}\n"
    "  - {id: never, text: t, not_testable: too large}\n";

static void open_small(void) {
    char *text =
        sp_format("name: x\nbase: {model: m, dataset: %s/set.yaml}\n%s", study_folder, small);
    write_labels();
    open_study(text);
    free(text);
}

static void a_clear_difference_holds_one_way_and_fails_the_other(void **state) {
    (void)state;
    open_small();
    sp_rng rng = sp_rng_make(1, "runs");
    for (size_t i = 0; i < runs.count; i++)
        write_guesses(&runs.items[i], strcmp(runs.items[i].entry, "prefix") == 0 ? 0.98 : 0.65,
                      &rng);
    judge();
    assert_int_equal(find("better")->verdict, SP_HOLDS);
    assert_int_equal(find("worse")->verdict, SP_FAILS);
    assert_int_equal(find("vote")->verdict, SP_HOLDS);
    assert_int_equal(find("macro")->verdict, SP_HOLDS);
    assert_int_equal(find("macro")->resamples, 400);
    assert_int_equal(find("size")->verdict, SP_HOLDS);
    assert_true(find("better")->effect == find("worse")->effect);
    assert_int_equal(find("better")->runs, 6);
    assert_non_null(strstr(find("vote")->note, "for these seeds"));
    assert_int_equal(find("none")->verdict, SP_NOT_TESTABLE);
    assert_non_null(strstr(find("none")->reason, "no run with entry=prefix, method.length=99"));
    assert_non_null(strstr(find("text")->reason, "set.yaml has no test.all.bleu"));
    assert_non_null(strstr(find("group")->reason, "no test examples of group unseen"));
    assert_non_null(strstr(find("cost")->reason, "pscp needs report: cost in "));
    assert_string_equal(find("never")->reason, "too large");
    close_study();
}

static void claims_without_their_runs_are_not_testable_and_say_so(void **state) {
    (void)state;
    open_small();
    sp_rng rng = sp_rng_make(1, "runs");
    for (size_t i = 1; i < runs.count; i++) write_guesses(&runs.items[i], 0.7, &rng);
    judge();
    assert_int_equal(find("better")->verdict, SP_NOT_TESTABLE);
    assert_non_null(strstr(find("better")->reason, "1 of 6 runs missing; softprompt run "));
    assert_int_not_equal(find("vote")->verdict, SP_NOT_TESTABLE);
    sp_buf text = {0};
    sp_claims_text(judgements, count, &text);
    assert_non_null(strstr(text.data, "10 claims: "));
    sp_buf_free(&text);
    close_study();
}

static void runs_tested_on_other_texts_are_not_compared(void **state) {
    (void)state;
    open_small();
    char *answers[TEXTS];
    static char yes[] = "yes";
    for (int i = 0; i < TEXTS; i++) answers[i] = yes;
    for (size_t i = 0; i < runs.count; i++)
        write_run(&runs.items[i], i ? "t" : "u", answers, TEXTS);
    judge();
    assert_int_equal(find("better")->verdict, SP_NOT_TESTABLE);
    assert_non_null(strstr(find("better")->reason, "was tested on other texts"));
    close_study();
}

static void the_board_goes_by_paper_and_keeps_the_order_within_one(void **state) {
    (void)state;
    static char study[] = "own";
    sp_judgement all[] = {
        {.study = study, .claim = {.id = "1", .source = "Prompt Tuning, section 6"}},
        {.study = study, .claim = {.id = "2", .source = "LoRA, Table 3"}},
        {.study = study, .claim = {.id = "3", .source = ""}},
        {.study = study, .claim = {.id = "4", .source = "Prompt Tuning: a word"}},
        {.study = study, .claim = {.id = "5", .source = "LoRA (2021)"}}};
    static const char *const order[] = {"2", "5", "3", "1", "4"}, *const papers[] = {
                                                                      "LoRA", "LoRA", "own",
                                                                      "Prompt Tuning",
                                                                      "Prompt Tuning"};
    sp_claims_sort(all, 5);
    for (size_t i = 0; i < 5; i++) {
        char *paper = sp_claim_paper(&all[i]);
        assert_string_equal(all[i].claim.id, order[i]);
        assert_string_equal(paper, papers[i]);
        assert_int_equal(sp_claim_begins_paper(all, i), i != 1 && i != 4);
        free(paper);
    }
}

/* ---- statistics ---- */

/* Of p-values 0.01, 0.04, 0.03, 0.005: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 raised to that. */
static void holm_multiplies_step_by_step_and_keeps_the_order(void **state) {
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.005, 0.9};
    const double expected[] = {0.04, 0.09, 0.09, 0.025, 0.9};
    sp_holm(p, 5);
    for (int i = 0; i < 5; i++) assert_true(fabs(p[i] - expected[i]) < 1e-12);
    sp_holm(p, 0);
}

/* Replicates of a curve: the estimate and noise of standard deviation 1. */
static sp_claim_effect measure_curve(sp_claim_form form, const double *y, size_t points) {
    enum { REPLICATES = 1000 };
    double *replicates = sp_alloc(REPLICATES * points, sizeof *replicates);
    sp_rng rng = sp_rng_make(3, "curve");
    for (size_t i = 0; i < REPLICATES * points; i++)
        replicates[i] = y[i % points] + sp_rng_normal(&rng);
    sp_claim_effect e;
    sp_claim_measure(form, &(sp_claim_values){y, replicates, points, REPLICATES}, &e);
    free(replicates);
    return e;
}

static void a_curve_is_what_its_name_says_and_nothing_else(void **state) {
    (void)state;
    static const double rising[] = {0, 10, 20, 30}, flat[] = {0, 30, 31, 30.5},
                        peak[] = {0, 20, 20, 5}, saw[] = {0, 20, 10, 30},
                        level[] = {1, 1.2, 0.9, 1.1};
    sp_claim_effect e = measure_curve(SP_CLAIM_RISES, rising, 4);
    assert_true(fabs(e.effect - 30) < 1e-9 && e.p < 0.01 && !*e.against);
    e = measure_curve(SP_CLAIM_RISES, saw, 4);
    assert_true(e.p < 0.01 && *e.against);
    e = measure_curve(SP_CLAIM_FALLS, rising, 4);
    assert_true(e.effect > 0 && e.p < 0.01);
    e = measure_curve(SP_CLAIM_RISES_THEN_FLAT, flat, 4);
    assert_true(fabs(e.effect - 31) < 1e-9 && e.p < 0.01 && !*e.against);
    assert_true(*measure_curve(SP_CLAIM_RISES_THEN_FLAT, rising, 4).against);
    assert_true(*measure_curve(SP_CLAIM_RISES_THEN_FLAT, peak, 4).against);
    assert_true(measure_curve(SP_CLAIM_RISES_THEN_FLAT, level, 4).p > 0.05);
    e = measure_curve(SP_CLAIM_RISES_THEN_FALLS, peak, 4);
    assert_true(fabs(e.effect - 15) < 1e-9 && e.p < 0.01);
    e = measure_curve(SP_CLAIM_RISES_THEN_FALLS, rising, 4);
    assert_true(e.effect < 0 && e.p < 0.01);
    assert_true(measure_curve(SP_CLAIM_RISES_THEN_FALLS, flat, 4).p > 0.05);
    e = measure_curve(SP_CLAIM_SHRINKS, (const double[]){30, 20, 10}, 3);
    assert_true(fabs(e.effect + 20) < 1e-9 && e.p < 0.01 && !*e.lacking);
    assert_true(*measure_curve(SP_CLAIM_SHRINKS, (const double[]){-1, -10, -20}, 3).lacking);
    assert_true(*measure_curve(SP_CLAIM_SHRINKS, (const double[]){1, -10, -20}, 3).lacking);
    assert_true(*measure_curve(SP_CLAIM_SHRINKS, (const double[]){9, 0, -12}, 3).lacking);
    assert_false(*measure_curve(SP_CLAIM_SHRINKS, (const double[]){20, 9, -2}, 3).lacking);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_intervals_and_p_values_are_those_of_numpy),
        cmocka_unit_test(a_difference_that_is_chance_is_called_one_in_twenty_times),
        cmocka_unit_test(a_clear_difference_holds_one_way_and_fails_the_other),
        cmocka_unit_test(claims_without_their_runs_are_not_testable_and_say_so),
        cmocka_unit_test(runs_tested_on_other_texts_are_not_compared),
        cmocka_unit_test(the_board_goes_by_paper_and_keeps_the_order_within_one),
        cmocka_unit_test(holm_multiplies_step_by_step_and_keeps_the_order),
        cmocka_unit_test(a_curve_is_what_its_name_says_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
