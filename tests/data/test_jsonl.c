#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/jsonl.h"

#include <stdlib.h>
#include <string.h>

static sp_status parse(const char *text, sp_label_set *labels, sp_split *out) {
    sp_schema schema = sp_schema_default(labels);
    return sp_parse_jsonl(text, strlen(text), "t.jsonl", &schema, out);
}

static void expect_error(const char *text, const char *part) {
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    assert_int_equal(parse(text, &labels, &split), SP_ERR_FORMAT);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    sp_split_free(&split);
    sp_label_set_free(&labels);
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

/* A byte order mark, carriage returns and a missing last newline do no harm. */
static void test_line_ends(void **state) {
    (void)state;
    static const char text[] = "\xef\xbb\xbf{\"input\": \"a\", \"target\": \"b\"}\r\n\r\n"
                               "{\"input\": \"c\", \"references\": [\"d\"]}";
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    assert_int_equal(parse(text, &labels, &split), SP_OK);
    assert_int_equal(split.count, 2);
    assert_string_equal(split.items[1].references.data[0], "d");
    assert_int_equal(split.items[1].label, -1);
    assert_int_equal(labels.count, 0);
    sp_split_free(&split);
}

/* A label without a target makes classes; texts, whole numbers and truth values can be labels. */
static void test_labels(void **state) {
    (void)state;
    static const char text[] = "{\"text\": \"a\", \"label\": \"good\", \"target\": null}\n"
                               "{\"text_a\": \"b\", \"text_b\": \"c\", \"label\": 3}\n"
                               "{\"text\": \"d\", \"label\": true, \"input\": 7}\n";
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    assert_int_equal(parse(text, &labels, &split), SP_OK);
    assert_int_equal(labels.count, 3);
    assert_string_equal(labels.items[0].name, "good");
    assert_string_equal(labels.items[1].name, "3");
    assert_string_equal(labels.items[2].name, "true");
    assert_string_equal(split.items[1].input, "b\nc");
    assert_string_equal(split.items[2].references.data[0], "true");
    sp_split_free(&split);
    sp_label_set_free(&labels);
}

/* Mistakes in classification records. */
static void test_label_errors(void **state) {
    (void)state;
#define GOOD "{\"text\": \"a\", \"label\": \"x\"}\n"
    expect_error(GOOD "{\"text\": \"a\"}", "t.jsonl:2: field \"label\" is missing");
    expect_error(GOOD "{\"label\": \"x\"}", "t.jsonl:2: field \"text\" is missing");
    expect_error(GOOD "{\"text\": \" \", \"label\": \"x\"}", "t.jsonl:2: field \"text\" is empty");
    expect_error(GOOD "{\"text\": \"a\", \"label\": \"\"}", "field \"label\" is empty");
    expect_error(GOOD "{\"text\": \"a\", \"label\": 1.5}", "give a text, a whole number");
    expect_error(GOOD "{\"text\": \"a\", \"text_a\": \"b\", \"label\": \"x\"}",
                 "has both \"text\" and \"text_a\"; keep one");
    expect_error(GOOD "{\"text_a\": \"b\", \"label\": \"x\"}", "field \"text_b\" is missing");
    expect_error(GOOD "{\"text_b\": \"b\", \"label\": \"x\"}", "field \"text_a\" is missing");
#undef GOOD
}

/* Lists of words and tags, without label and target, make a tagging set. */
static void test_tags(void **state) {
    (void)state;
    static const char text[] =
        "{\"id\": 1, \"tokens\": [\"A\", \"bird\"], \"tags\": [\"O\", \"B-name\"]}\n"
        "{\"tokens\": [\"Paris\"], \"tags\": [\"B-name\"], \"group\": \"seen\", \"text\": 3}\n"
        "{\"tokens\": [\"it\"], \"tags\": [\"I-place\"]}";
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    assert_int_equal(parse(text, &labels, &split), SP_OK);
    assert_true(labels.tags);
    assert_int_equal(labels.count, 3);
    assert_string_equal(split.items[0].input, "A bird");
    assert_string_equal(split.items[0].references.data[0], "O B-name");
    assert_int_equal(split.items[0].label, -1);
    assert_int_equal(split.items[1].tags.len, 1);
    assert_int_equal(split.items[1].tags.data[0], split.items[0].tags.data[1]);
    assert_int_equal(split.items[2].tags.data[0], 2);
    sp_label_set_close(&labels, &split); /* B-name, I-place, O */
    assert_int_equal(split.items[0].tags.data[0], 2);
    assert_int_equal(split.items[0].tags.data[1], 0);
    sp_split_free(&split);
    sp_label_set_free(&labels);
}

static void expect_tag_error(const char *line, sp_status status, const char *part) {
    char *text = sp_format("{\"tokens\": [\"a\"], \"tags\": [\"O\"]}\n%s", line);
    sp_split split = {0};
    sp_label_set labels = {.open = true};
    assert_int_equal(parse(text, &labels, &split), status);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    free(text);
    sp_split_free(&split);
    sp_label_set_free(&labels);
}

/* Mistakes in tagging records. */
static void test_tag_errors(void **state) {
    (void)state;
    expect_tag_error("{\"tokens\": [\"a\", \"b\"], \"tags\": [\"O\"]}", SP_ERR_FORMAT,
                     "t.jsonl:2: \"tokens\" has 2 words, but \"tags\" 1; give every word one tag");
    expect_tag_error("{\"tokens\": [\"a\"], \"tags\": [\"b-x\"]}", SP_ERR_DATA,
                     "t.jsonl:2: tag 1, 'b-x', is not one of IOB2; write O, B-TYPE or I-TYPE");
    expect_tag_error("{\"tokens\": [\"a\"], \"tags\": [\"B-\"]}", SP_ERR_DATA, "tag 1, 'B-'");
    expect_tag_error("{\"tokens\": [], \"tags\": []}", SP_ERR_FORMAT,
                     "t.jsonl:2: field \"tokens\" is empty; give a text or drop the record");
    expect_tag_error("{\"tokens\": [\"a b\"], \"tags\": [\"O\"]}", SP_ERR_FORMAT,
                     "t.jsonl:2: item 1 of \"tokens\", 'a b', holds white space");
    expect_tag_error("{\"tokens\": [\"\"], \"tags\": [\"O\"]}", SP_ERR_FORMAT, "is empty; drop it");
    expect_tag_error("{\"tokens\": [1], \"tags\": [\"O\"]}", SP_ERR_FORMAT, "a list of texts");
    expect_tag_error("{\"tokens\": \"a\", \"tags\": [\"O\"]}", SP_ERR_FORMAT,
                     "field \"tokens\" is not a list of words");
    expect_tag_error("{\"tokens\": [\"a\"]}", SP_ERR_FORMAT, "field \"tags\" is missing");
    expect_tag_error("{\"tags\": [\"O\"]}", SP_ERR_FORMAT, "field \"tokens\" is missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors), cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_labels), cmocka_unit_test(test_label_errors),
        cmocka_unit_test(test_tags),   cmocka_unit_test(test_tag_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
