#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "data/webnlg.h"

#include <stdlib.h>
#include <string.h>

static const char good[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n<benchmark><entries>\n"
    "<entry category='Food' eid='Id1' size='2'>\n"
    "<originaltripleset><otriple>X | y | Z</otriple></originaltripleset>\n"
    "<modifiedtripleset><mtriple>Caf\xc3\xa9_Noir | made_Of | \"A &amp; B\"</mtriple>"
    "<mtriple>A_B | is | C_(d)</mtriple></modifiedtripleset>\n"
    "<lex comment='good' lid='Id1'> One\n  text. </lex>"
    "<lex comment='toFix' lid='Id2'>Bad.</lex>"
    "<lex comment='good' lid='Id3'>Two &lt;b&gt;.</lex></entry>\n"
    "<entry category='Food'><modifiedtripleset><mtriple>a | b | c</mtriple></modifiedtripleset>"
    "</entry></entries></benchmark>\n";

static sp_status parse(const char *xml, sp_split *out) {
    *out = (sp_split){0};
    return sp_parse_webnlg(xml, strlen(xml), "t.xml", out);
}

static void expect_error(const char *xml, const char *part) {
    sp_split split;
    assert_int_equal(parse(xml, &split), SP_ERR_FORMAT);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    sp_split_free(&split);
}

/* Modified triples are linearised, good texts kept, entries without any left out. */
static void test_entry(void **state) {
    (void)state;
    sp_split split;
    assert_int_equal(parse(good, &split), SP_OK);
    assert_int_equal(split.count, 1);
    const sp_example *e = &split.items[0];
    assert_string_equal(e->input, "| Caf\xc3\xa9 Noir : made Of : \"A & B\" | A B : is : C (d)");
    assert_string_equal(e->category, "Food");
    assert_int_equal(e->references.len, 2);
    assert_string_equal(e->references.data[0], "One text.");
    assert_string_equal(e->references.data[1], "Two <b>.");
    sp_split_free(&split);
}

/* Broken and hostile files are refused with file and line. */
static void test_errors(void **state) {
    (void)state;
    expect_error("", "t.xml:1: ");
    expect_error("<benchmark>\n<entries>", "t.xml:2: ");
    expect_error("<benchmark><entry><lex></entry></benchmark>", "t.xml:1: mismatched tag");
    expect_error("<b>\n<entry><modifiedtripleset><mtriple>a | b</mtriple>"
                 "</modifiedtripleset></entry></b>",
                 "t.xml:2: a triple");
    expect_error("<b><entry><mtriple>a | b | c | d</mtriple></entry></b>", "a triple");
    expect_error("<b><entry>\n<entry></entry></entry></b>", "t.xml:2: an <entry>");
    expect_error("<b><entry><lex comment='good'>x</lex></entry></b>", "no <mtriple>");
    expect_error("<b>\xff</b>", "t.xml:1: ");
    expect_error("<b>&nothing;</b>", "undefined entity");
}

/* A truncated file never passes for a whole one. */
static void test_truncated(void **state) {
    (void)state;
    for (size_t len = 0; len + 2 < strlen(good); len++) {
        sp_split split = {0};
        assert_int_equal(sp_parse_webnlg(good, len, "t.xml", &split), SP_ERR_FORMAT);
        sp_split_free(&split);
    }
}

/* Without the folder, one line says what is needed. */
static void test_folder_missing(void **state) {
    (void)state;
    const char *set = getenv("SOFTPROMPT_DATA");
    char *kept = set ? sp_strdup(set) : NULL;
    sp_dataset *d;
    sp_split split;
    assert_int_equal(sp_dataset_open("webnlg", &d), SP_OK);
    unsetenv("SOFTPROMPT_DATA");
    assert_int_equal(sp_dataset_load(d, "test", &split), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "SOFTPROMPT_DATA"));
    setenv("SOFTPROMPT_DATA", "/nowhere", 1);
    assert_int_equal(sp_dataset_load(d, "test", &split), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "/nowhere/train"));
    sp_dataset_free(d);
    if (kept)
        setenv("SOFTPROMPT_DATA", kept, 1);
    else
        unsetenv("SOFTPROMPT_DATA");
    free(kept);
}

/* The published test set has 971 entries of seen and 891 of unseen categories. */
static void test_published(void **state) {
    (void)state;
    if (!getenv("SOFTPROMPT_DATA")) {
        print_message("skipped: SOFTPROMPT_DATA does not name the folder of WebNLG 2017\n");
        skip();
    }
    sp_dataset *d;
    sp_split test;
    assert_int_equal(sp_dataset_open("webnlg", &d), SP_OK);
    if (sp_dataset_load(d, "test", &test)) fail_msg("%s", sp_error());
    size_t seen = 0;
    for (size_t i = 0; i < test.count; i++) seen += strcmp(test.items[i].group, "seen") == 0;
    assert_int_equal(seen, 971);
    assert_int_equal(test.count - seen, 891);
    sp_split_free(&test);
    sp_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_folder_missing),
        cmocka_unit_test(test_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
