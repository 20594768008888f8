#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/yaml.h"

#include <stdlib.h>
#include <string.h>

static sp_yaml *parse(const char *text) {
    sp_yaml *root;
    if (sp_yaml_parse(text, strlen(text), "t.yaml", &root)) fail_msg("%s", sp_error());
    return root;
}

static void expect_error(const char *text, const char *part) {
    sp_yaml *root;
    assert_int_equal(sp_yaml_parse(text, strlen(text), "t.yaml", &root), SP_ERR_SPEC);
    assert_null(root);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

static void expect_emitted(const sp_yaml *root, const char *expected) {
    sp_buf out = {0};
    sp_yaml_emit(root, &out);
    assert_string_equal(out.data, expected);
    sp_buf_free(&out);
}

static void expect_message(sp_status st, const char *message) {
    assert_int_equal(st, SP_ERR_SPEC);
    assert_string_equal(sp_error(), message);
}

/* A tree keeps order, kinds and lines. */
static void test_tree(void **state) {
    (void)state;
    sp_yaml *root = parse("b: {x: 1}\na:\n  - one\n  - [2, 3]\nempty:\n");
    assert_int_equal(root->count, 3);
    assert_string_equal(root->keys[0], "b");
    assert_string_equal(sp_yaml_at(root, "b.x")->text, "1");
    const sp_yaml *a = sp_yaml_get(root, "a");
    assert_int_equal(a->kind, SP_YAML_LIST);
    assert_int_equal(a->items[1]->items[1]->line, 4);
    assert_string_equal(sp_yaml_get(root, "empty")->text, "");
    assert_null(sp_yaml_at(root, "b.y.z"));
    sp_yaml_free(root);
}

/* Getters convert, and a wrong value is told with file, line, key and what would do. */
static void test_getters(void **state) {
    (void)state;
    sp_yaml *root = parse("n: 3\nx: 2.5\nflag: yes\nlist: [1]\nname: table1\nbig: 99\n");
    int n;
    bool flag;
    const char *text;
    assert_int_equal(sp_yaml_int(root, "n", 1, 5, &n), SP_OK);
    assert_int_equal(n, 3);
    assert_int_equal(sp_yaml_int_or(root, "absent", 1, 5, 4, &n), SP_OK);
    assert_int_equal(n, 4);
    assert_int_equal(sp_yaml_text(root, "name", &text), SP_OK);
    assert_string_equal(text, "table1");
    expect_message(sp_yaml_int(root, "x", 1, 5, &n),
                   "t.yaml:2: x is '2.5'; use a whole number from 1 to 5");
    expect_message(sp_yaml_int(root, "big", 1, 5, &n),
                   "t.yaml:6: big is '99'; use a whole number from 1 to 5");
    expect_message(sp_yaml_bool_or(root, "flag", false, &flag),
                   "t.yaml:3: flag is 'yes'; use true or false");
    expect_message(sp_yaml_text(root, "list", &text),
                   "t.yaml:4: list is a list; use a single value");
    expect_message(sp_yaml_text(root, "title", &text), "t.yaml:1: key 'title' is missing; add it");
    const sp_yaml *sub;
    expect_message(sp_yaml_map_or_null(root, "name", &sub),
                   "t.yaml:5: name is 'table1'; use a map");
    sp_yaml_free(root);
}

/* A byte order mark, which some editors write, is skipped. */
static void test_byte_order_mark(void **state) {
    (void)state;
    sp_yaml *root = parse("\xef\xbb\xbfname: x\ntitle: y\n");
    assert_string_equal(sp_yaml_get(root, "name")->text, "x");
    assert_string_equal(sp_yaml_get(root, "title")->text, "y");
    sp_yaml_free(root);
}

/* An unknown key is told with the nearest known one. */
static void test_unknown_keys(void **state) {
    (void)state;
    sp_yaml *root = parse("name: x\ntitel: y\n");
    const char *const known[] = {"name", "title", NULL};
    expect_message(sp_yaml_check_keys(root, known),
                   "t.yaml:2: unknown key 'titel'; did you mean 'title'?");
    sp_yaml_free(root);
}

typedef struct settings {
    int steps;
    double lr;
} settings;

static const sp_option table[] = {{.name = "steps",
                                   .type = SP_INT,
                                   .offset = offsetof(settings, steps),
                                   .fallback = "10",
                                   .min = 1,
                                   .max = 100,
                                   .help = "steps"},
                                  {.name = "lr",
                                   .type = SP_REAL,
                                   .offset = offsetof(settings, lr),
                                   .fallback = "1e-3",
                                   .min = 0,
                                   .max = 1,
                                   .help = "learning rate"},
                                  {0}};

/* An option table fills its struct from a map and names the line of a bad value. */
static void test_option_table(void **state) {
    (void)state;
    settings s;
    sp_options_default(table, &s);
    sp_yaml *root = parse("steps: 50\n"), *bad = parse("steps: 5\nlr: 3\n"),
            *list = parse("lr: []");
    assert_int_equal(sp_yaml_options(root, table, &s), SP_OK);
    assert_int_equal(s.steps, 50);
    expect_message(sp_yaml_options(bad, table, &s), "t.yaml:2: lr is 3; use 0 to 1");
    expect_message(sp_yaml_options(list, table, &s), "t.yaml:1: lr is a list; use a single value");
    sp_yaml_free(root), sp_yaml_free(bad), sp_yaml_free(list);
}

/* --set makes the maps it needs, reads the value as YAML, and its complaints name the option. */
static void test_set(void **state) {
    (void)state;
    sp_yaml *root = parse("train: {steps: 3}\nname: x\n");
    assert_int_equal(sp_yaml_set(root, "train.steps=50", "--set"), SP_OK);
    assert_int_equal(sp_yaml_set(root, "grid.method.length=[1, 2]", "--set"), SP_OK);
    assert_int_equal(sp_yaml_set(root, "note=", "--set"), SP_OK);
    expect_emitted(root, "train:\n  steps: 50\nname: x\ngrid:\n  method:\n    length: [1, 2]\n"
                         "note: \"\"\n");
    expect_message(sp_yaml_set(root, "steps", "--set"),
                   "--set: 'steps' is no setting; write path=value, like train.steps=50");
    assert_int_equal(sp_yaml_set(root, "name.x=1", "--set"), SP_ERR_SPEC);
    assert_int_equal(sp_yaml_set(root, "a..b=1", "--set"), SP_ERR_SPEC);
    expect_message(sp_yaml_set(root, "a=[1", "--set"),
                   "--set: '[1' is no YAML value; lists are [1, 2], texts \"a: b\"");
    int n;
    assert_int_equal(sp_yaml_set(root, "n=x", "--set n=x"), SP_OK);
    expect_message(sp_yaml_int(root, "n", 1, 2, &n),
                   "--set n=x: n is 'x'; use a whole number from 1 to 2");
    sp_yaml_free(root);
}

/* A removed key is gone and the others keep their order. */
static void test_remove(void **state) {
    (void)state;
    sp_yaml *root = parse("a: {x: 1}\nb: 2\nc: {}\n");
    sp_yaml_remove(root, "a");
    sp_yaml_remove(root, "absent");
    expect_emitted(root, "b: 2\nc: {}\n");
    sp_yaml_free(root);
}

/* Emitting is canonical: reading it gives the same tree and the same text again. */
static void test_emit(void **state) {
    (void)state;
    sp_yaml *root =
        parse("a: \"it's: \\\"q\\\" \\n #\\u2028\"\nl: [{x: -1}, [], [y z, ~]]\n? \"k: \"\n"
              ": '- no'\nu: \xc3\xa9 \xc2\xb7\n");
    sp_buf first = {0}, second = {0};
    sp_yaml_emit(root, &first);
    assert_string_equal(first.data,
                        "a: \"it's: \\\"q\\\" \\n #\\u2028\"\nl:\n  -\n    x: -1\n  - []\n"
                        "  - [\"y z\", \"~\"]\n\"k: \": \"- no\"\nu: \"\xc3\xa9 \xc2\xb7\"\n");
    sp_yaml *again = parse(first.data), *copy = sp_yaml_copy(again);
    sp_yaml_emit(copy, &second);
    assert_string_equal(first.data, second.data);
    sp_yaml_free(root), sp_yaml_free(again), sp_yaml_free(copy);
    sp_buf_free(&first), sp_buf_free(&second);
}

/* Broken and hostile documents are refused with a place. */
static void test_bad_documents(void **state) {
    (void)state;
    expect_error("a: 1\nb: [1, 2\n", "t.yaml:3: ");
    expect_error("a: 1\nb: 2\na: 3\n", "t.yaml:3: key 'a' stands here twice");
    expect_error("a: \"x\\0y\"\n", "NUL");
    expect_error("[a, b]: 1\n", "a key is a list or map");
    expect_error("a: 1\n---\nb: 2\n", "a second document begins here");
    expect_error("a: \xff\xfe\n", "t.yaml:");
    sp_buf deep = {0};
    for (int i = 0; i < 100; i++) sp_buf_putc(&deep, '[');
    for (int i = 0; i < 100; i++) sp_buf_putc(&deep, ']');
    expect_error(deep.data, "deeper than 64");
    sp_buf_clear(&deep);
    sp_buf_puts(&deep, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        sp_buf_printf(&deep, "a%d: &a%d [", i, i);
        for (int j = 0; j < 9; j++) sp_buf_printf(&deep, "*a%d,", i - 1);
        sp_buf_puts(&deep, "]\n");
    }
    expect_error(deep.data, "over 200,000 values");
    sp_buf_free(&deep);
    expect_error("&a [*a]", "deeper than 64");
}

/* An empty document is an empty map, and a missing file is missing. */
static void test_empty_and_missing(void **state) {
    (void)state;
    sp_yaml *root = parse("# nothing\n");
    assert_int_equal(root->kind, SP_YAML_MAP);
    assert_int_equal(root->count, 0);
    sp_yaml_free(root);
    assert_int_equal(sp_yaml_read("/nowhere/x.yaml", &root), SP_ERR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),          cmocka_unit_test(test_getters),
        cmocka_unit_test(test_unknown_keys),  cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_option_table),  cmocka_unit_test(test_set),
        cmocka_unit_test(test_remove),        cmocka_unit_test(test_emit),
        cmocka_unit_test(test_bad_documents), cmocka_unit_test(test_empty_and_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
