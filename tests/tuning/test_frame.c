/* The frame of an encoder's template: where virtual tokens stand, and which row is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/letters.h"
#include "tuning/frame.h"

#include <string.h>

enum { CLS = 70, SEP = 71, MASK = 72, INPUT = 80 };

typedef struct frame_case {
    const char *template;
    sp_output output;
    int expected[10], length, row;
} frame_case;

static sp_frame special_tokens(int mask) {
    sp_frame frame = {.mask = mask};
    sp_ints_push(&frame.before, CLS);
    sp_ints_push(&frame.after, SEP);
    return frame;
}

static void check(const frame_case *c) {
    sp_tokenizer *tokenizer = letters();
    sp_frame frame = special_tokens(MASK);
    sp_template template;
    sp_ints input = {0}, ids = {0};
    sp_ints_push(&input, INPUT);
    int virtual_tokens = strchr(c->template, 'P') ? 2 : 0;
    assert_int_equal(sp_template_parse(c->template, virtual_tokens, tokenizer, &template), SP_OK);
    assert_int_equal(sp_frame_place(&frame, c->output, &template), SP_OK);
    assert_true(template.framed);
    sp_template_apply(&template, &input, &ids);
    assert_int_equal(ids.len, c->length);
    assert_memory_equal(ids.data, c->expected, (size_t)c->length * sizeof(int));
    assert_int_equal(sp_template_row(&template, ids.len), c->row);
    sp_ints_free(&input);
    sp_ints_free(&ids);
    sp_template_free(&template);
    sp_frame_free(&frame);
    sp_tokenizer_free(tokenizer);
}

static void virtual_tokens_alone_in_front_stand_before_the_frame_and_others_inside(void **state) {
    (void)state;
    static const frame_case cases[] = {
        {"x", SP_OUTPUT_LINEAR, {CLS, INPUT, SEP}, 3, 0},
        {"x", SP_OUTPUT_VERBALIZER, {CLS, INPUT, MASK, SEP}, 4, 2},
        {"P x", SP_OUTPUT_LINEAR, {-1, -2, CLS, INPUT, SEP}, 5, 2},
        {"P x", SP_OUTPUT_VERBALIZER, {-1, -2, CLS, INPUT, MASK, SEP}, 6, 4},
        {"P x P", SP_OUTPUT_LINEAR, {CLS, -1, INPUT, -2, SEP}, 5, 0},
        {"P x P", SP_OUTPUT_VERBALIZER, {CLS, -1, INPUT, -2, MASK, SEP}, 6, 4},
        {"x P", SP_OUTPUT_VERBALIZER, {CLS, INPUT, -1, -2, MASK, SEP}, 6, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

static void a_verbalizer_needs_a_mask_token(void **state) {
    (void)state;
    sp_frame frame = special_tokens(-1);
    sp_template template = {0};
    assert_int_equal(sp_frame_place(&frame, SP_OUTPUT_VERBALIZER, &template), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "use output linear"));
    assert_false(template.framed);
    assert_int_equal(template.before.len, 0);
    assert_int_equal(sp_frame_place(&frame, SP_OUTPUT_LINEAR, &template), SP_OK);
    sp_template_free(&template);
    sp_frame_free(&frame);
}

static void a_tokenizer_without_special_tokens_is_no_encoders(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = letters();
    sp_frame frame;
    assert_int_equal(sp_frame_open(tokenizer, &frame), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "use the tokenizer of the model"));
    assert_int_equal(frame.before.len, 0);
    sp_tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_tokens_alone_in_front_stand_before_the_frame_and_others_inside),
        cmocka_unit_test(a_verbalizer_needs_a_mask_token),
        cmocka_unit_test(a_tokenizer_without_special_tokens_is_no_encoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
