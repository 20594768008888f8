#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/gloss.h"
#include "support/generated.h"

static generated set;

static int open_set(void **state) {
    (void)state;
    return open_generated("wntopic", &set);
}

static int close_set(void **state) {
    (void)state;
    close_generated(&set);
    return 0;
}

/* The splits have the card's sizes, and every class a tenth of each. */
static void test_balance(void **state) {
    (void)state;
    static const size_t sizes[] = {8000, 1000, 2000};
    assert_int_equal(set.label_count, 10);
    for (int s = 0; s < 3; s++) {
        assert_int_equal(set.splits[s].count, sizes[s]);
        for (int k = 0; k < 10; k++)
            assert_int_equal(count_label(&set.splits[s], k), sizes[s] / 10);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No gloss occurs twice, in one split or in two. */
static void test_no_overlap(void **state) {
    (void)state;
    sp_strings texts = {0};
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < set.splits[s].count; i++)
            sp_strings_push(&texts, set.splits[s].items[i].input);
    qsort(texts.data, texts.len, sizeof *texts.data, by_text);
    for (size_t i = 1; i < texts.len; i++)
        assert_string_not_equal(texts.data[i - 1], texts.data[i]);
    sp_strings_free(&texts);
}

/* No gloss holds the name or a word of its class, or an example in quotation marks. */
static void test_class_is_not_told(void **state) {
    (void)state;
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < set.splits[s].count; i++) {
            const sp_example *e = &set.splits[s].items[i];
            const sp_label *label = &set.labels[e->label];
            assert_false(sp_text_has_word(e->input, label->name));
            for (size_t k = 0; k < label->words.len; k++) {
                assert_int_equal(label->words.data[k][0], ' ');
                assert_false(sp_text_has_word(e->input, label->words.data[k] + 1));
            }
            assert_null(strchr(e->input, '"'));
            assert_string_equal(e->references.data[0], label->words.data[0]);
        }
}

/* Generating again gives the same content. */
static void test_deterministic(void **state) {
    (void)state;
    expect_same_again(&set, "wntopic");
}

/* Verbs, with the labels of the nouns that they are tested with; no text of one is in the other. */
static void test_verbs(void **state) {
    (void)state;
    generated nouns, verbs;
    assert_int_equal(open_generated("wntopic-shared", &nouns), SP_OK);
    assert_int_equal(open_generated("wntopic-verbs", &verbs), SP_OK);
    assert_int_equal(verbs.label_count, 4);
    for (size_t k = 0; k < 4; k++) {
        assert_string_equal(verbs.labels[k].name, nouns.labels[k].name);
        assert_string_equal(verbs.labels[k].words.data[0], nouns.labels[k].words.data[0]);
        assert_int_equal(count_label(&verbs.splits[2], (int)k), 150);
    }
    for (size_t i = 0; i < verbs.splits[2].count; i++)
        for (size_t k = 0; k < nouns.splits[0].count; k++)
            assert_string_not_equal(verbs.splits[2].items[i].input, nouns.splits[0].items[k].input);
    expect_same_again(&verbs, "wntopic-verbs");
    close_generated(&nouns);
    close_generated(&verbs);
}

/* A label that is no lexicographer file, and more examples than there are. */
static void test_errors(void **state) {
    (void)state;
    expect_load_failure("name: x\nreader: wntopic\nsplits: {train: 4, dev: 2, test: 2}\n"
                        "labels:\n  animal: animal\n  tool: tool\n",
                        SP_ERR_SPEC, "card.yaml:6: label 'tool' is not a lexicographer file");
    expect_load_failure("name: x\nreader: wntopic\nsplits: {train: 900000, dev: 2, test: 2}\n"
                        "labels: {animal: animal, shape: shape}\n",
                        SP_ERR_DATA, "usable glosses of label animal");
    expect_load_failure("name: x\nreader: wntopic\nsplits: {train: 4, dev: 2}\n"
                        "labels: {animal: animal, shape: shape}\n",
                        SP_ERR_SPEC, "test");
    expect_load_failure("name: x\nreader: wntopic\nsplits: {train: 4, dev: 2, test: 2}\n"
                        "part_of_speech: verb\nlabels: {body: b, animal: a}\n",
                        SP_ERR_SPEC,
                        "label 'animal' is not a lexicographer file of WordNet's verbs");
    expect_load_failure("name: x\nreader: wntopic\nsplits: {train: 4, dev: 2, test: 2}\n"
                        "part_of_speech: adverb\nlabels: {body: b, act: a}\n",
                        SP_ERR_SPEC, "part_of_speech is 'adverb'; use noun or verb");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_class_is_not_told),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, open_set, close_set);
}
