#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/english.h"

#include <stdlib.h>
#include <string.h>

static void expect_owned(char *text, const char *expected) {
    assert_string_equal(text, expected);
    free(text);
}

/* The article follows the sound, not the letter. */
static void test_articles(void **state) {
    (void)state;
    static const char *const an[] = {
        "hour",      "heir",  "honest man",      "herb",    "herbal tea", "uncle",
        "umbrella",  "X-ray", "MRI scan",        "Italian", "urn",        "urchin",
        "utterance", "onion", "unimproved land", NULL};
    static const char *const a[] = {
        "unit",           "uniform", "unicorn", "unicycle", "one",       "use",
        "user",           "utensil", "uterus",  "eunuch",   "European",  "ewe",
        "one-way street", "U-boat",  "house",   "hernia",   "herbarium", "union",
        "uranium mine",   "ukulele", "yard",    NULL};
    for (int i = 0; an[i]; i++)
        if (strcmp(sp_indefinite(an[i]), "an") != 0) fail_msg("a %s", an[i]);
    for (int i = 0; a[i]; i++)
        if (strcmp(sp_indefinite(a[i]), "a") != 0) fail_msg("an %s", a[i]);
}

/* Mass nouns and names take no article, rivers take "the". */
static void test_kinds_of_articles(void **state) {
    (void)state;
    expect_owned(sp_with_article("hour", SP_COUNT), "an hour");
    expect_owned(sp_with_article("snow", SP_MASS), "snow");
    expect_owned(sp_with_article("Paris", SP_NAME), "Paris");
    expect_owned(sp_with_article("Rhine", SP_THE), "the Rhine");
}

/* Plurals: regular, irregular, of compounds. */
static void test_plurals(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"sparrow", "sparrows"},
                                           {"box", "boxes"},
                                           {"church", "churches"},
                                           {"stomach", "stomachs"},
                                           {"city", "cities"},
                                           {"day", "days"},
                                           {"wolf", "wolves"},
                                           {"belief", "beliefs"},
                                           {"snowman", "snowmen"},
                                           {"human", "humans"},
                                           {"fishwife", "fishwives"},
                                           {"foot", "feet"},
                                           {"Child", "Children"},
                                           {"mouse", "mice"},
                                           {"blouse", "blouses"},
                                           {"goldfish", "goldfish"},
                                           {"aircraft", "aircraft"},
                                           {"axis", "axes"},
                                           {"thesis", "theses"},
                                           {"part of speech", "parts of speech"},
                                           {"mother-in-law", "mothers-in-law"},
                                           {"black box", "black boxes"},
                                           {"fox", "foxes"},
                                           {"ox", "oxen"},
                                           {"potato", "potatoes"},
                                           {"piano", "pianos"},
                                           {"mongoose", "mongooses"},
                                           {"head louse", "head lice"},
                                           {"Japanese", "Japanese"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        expect_owned(sp_plural(pairs[i][0]), pairs[i][1]);
}

/* Words that are plurals already are known. */
static void test_plural_words(void **state) {
    (void)state;
    assert_true(sp_is_plural("scissors"));
    assert_true(sp_is_plural("Alps"));
    assert_true(sp_is_plural("enlisted men"));
    assert_false(sp_is_plural("mathematics"));
    assert_false(sp_is_plural("glass"));
    assert_false(sp_is_plural("virus"));
}

static void expect_list(int count, const char *expected) {
    static const char *const words[] = {"a", "b", "c", "d"};
    sp_strings items = {0};
    for (int i = 0; i < count; i++) sp_strings_push(&items, words[i]);
    expect_owned(sp_join_list(&items), expected);
    sp_strings_free(&items);
}

/* Lists have commas and one "and". */
static void test_lists(void **state) {
    (void)state;
    expect_list(1, "a");
    expect_list(2, "a and b");
    expect_list(4, "a, b, c and d");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_articles), cmocka_unit_test(test_kinds_of_articles),
        cmocka_unit_test(test_plurals),  cmocka_unit_test(test_plural_words),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
