/* Metrics against their reference tools (tests/golden/make_metrics.py) and at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "metrics/metric.h"
#include "metrics/tokenizers.h"

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

typedef struct golden_set {
    sp_buf content;
    sp_scored_text *texts;
    const char **references;
    size_t count;
} golden_set;

static golden_set read_set(const char *name) {
    golden_set set = {.content = read_golden(name)};
    set.texts = sp_alloc(MOST_TEXTS, sizeof *set.texts);
    set.references = sp_alloc(MOST_TEXTS * MOST_REFERENCES, sizeof *set.references);
    set.count = cut_texts(&set.content, set.texts, set.references);
    return set;
}

static void free_set(golden_set *set) {
    free(set->references);
    free(set->texts);
    sp_buf_free(&set->content);
}

static void scores_equal_the_reference_tools(void **state) {
    (void)state;
    golden_set sets[] = {[SP_GENERATION] = read_set("texts.tsv"),
                         [SP_CLASSIFICATION] = read_set("labels.tsv"),
                         [SP_TAGGING] = read_set("tags.tsv")};
    sp_buf scores = read_golden("scores.tsv");
    double worst = 0;
    size_t compared = 0;
    for (char *rest = scores.data, *line; (line = strsep(&rest, "\n")) && rest; compared++) {
        char name[16];
        size_t first, length;
        double expected;
        assert_int_equal(sscanf(line, "%15s %zu %zu %lf", name, &first, &length, &expected), 4);
        const sp_metric *metric = sp_metric_find(name);
        assert_in_range(first + length, 1, sets[metric->task].count);
        double got = metric->score(sets[metric->task].texts + first, length);
        if (!(fabs(got - expected) <= TOLERANCE))
            fail_msg("%s of %zu texts from line %zu is %.9f, not %.9f", name, length, first + 1,
                     got, expected);
        worst = fmax(worst, fabs(got - expected));
    }
    assert_true(compared > 1000);
    print_message("%zu scores, largest difference %.2g\n", compared, worst);
    free_set(&sets[SP_GENERATION]);
    free_set(&sets[SP_CLASSIFICATION]);
    free_set(&sets[SP_TAGGING]);
    sp_buf_free(&scores);
}

/* Texts of which some stand twice or not at all: what each has alone, added up, is what the metric
 * says of the list. */
static void sums_of_single_texts_give_the_score_of_any_list_of_them(void **state) {
    (void)state;
    enum { LIST = 300 };
    static sp_scored_text list[LIST];
    golden_set sets[] = {[SP_GENERATION] = read_set("texts.tsv"),
                         [SP_CLASSIFICATION] = read_set("labels.tsv"),
                         [SP_TAGGING] = read_set("tags.tsv")};
    size_t with_sums = 0;
    for (int m = 0; m < SP_METRIC_COUNT; m++) {
        const sp_metric *metric = sp_metrics[m];
        double total[SP_METRIC_SUMS] = {0}, one[SP_METRIC_SUMS];
        assert_true(metric->sums <= SP_METRIC_SUMS && !metric->sums == !metric->combine);
        if (!metric->sums) continue;
        if (metric->prepare) assert_int_equal(metric->prepare(), SP_OK);
        for (size_t i = 0; i < LIST; i++) {
            list[i] = sets[metric->task].texts[i * i % 211];
            metric->measure(&list[i], 1, one);
            for (size_t k = 0; k < metric->sums; k++) total[k] += one[k];
        }
        double whole = metric->score(list, LIST), parts = metric->combine(total, LIST);
        if (!(fabs(whole - parts) <= 1e-9)) fail_msg("%s: %g, not %g", metric->name, parts, whole);
        with_sums++;
    }
    assert_true(with_sums >= 14);
    for (int t = 0; t < 3; t++) free_set(&sets[t]);
}

static double score_one(const sp_metric *metric, const char *hypothesis, const char *reference) {
    sp_scored_text text = {hypothesis, &reference, 1};
    return metric->score(&text, 1);
}

/* The score of a perfect output in an ordinary text of four words. */
static double best_score(const sp_metric *metric) {
    if (metric == &sp_metric_nist) return 2; /* log2 of 4 words, and 0 for longer ones */
    if (metric == &sp_metric_meteor) return 100 - 0.78125; /* one chunk of four words */
    if (metric == &sp_metric_cider) return 0;              /* nothing is rare in a single text */
    if (metric == &sp_metric_mcc) return 0;                /* one label only */
    return metric->higher_is_better ? 100 : 0;
}

