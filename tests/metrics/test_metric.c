/* Metrics against sacrebleu and rouge-score (tests/golden/make_metrics.py) and at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "metrics/metric.h"
#include "metrics/tokenize_13a.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFERENCES = 8, MOST_TEXTS = 20000 };
static const double TOLERANCE = 1e-6;

/* $SP_METRICS_GOLDEN names another folder made by the script, for a larger comparison by hand. */
static const char *golden_folder(void) {
    const char *folder = getenv("SP_METRICS_GOLDEN");
    return folder ? folder : "tests/golden/metrics";
}

static sp_buf read_golden(const char *name) {
    char *path = sp_path_join(golden_folder(), name);
    sp_buf content = {0};
    assert_int_equal(sp_read_file(path, &content), SP_OK);
    free(path);
    return content;
}

/* Cuts `content` into texts that borrow it; returns how many. */
static size_t cut_texts(sp_buf *content, sp_scored_text *texts, const char **references) {
    size_t count = 0;
    for (char *rest = content->data, *line; (line = strsep(&rest, "\n")) && rest;) {
        assert_in_range(count, 0, MOST_TEXTS - 1);
        sp_scored_text *text = &texts[count];
        *text = (sp_scored_text){strsep(&line, "\t"), references + MOST_REFERENCES * count, 0};
        while (line)
            references[MOST_REFERENCES * count + text->reference_count++] = strsep(&line, "\t");
        count++;
    }
    return count;
}

static void scores_equal_sacrebleu_and_rouge_score(void **state) {
    (void)state;
    sp_buf content = read_golden("texts.tsv"), scores = read_golden("scores.tsv");
    sp_scored_text *texts = sp_alloc(MOST_TEXTS, sizeof *texts);
    const char **references = sp_alloc(MOST_TEXTS * MOST_REFERENCES, sizeof *references);
    size_t count = cut_texts(&content, texts, references);
    double worst = 0;
    for (char *rest = scores.data, *line; (line = strsep(&rest, "\n")) && rest;) {
        char name[16];
        size_t first, length;
        double expected;
        assert_int_equal(sscanf(line, "%15s %zu %zu %lf", name, &first, &length, &expected), 4);
        assert_in_range(first + length, 1, count);
        double got = sp_metric_find(name)->score(texts + first, length);
        if (!(fabs(got - expected) <= TOLERANCE))
            fail_msg("%s of %zu texts from line %zu is %.9f, not %.9f", name, length, first + 1,
                     got, expected);
        worst = fmax(worst, fabs(got - expected));
    }
    print_message("%zu texts, largest difference %.2g\n", count, worst);
    free(references);
    free(texts);
    sp_buf_free(&content);
    sp_buf_free(&scores);
}

static double score_one(const sp_metric *metric, const char *hypothesis, const char *reference) {
    sp_scored_text text = {hypothesis, &reference, 1};
    return metric->score(&text, 1);
}

static void a_text_scores_100_against_itself(void **state) {
    (void)state;
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        assert_float_equal(score_one(sp_metrics[i], "one two three four", "one two three four"),
                           100, TOLERANCE);
}

static void nothing_to_match_scores_0(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"", ""}, {"", "a b c d"}, {"a b c d", ""}, {" ", " "}};
    for (int i = 0; i < SP_METRIC_COUNT; i++) {
        assert_true(sp_metrics[i]->score(NULL, 0) == 0);
        assert_true(sp_metrics[i]->score(&(sp_scored_text){"a b c d", NULL, 0}, 1) == 0);
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
            assert_true(score_one(sp_metrics[i], pairs[p][0], pairs[p][1]) == 0);
    }
}

static void another_reference_never_lowers_rouge_l(void **state) {
    (void)state;
    const char *references[] = {"the cat sat down", "no word in common", "a cat sat"};
    double before = 0;
    for (size_t count = 1; count <= 3; count++) {
        sp_scored_text text = {"a cat sat", references, count};
        double score = sp_metric_rouge_l.score(&text, 1);
        assert_true(score >= before);
        before = score;
    }
    assert_float_equal(before, 100, TOLERANCE);
}

/* Different broken bytes are different characters; the same ones match. */
static void bytes_that_are_not_utf8_are_characters(void **state) {
    (void)state;
    assert_float_equal(score_one(&sp_metric_chrf, "\xff\xfe\x80", "\xff\xfe\x80"), 100, TOLERANCE);
    assert_true(score_one(&sp_metric_chrf, "\xff", "\xfe") == 0);
    assert_float_equal(score_one(&sp_metric_bleu, "\xe4 \xc3( b c", "\xe4 \xc3( b c"), 100,
                       TOLERANCE);
}

static void a_metric_is_found_by_its_name_alone(void **state) {
    (void)state;
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        assert_ptr_equal(sp_metric_find(sp_metrics[i]->name), sp_metrics[i]);
    assert_null(sp_metric_find("BLEU"));
    const sp_metric *metric;
    assert_int_equal(sp_metric_require("chrff", &metric), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "did you mean 'chrf'"));
    assert_non_null(strstr(sp_error(), "bleu, chrf, rouge-l"));
}

/* The tokens of an ASCII text, joined by single spaces. */
static void check_tokens(const char *text, const char *expected) {
    sp_symbols tokens = {0};
    sp_buf joined = {0};
    sp_tokenize_13a(text, &tokens);
    bool gap = false;
    for (size_t i = 0; i < tokens.len; i++) {
        if (sp_is_white_space(tokens.data[i])) {
            gap = joined.len > 0;
            continue;
        }
        if (gap) sp_buf_putc(&joined, ' ');
        sp_buf_putc(&joined, (char)tokens.data[i]);
        gap = false;
    }
    assert_string_equal(joined.data, expected);
    sp_buf_free(&joined);
    sp_symbols_free(&tokens);
}

static void tokens_are_those_of_mteval_13a(void **state) {
    (void)state;
    check_tokens("It's $3.14, not 1,000-2,000!", "It's $ 3.14 , not 1,000 - 2,000 !");
    check_tokens("well-known (3-fold)", "well-known ( 3 - fold )");
    check_tokens("a line-\nbroken word\nand a next line", "a linebroken word and a next line");
    check_tokens("&quot;R&amp;D&quot; &lt;b&gt;<skipped>", "\" R & D \" < b >");
    check_tokens("ends in a dash-\n", "ends in a dash-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_sacrebleu_and_rouge_score),
        cmocka_unit_test(a_text_scores_100_against_itself),
        cmocka_unit_test(nothing_to_match_scores_0),
        cmocka_unit_test(another_reference_never_lowers_rouge_l),
        cmocka_unit_test(bytes_that_are_not_utf8_are_characters),
        cmocka_unit_test(a_metric_is_found_by_its_name_alone),
        cmocka_unit_test(tokens_are_those_of_mteval_13a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
