#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/realise.h"

#include <stdlib.h>
#include <string.h>

static const sp_record sparrow = {.subject = {"sparrow", SP_COUNT},
                                  .facts = {{SP_KIND_OF, {"bird", SP_COUNT}},
                                            {SP_HAS_PART, {"wing", SP_COUNT}},
                                            {SP_HAS_PART, {"eye", SP_COUNT}},
                                            {SP_MADE_OF, {"brick", SP_COUNT}},
                                            {SP_ALSO_CALLED, {"true sparrow", SP_COUNT}}},
                                  .count = 5};

static sp_strings realise(const sp_record *record, uint64_t seed, int wanted) {
    sp_rng rng = sp_rng_make(seed, "test");
    sp_strings texts = {0};
    sp_realise(record, &rng, wanted, &texts);
    return texts;
}

static bool says(const char *text, const char *word) {
    char *plural = sp_plural(word);
    bool found = strstr(text, word) || strstr(text, plural);
    free(plural);
    return found;
}

/* Every text names the subject first, tells every fact and differs from the others. */
static void test_complete(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        sp_strings texts = realise(&sparrow, seed, 3);
        assert_int_equal(texts.len, 3);
        for (size_t i = 0; i < texts.len; i++) {
            const char *text = texts.data[i];
            assert_true(strncmp(text, "A sparrow", 9) == 0 || strncmp(text, "Sparrows", 8) == 0);
            for (int k = 0; k < sparrow.count; k++)
                if (!says(text, sparrow.facts[k].object.text))
                    fail_msg("%s misses %s", text, sparrow.facts[k].object.text);
            for (size_t k = 0; k < i; k++) assert_string_not_equal(text, texts.data[k]);
        }
        sp_strings_free(&texts);
    }
}

/* The same record and seed give the same texts. */
static void test_deterministic(void **state) {
    (void)state;
    sp_strings a = realise(&sparrow, 7, 3), b = realise(&sparrow, 7, 3);
    for (size_t i = 0; i < 3; i++) assert_string_equal(a.data[i], b.data[i]);
    sp_strings_free(&a), sp_strings_free(&b);
}

/* Verbs agree with the subject in number. */
static void test_agreement(void **state) {
    (void)state;
    int plurals = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        sp_strings texts = realise(&sparrow, seed, 3);
        for (size_t i = 0; i < texts.len; i++) {
            const char *text = texts.data[i];
            bool plural = strncmp(text, "Sparrows", 8) == 0;
            plurals += plural;
            static const char *const one[] = {" is ", " has ", " includes ", "It ", " consists "};
            static const char *const many[] = {" are ", " have ", " include ", "They ",
                                               " consist "};
            for (int k = 0; k < 5; k++)
                if (strstr(text, plural ? one[k] : many[k])) fail_msg("%s", text);
        }
        sp_strings_free(&texts);
    }
    assert_in_range(plurals, 60, 200);
}

/* A single fact of any relation has at least two texts. */
static void test_single_facts(void **state) {
    (void)state;
    for (int relation = 0; relation < SP_RELATIONS; relation++) {
        sp_record record = {.subject = {"snow", SP_MASS},
                            .facts = {{(sp_relation)relation, {"ice", SP_MASS}}},
                            .count = 1};
        sp_strings texts = realise(&record, 3, 3);
        assert_int_equal(texts.len, 3);
        for (size_t i = 0; i < texts.len; i++)
            assert_true(strncmp(texts.data[i], "Snow ", 5) == 0 && strstr(texts.data[i], "ice"));
        sp_strings_free(&texts);
    }
}

/* The input is WebNLG's linearised form. */
static void test_input(void **state) {
    (void)state;
    sp_record record = sparrow;
    record.count = 2;
    char *input = sp_record_input(&record);
    assert_string_equal(input, "| sparrow : kind of : bird | sparrow : has part : wing");
    free(input);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),  cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_agreement), cmocka_unit_test(test_single_facts),
        cmocka_unit_test(test_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