static void an_entity_is_right_if_its_words_and_its_type_are(void **state) {
    (void)state;
    const sp_metric *f1 = &sp_metric_span_f1;
    assert_float_equal(score_one(f1, "B-a I-a O B-b", "B-a I-a O B-b"), 100, TOLERANCE);
    assert_float_equal(score_one(f1, "B-a O O B-b", "B-a I-a O B-b"), 50, TOLERANCE);
    assert_float_equal(score_one(f1, "B-a I-a O B-a", "B-a I-a O B-b"), 50, TOLERANCE);
    assert_float_equal(score_one(f1, "B-a B-a", "B-a I-a"), 0, TOLERANCE);
    assert_float_equal(score_one(f1, "I-a I-a", "B-a I-a"), 100, TOLERANCE);
    assert_float_equal(score_one(f1, "B-a I-b", "B-a B-b"), 100, TOLERANCE);
}

static void precision_counts_what_is_predicted_and_recall_what_is_true(void **state) {
    (void)state;
    const char *said = "B-a O B-b O", *truth = "B-a O B-c B-d";
    assert_float_equal(score_one(&sp_metric_span_precision, said, truth), 50, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_span_recall, said, truth), 100.0 / 3, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_span_f1, said, truth), 40, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_token_accuracy, said, truth), 50, TOLERANCE);
}

static void an_entity_ends_with_its_text(void **state) {
    (void)state;
    const char *truths[] = {"O B-a", "I-a O"};
    const sp_scored_text texts[] = {{"O B-a", &truths[0], 1}, {"I-a O", &truths[1], 1}};
    assert_float_equal(sp_metric_span_f1.score(texts, 2), 100, TOLERANCE);
    assert_float_equal(sp_metric_span_recall.score(texts, 2), 100, TOLERANCE);
}

static void a_missing_tag_is_outside_and_one_too_many_is_nothing(void **state) {
    (void)state;
    assert_float_equal(score_one(&sp_metric_span_f1, "B-a", "B-a O"), 100, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_token_accuracy, "B-a", "B-a O"), 100, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_token_accuracy, "B-a", "B-a I-a"), 50, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_span_f1, "B-a I-a B-b", "B-a"), 100, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_span_f1, "", "B-a"), 0, TOLERANCE);
}

static void a_text_scores_best_against_itself(void **state) {
    (void)state;
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        assert_float_equal(score_one(sp_metrics[i], "one two three four", "one two three four"),
                           best_score(sp_metrics[i]), TOLERANCE);
}

static bool is_of_texts(const sp_metric *metric) {
    return metric->task == SP_GENERATION && metric->higher_is_better;
}

static void nothing_to_match_scores_0(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"", ""}, {"", "a b c d"}, {"a b c d", ""}, {" ", " "}};
    for (int i = 0; i < SP_METRIC_COUNT; i++) {
        assert_true(sp_metrics[i]->score(NULL, 0) == 0);
        if (!is_of_texts(sp_metrics[i])) continue;
        assert_true(sp_metrics[i]->score(&(sp_scored_text){"a b c d", NULL, 0}, 1) == 0);
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
            assert_true(score_one(sp_metrics[i], pairs[p][0], pairs[p][1]) == 0);
    }
}

static void ter_of_an_empty_side_is_all_edits(void **state) {
    (void)state;
    assert_true(score_one(&sp_metric_ter, "", "") == 0);
    assert_float_equal(score_one(&sp_metric_ter, "", "a b c d"), 100, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_ter, "a b c d", ""), 100, TOLERANCE);
    assert_float_equal(sp_metric_ter.score(&(sp_scored_text){"a b", NULL, 0}, 1), 100, TOLERANCE);
}

static void a_shift_is_one_edit(void **state) {
    (void)state;
    assert_float_equal(score_one(&sp_metric_ter, "d a b c", "a b c d"), 25, TOLERANCE);
    assert_float_equal(score_one(&sp_metric_ter, "A B C D", "a b c d"), 0, TOLERANCE);
}

