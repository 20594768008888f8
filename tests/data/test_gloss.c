#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/gloss.h"

#include <stdlib.h>

static void expect_definition(const char *gloss, const char *wanted) {
    char *found = sp_gloss_definition(gloss);
    if (wanted)
        assert_string_equal(found, wanted);
    else
        assert_null(found);
    free(found);
}

/* Examples, the field and outer blanks are cut; wordings behind a semicolon stay. */
static void test_definition(void **state) {
    (void)state;
    expect_definition("a dog; an old breed; \"he has a dog\"; \"two\")", "a dog; an old breed");
    expect_definition("(botany) a part (of a plant)  )", "a part (of a plant)");
    expect_definition("a unit, \"ten\")", "a unit");
    expect_definition("the state of being \"in\" and more)", NULL);
    expect_definition("a poet (1572-1631))", NULL);
    expect_definition("(chemistry)", NULL);
    expect_definition("", NULL);
}

/* A word is found in its inflections and in compounds with a hyphen, not inside other words. */
static void test_words(void **state) {
    (void)state;
    assert_true(sp_text_has_word("Plants that grow", "plant"));
    assert_true(sp_text_has_word("a plant's root", "plant"));
    assert_true(sp_text_has_word("food-borne", "food"));
    assert_true(sp_text_has_word("placing bets", "place"));
    assert_true(sp_text_has_word("several bodies", "body"));
    assert_true(sp_text_has_word("many people", "person"));
    assert_false(sp_text_has_word("an active plantation", "plant"));
    assert_false(sp_text_has_word("an active plantation", "act"));
    assert_false(sp_text_has_word("", "act"));
    assert_int_equal(sp_count_words(" one two  three "), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
