/* Templates: where virtual tokens, anchors and the input stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/letters.h"
#include "tuning/template.h"

static void assert_ids(const sp_ints *got, const int *expected, size_t count) {
    assert_int_equal(got->len, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(got->data[i], expected[i]);
}

typedef struct template_case {
    const char *text;
    int virtual_tokens;
    size_t before_count, after_count;
    int before[8], after[8];
} template_case;

static void virtual_tokens_and_anchors_stand_where_the_template_says(void **state) {
    (void)state;
    static const template_case cases[] = {
        {"x", 0, 0, 0, {0}, {0}},
        {"P x", 3, 3, 0, {-1, -2, -3}, {0}},
        {"x P", 2, 0, 2, {0}, {-1, -2}},
        {"P x P", 4, 2, 2, {-1, -2}, {-3, -4}},
        {"P x P", 5, 3, 2, {-1, -2, -3}, {-4, -5}},
        {"P x P P", 4, 2, 2, {-1, -2}, {-3, -4}},
        {"P x P", 0, 0, 0, {0}, {0}},
        {"  P   x ", 1, 1, 0, {-1}, {0}},
        {"P x ab P c",
         2,
         1,
         6,
         {-1},
         {LETTER_SPACE, LETTER_A, LETTER_B, -2, LETTER_SPACE, LETTER_C}},
        {"ax x", 0, 3, 0, {LETTER_SPACE, LETTER_A, LETTER_X}, {0}},
    };
    sp_tokenizer *tokenizer = letters();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const template_case *c = &cases[i];
        sp_template t = {0};
        assert_int_equal(sp_template_parse(c->text, c->virtual_tokens, tokenizer, &t), SP_OK);
        assert_ids(&t.before, c->before, c->before_count);
        assert_ids(&t.after, c->after, c->after_count);
        sp_template_free(&t);
    }
    sp_tokenizer_free(tokenizer);
}

static void every_virtual_token_occurs_once_and_in_order(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = letters();
    for (int n = 0; n < 20; n++) {
        sp_template t = {0};
        assert_int_equal(sp_template_parse("P a P x P", n, tokenizer, &t), SP_OK);
        int next = 0;
        for (size_t i = 0; i < t.before.len; i++)
            if (t.before.data[i] < 0) assert_int_equal(t.before.data[i], -1 - next++);
        for (size_t i = 0; i < t.after.len; i++) assert_int_equal(t.after.data[i], -1 - next++);
        assert_int_equal(next, n);
        sp_template_free(&t);
    }
    sp_tokenizer_free(tokenizer);
}

static void a_template_without_one_input_or_without_room_for_the_prompt_is_refused(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = letters();
    sp_template t;
    assert_int_equal(sp_template_parse("", 0, tokenizer, &t), SP_ERR_SPEC);
    assert_int_equal(sp_template_parse("P", 3, tokenizer, &t), SP_ERR_SPEC);
    assert_int_equal(sp_template_parse("x P x", 3, tokenizer, &t), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "x P x"));
    assert_int_equal(sp_template_parse("a x", 3, tokenizer, &t), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "P for the 3 virtual tokens"));
    sp_tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_tokens_and_anchors_stand_where_the_template_says),
        cmocka_unit_test(every_virtual_token_occurs_once_and_in_order),
        cmocka_unit_test(a_template_without_one_input_or_without_room_for_the_prompt_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