/* One text with one reference, one with three, one with none. */
static void texts_may_have_unlike_numbers_of_references(void **state) {
    (void)state;
    static const char *const one[] = {"the red cat sat on a mat"};
    static const char *const three[] = {"", "a dog ran over the road", "the dog is in the garden"};
    const sp_scored_text texts[] = {{"the red cat sat on the mat", one, 1},
                                    {"the dog is in the garden", three, 3},
                                    {"nothing to compare with", NULL, 0}};
    for (int i = 0; i < SP_METRIC_COUNT; i++) {
        if (sp_metrics[i]->task != SP_GENERATION) continue;
        double score = sp_metrics[i]->score(texts, 3);
        assert_true(isfinite(score) && score > 0);
    }
}

static void another_reference_never_hurts(void **state) {
    (void)state;
    static const sp_metric *const best_of[] = {&sp_metric_rouge_1, &sp_metric_rouge_2,
                                               &sp_metric_rouge_l, &sp_metric_meteor};
    const char *references[] = {"the cat sat down", "no word in common", "a cat sat"};
    for (size_t m = 0; m < sizeof best_of / sizeof *best_of; m++) {
        double before = 0;
        for (size_t count = 1; count <= 3; count++) {
            double score = best_of[m]->score(&(sp_scored_text){"a cat sat", references, count}, 1);
            assert_true(score >= before);
            before = score;
        }
        assert_true(before > 98);
    }
}

/* A stem and a synonym count as much as the word itself. */
static void meteor_matches_stems_and_synonyms(void **state) {
    (void)state;
    double same = score_one(&sp_metric_meteor, "the car walked", "the car walked");
    assert_float_equal(score_one(&sp_metric_meteor, "the car walks", "the car walking"), same,
                       TOLERANCE);
    assert_float_equal(score_one(&sp_metric_meteor, "the car walks", "the auto walks"), same,
                       TOLERANCE);
    assert_true(score_one(&sp_metric_meteor, "the car walks", "the tree walks") < same);
}

/* Every letter is a label: predicted[i] for truth[i]. */
static double score_labels(const sp_metric *metric, const char *predicted, const char *truth) {
    enum { MOST = 16 };
    char names[2 * MOST][2] = {{0}};
    const char *references[MOST];
    sp_scored_text texts[MOST];
    size_t count = strlen(truth);
    for (size_t i = 0; i < count; i++) {
        names[2 * i][0] = predicted[i], names[2 * i + 1][0] = truth[i];
        references[i] = names[2 * i + 1];
        texts[i] = (sp_scored_text){names[2 * i], &references[i], 1};
    }
    return metric->score(texts, count);
}

static void one_class_only_has_no_correlation(void **state) {
    (void)state;
    assert_true(score_labels(&sp_metric_mcc, "aaaa", "aaaa") == 0);
    assert_true(score_labels(&sp_metric_mcc, "aaaa", "abab") == 0);
    assert_true(score_labels(&sp_metric_mcc, "abab", "aaaa") == 0);
    assert_float_equal(score_labels(&sp_metric_macro_f1, "aaaa", "aaaa"), 100, TOLERANCE);
    assert_true(score_labels(&sp_metric_macro_f1, "bbbb", "aaaa") == 0);
}

/* F1 of a is 1 and of b 4/5; c is never predicted. */
static void a_label_never_predicted_has_f1_0(void **state) {
    (void)state;
    assert_float_equal(score_labels(&sp_metric_macro_f1, "abbb", "abbc"),
                       100 * (1 + 4.0 / 5 + 0) / 3, TOLERANCE);
    assert_float_equal(score_labels(&sp_metric_weighted_f1, "abbb", "abbc"),
                       100 * (1 * 1 + 2 * 4.0 / 5 + 1 * 0) / 4, TOLERANCE);
}

static void opposite_labels_correlate_negatively(void **state) {
    (void)state;
    assert_float_equal(score_labels(&sp_metric_mcc, "abab", "baba"), -100, TOLERANCE);
    assert_float_equal(score_labels(&sp_metric_mcc, "abcb", "abcb"), 100, TOLERANCE);
}

/* Different broken bytes are different characters; the same ones match. */
static void bytes_that_are_not_utf8_are_characters(void **state) {
    (void)state;
    assert_float_equal(score_one(&sp_metric_chrf, "\xff\xfe\x80", "\xff\xfe\x80"), 100, TOLERANCE);
    assert_true(score_one(&sp_metric_chrf, "\xff", "\xfe") == 0);
    static const char broken[] = "\xe4 \xc3 \xff\xfe\x80 c";
    for (int i = 0; i < SP_METRIC_COUNT; i++) {
        if (sp_metrics[i] == &sp_metric_rouge_2) continue; /* a single word of letters */
        assert_float_equal(score_one(sp_metrics[i], broken, broken), best_score(sp_metrics[i]),
                           TOLERANCE);
    }
}

