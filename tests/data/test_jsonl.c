#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/jsonl.h"

#include <string.h>

static void expect_error(const char *text, const char *part) {
    sp_split split = {0};
    assert_int_equal(
        sp_parse_jsonl(text, strlen(text), "t.jsonl", &sp_jsonl_default_fields, &split),
        SP_ERR_FORMAT);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    sp_split_free(&split);
}

/* Every mistake is told with file and line. */
static void test_errors(void **state) {
    (void)state;
    expect_error("{\"input\": \"a\", \"target\": \"b\"}\n{\"input\": \"a\"",
                 "t.jsonl:2: is not JSON");
    expect_error("[1]", "t.jsonl:1: is not a JSON object");
    expect_error("\n{\"target\": \"b\"}", "t.jsonl:2: field \"input\" is missing");
    expect_error("{\"input\": 3, \"target\": \"b\"}", "field \"input\" is not a text");
    expect_error("{\"input\": \"\", \"target\": \"b\"}", "field \"input\" is empty");
    expect_error("{\"input\": \"a\"}", "field \"target\" is missing");
    expect_error("{\"input\": \"a\", \"references\": []}", "empty list");
    expect_error("{\"input\": \"a\", \"references\": [\"x\", \"\"]}", "is empty");
    expect_error("{\"input\": \"a\", \"references\": [\"x\", 1]}", "not a text");
    expect_error("{\"input\": \"a\", \"target\": \"b\", \"references\": [\"x\"]}", "keep one");
    expect_error("{\"input\": \"a\", \"target\": \"b\", \"group\": \"new\"}", "group is 'new'");
    expect_error("{\"input\": \"a\", \"target\": \"b\", \"category\": 1}", "\"category\"");
    expect_error("{\"input\": \"a\\u0000b\", \"target\": \"b\"}", "t.jsonl:1");
    expect_error("{\"input\": \"\xff\", \"target\": \"b\"}", "t.jsonl:1");
    expect_error("{\"input\": \"a\", \"input\": \"c\", \"target\": \"b\"}", "uplicate");
}

/* Carriage returns and a missing last newline do no harm. */
static void test_line_ends(void **state) {
    (void)state;
    static const char text[] = "{\"input\": \"a\", \"target\": \"b\"}\r\n\r\n"
                               "{\"input\": \"c\", \"references\": [\"d\"]}";
    sp_split split = {0};
    assert_int_equal(sp_parse_jsonl(text, strlen(text), "t", &sp_jsonl_default_fields, &split),
                     SP_OK);
    assert_int_equal(split.count, 2);
    assert_string_equal(split.items[1].references.data[0], "d");
    sp_split_free(&split);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_line_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
