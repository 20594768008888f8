/* The generated tagging set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sp_dataset *dataset;
static sp_split splits[3]; /* train, dev, test */
static const sp_label *tags;
static size_t tag_count;

static int open_all(void **state) {
    (void)state;
    static const char *const names[] = {"train", "dev", "test"};
    sp_status st = sp_dataset_open("wnslots", &dataset);
    for (int i = 0; i < 3 && !st; i++) st = sp_dataset_load(dataset, names[i], &splits[i]);
    if (!st) st = sp_dataset_labels(dataset, &tags, &tag_count);
    if (st) print_error("%s\n", sp_error());
    return st;
}

static int close_all(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) sp_split_free(&splits[i]);
    sp_dataset_free(dataset);
    return 0;
}

static const char *tag_of(const sp_example *e, size_t word) {
    return tags[e->tags.data[word]].name;
}

static size_t count_spaces(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += *text == ' ';
    return count;
}

static void the_splits_have_the_sizes_that_the_card_states(void **state) {
    (void)state;
    assert_int_equal(splits[0].count, 6000);
    assert_int_equal(splits[1].count, 500);
    assert_int_equal(splits[2].count, 1000);
    assert_true(sp_dataset_is_tagged(dataset));
    assert_int_equal(tag_count, 13);
    assert_string_equal(tags[0].name, "O");
}

static void every_word_has_a_tag_and_the_reference_says_them(void **state) {
    (void)state;
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < splits[s].count; i++) {
            const sp_example *e = &splits[s].items[i];
            assert_int_equal(e->tags.len, count_spaces(e->input) + 1);
            assert_int_equal(e->tags.len, count_spaces(e->references.data[0]) + 1);
            assert_null(strstr(e->input, "  "));
            for (const char *p = e->input; *p; p++) assert_true((unsigned char)*p >= ' ');
        }
}

/* An I- follows a tag of its type: the sequences are IOB2. */
static void an_entity_begins_with_b(void **state) {
    (void)state;
    for (size_t i = 0; i < splits[0].count; i++)
        for (size_t k = 0; k < splits[0].items[i].tags.len; k++) {
            const sp_example *e = &splits[0].items[i];
            if (*tag_of(e, k) != 'I') continue;
            assert_true(k > 0 && *tag_of(e, k - 1) != 'O');
            assert_string_equal(tag_of(e, k) + 2, tag_of(e, k - 1) + 2);
        }
}

static void every_text_has_one_name_among_its_first_words_and_something_else(void **state) {
    (void)state;
    for (size_t i = 0; i < splits[0].count; i++) {
        const sp_example *e = &splits[0].items[i];
        int names = 0, others = 0;
        for (size_t k = 0; k < e->tags.len; k++) {
            bool name = strcmp(tag_of(e, k), "B-name") == 0;
            names += name, others += !name && *tag_of(e, k) == 'B';
            if (name) assert_true(k <= 1);
        }
        assert_int_equal(names, 1);
        assert_in_range(others, 1, 5);
    }
}

/* Words of the grammar, and articles before nouns, are outside. */
static void articles_and_punctuation_are_outside(void **state) {
    (void)state;
    for (size_t i = 0; i < splits[0].count; i++) {
        const sp_example *e = &splits[0].items[i];
        assert_string_equal(tag_of(e, e->tags.len - 1), "O");
        assert_string_equal(e->input + strlen(e->input) - 2, " .");
        if (strncmp(e->input, "A ", 2) == 0 || strncmp(e->input, "An ", 3) == 0)
            assert_string_equal(tag_of(e, 0), "O");
    }
}

static void test_texts_are_half_of_unseen_categories(void **state) {
    (void)state;
    size_t unseen = 0;
    for (size_t i = 0; i < splits[2].count; i++)
        unseen += strcmp(splits[2].items[i].group, "unseen") == 0;
    assert_int_equal(unseen, 500);
}

/* ---- cards ---- */

static void open_card(const char *tag_list, sp_dataset **out) {
    char *card = sp_format("name: s\nreader: wnslots\nsplits: {train: 3, dev: 2, test: 2}\n"
                           "categories: {seen: [animal], unseen: [plant]}\n%s",
                           tag_list);
    char path[] = "/tmp/sp-wnslots-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sp_write_file(path, card, strlen(card)), SP_OK);
    if (sp_dataset_open(path, out)) *out = NULL;
    unlink(path);
    free(card);
}

static void refuse_card(const char *tag_list, const char *message) {
    sp_dataset *d;
    sp_split split = {0};
    open_card(tag_list, &d);
    if (d) assert_int_equal(sp_dataset_load(d, "train", &split), SP_ERR_SPEC);
    if (!strstr(sp_error(), message)) fail_msg("'%s' is not in: %s", message, sp_error());
    sp_dataset_free(d);
}

static void a_type_that_the_card_does_not_list_is_not_marked(void **state) {
    (void)state;
    sp_dataset *d;
    sp_split split;
    open_card("tags: [O, B-name, I-name]\n", &d);
    assert_non_null(d);
    assert_int_equal(sp_dataset_load(d, "train", &split), SP_OK);
    for (size_t i = 0; i < split.count; i++)
        for (size_t k = 2; k < split.items[i].tags.len; k++)
            assert_in_range(split.items[i].tags.data[k], 0, 2);
    sp_split_free(&split);
    sp_dataset_free(d);
}

static void a_wrong_list_of_tags_is_refused(void **state) {
    (void)state;
    refuse_card("", "reader wnslots needs tags: a list, as [O, B-name, I-name]");
    refuse_card("tags: [O, B-bird, I-bird]\n", "tag 'B-bird': reader wnslots marks name, class");
    refuse_card("tags: [O, B-name]\n", "tags has B-name, but no I-name; add it");
    refuse_card("tags: [B-name, I-name]\n", "tags has no O; add it");
    refuse_card("tags: [O, O, B-name]\n", "tag 'O' is listed twice; keep one");
    refuse_card("tags: [O]\n", "tags lists 1; a tagging needs 2 to 1000");
    refuse_card("tags: [O, name]\n", "tag 'name' is not one of IOB2; write O, B-TYPE or I-TYPE");
    refuse_card("tags: [O, B-name, I-name]\nlabels: {a: b, c: d}\n", "keep one");
    refuse_card("labels: {a: b, c: d}\n", "reader wnslots makes tags; leave out labels");
    refuse_card("tags: [O, B-name, I-name]\ntask: classification\n",
                "task is 'classification', but the set has tags; use task: tagging");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_splits_have_the_sizes_that_the_card_states),
        cmocka_unit_test(every_word_has_a_tag_and_the_reference_says_them),
        cmocka_unit_test(an_entity_begins_with_b),
        cmocka_unit_test(every_text_has_one_name_among_its_first_words_and_something_else),
        cmocka_unit_test(articles_and_punctuation_are_outside),
        cmocka_unit_test(test_texts_are_half_of_unseen_categories),
        cmocka_unit_test(a_type_that_the_card_does_not_list_is_not_marked),
        cmocka_unit_test(a_wrong_list_of_tags_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