static void a_metric_is_found_by_its_name_alone(void **state) {
    (void)state;
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        assert_ptr_equal(sp_metric_find(sp_metrics[i]->name), sp_metrics[i]);
    assert_null(sp_metric_find("BLEU"));
    const sp_metric *metric;
    assert_int_equal(sp_metric_require("chrff", &metric), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "did you mean 'chrf'"));
    assert_non_null(strstr(sp_error(), "bleu, nist, meteor, rouge-1"));
}

/* The tokens of a text, joined by single spaces. */
static void check_tokens(sp_tokenize *tokenize, const char *text, const char *expected) {
    sp_symbols tokens = {0};
    sp_buf joined = {0};
    tokenize(text, &tokens);
    bool gap = false;
    for (size_t i = 0; i < tokens.len; i++) {
        if (sp_is_white_space(tokens.data[i])) {
            gap = joined.len > 0;
            continue;
        }
        if (gap) sp_buf_putc(&joined, ' ');
        sp_put_character(tokens.data[i], &joined);
        gap = false;
    }
    assert_string_equal(joined.data, expected);
    sp_buf_free(&joined);
    sp_symbols_free(&tokens);
}

static void tokens_are_those_of_mteval_13a(void **state) {
    (void)state;
    check_tokens(sp_tokenize_13a, "It's $3.14, not 1,000-2,000!",
                 "It's $ 3.14 , not 1,000 - 2,000 !");
    check_tokens(sp_tokenize_13a, "well-known (3-fold)", "well-known ( 3 - fold )");
    check_tokens(sp_tokenize_13a, "a line-\nbroken word\nand a next line",
                 "a linebroken word and a next line");
    check_tokens(sp_tokenize_13a, "&quot;R&amp;D&quot; &lt;b&gt;<skipped>", "\" R & D \" < b >");
    check_tokens(sp_tokenize_13a, "ends in a dash-\n", "ends in a dash-");
}

static void lower_case_is_that_of_python(void **state) {
    (void)state;
    check_tokens(sp_tokenize_ter, "ΣΊΣΥΦΟΣ ΟΣ. ΑΣ'Α Σ İ É", "σίσυφος ος. ασ'α σ i̇ é");
}

static void webnlg_sets_all_but_word_characters_apart(void **state) {
    (void)state;
    check_tokens(sp_tokenize_webnlg, "It's $3.14, x_y Café–½", "it ' s $ 3 . 14 , x_y café – ½");
}

int main(void) {
    assert_int_equal(sp_metrics_prepare(SP_GENERATION), SP_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_the_reference_tools),
        cmocka_unit_test(sums_of_single_texts_give_the_score_of_any_list_of_them),
        cmocka_unit_test(an_entity_is_right_if_its_words_and_its_type_are),
        cmocka_unit_test(precision_counts_what_is_predicted_and_recall_what_is_true),
        cmocka_unit_test(an_entity_ends_with_its_text),
        cmocka_unit_test(a_missing_tag_is_outside_and_one_too_many_is_nothing),
        cmocka_unit_test(a_text_scores_best_against_itself),
        cmocka_unit_test(nothing_to_match_scores_0),
        cmocka_unit_test(ter_of_an_empty_side_is_all_edits),
        cmocka_unit_test(a_shift_is_one_edit),
        cmocka_unit_test(texts_may_have_unlike_numbers_of_references),
        cmocka_unit_test(another_reference_never_hurts),
        cmocka_unit_test(meteor_matches_stems_and_synonyms),
        cmocka_unit_test(one_class_only_has_no_correlation),
        cmocka_unit_test(a_label_never_predicted_has_f1_0),
        cmocka_unit_test(opposite_labels_correlate_negatively),
        cmocka_unit_test(bytes_that_are_not_utf8_are_characters),
        cmocka_unit_test(a_metric_is_found_by_its_name_alone),
        cmocka_unit_test(tokens_are_those_of_mteval_13a),
        cmocka_unit_test(lower_case_is_that_of_python),
        cmocka_unit_test(webnlg_sets_all_but_word_characters_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
