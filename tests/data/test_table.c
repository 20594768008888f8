#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/table.h"

#include <string.h>

typedef sp_status (*parse_table)(const char *, size_t, const char *, sp_schema *, sp_split *);

/* A parsed table; release with forget. */
typedef struct parsed {
    sp_status status;
    sp_split split;
    sp_label_set labels;
} parsed;

static parsed parse(parse_table format, const char *text, size_t len) {
    parsed out = {.labels = {.open = true}};
    sp_schema schema = sp_schema_default(&out.labels);
    out.status = format(text, len, "t", &schema, &out.split);
    return out;
}

static void forget(parsed *p) {
    sp_split_free(&p->split);
    sp_label_set_free(&p->labels);
}

static void expect_error(parse_table format, const char *text, const char *part) {
    parsed p = parse(format, text, strlen(text));
    assert_int_equal(p.status, SP_ERR_FORMAT);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    forget(&p);
}

static parsed expect_good(parse_table format, const char *text, size_t count) {
    parsed p = parse(format, text, strlen(text));
    if (p.status) fail_msg("%s", sp_error());
    assert_int_equal(p.split.count, count);
    return p;
}

/* A quoted field holds commas, line ends, doubled quotes and outer blanks as they are. */
static void test_quotes(void **state) {
    (void)state;
    parsed p =
        expect_good(sp_parse_csv, "text,label\r\n\"a, \"\"b\"\"\r\n\nc \",x\r\n d ,\"y\"\n", 2);
    assert_string_equal(p.split.items[0].input, "a, \"b\"\r\n\nc ");
    assert_string_equal(p.split.items[1].input, " d ");
    assert_string_equal(p.labels.items[1].name, "y");
    forget(&p);
}

/* TSV has no quotes: every byte between tabs is the field. */
static void test_raw(void **state) {
    (void)state;
    parsed p = expect_good(sp_parse_tsv, "label\ttext\nx\t\"a\" , b\r\n\ny\t c \\t", 2);
    assert_string_equal(p.split.items[0].input, "\"a\" , b");
    assert_string_equal(p.split.items[1].input, " c \\t");
    forget(&p);
}

/* A tagging table has the words of a text in a column and their tags in another. */
static void test_tags(void **state) {
    (void)state;
    parsed p = expect_good(sp_parse_tsv, "tags\ttokens\nO B-a  I-a\t a  big dog \nO\tso\n", 2);
    assert_string_equal(p.split.items[0].input, "a big dog");
    assert_string_equal(p.split.items[0].references.data[0], "O B-a I-a");
    assert_int_equal(p.split.items[1].tags.len, 1);
    assert_true(p.labels.tags);
    forget(&p);
    expect_error(sp_parse_csv, "tokens,tags\na b,O\n", "t:2: \"tokens\" has 2 words, but");
}

/* Columns are found by name; others, a byte order mark and blank lines do no harm. */
static void test_columns(void **state) {
    (void)state;
    parsed p = expect_good(sp_parse_csv,
                           "\xef\xbb\xbf"
                           "group,id,target,input,category\n\nseen,1,b,a,\n,2,d,c,k",
                           2);
    assert_string_equal(p.split.items[0].input, "a");
    assert_string_equal(p.split.items[0].references.data[0], "b");
    assert_string_equal(p.split.items[0].group, "seen");
    assert_string_equal(p.split.items[0].category, "");
    assert_string_equal(p.split.items[1].category, "k");
    assert_int_equal(p.split.items[1].label, -1);
    forget(&p);
}

/* What both formats reject, with the line where the record begins. */
static void test_errors(void **state) {
    (void)state;
    parse_table formats[] = {sp_parse_csv, sp_parse_tsv};
    for (int i = 0; i < 2; i++) {
        expect_error(formats[i], "", "t:1: is empty; name the columns");
        expect_error(formats[i], "\n\n", "t:1: is empty");
        expect_error(formats[i], "a\n",
                     "t:1: column \"input\" is missing: a record has \"input\" and "
                     "\"target\", or \"text\" and \"label\", or \"tokens\" and \"tags\"; "
                     "the first line names");
        expect_error(formats[i], "label\n", "t:1: column \"text\" is missing; the first line");
        expect_error(formats[i], "text\xff\n", "t:1: byte 5 of the line, 0xff, is not UTF-8");
    }
    expect_error(sp_parse_csv, "text,label,text\n", "t:1: two columns are called 'text'");
    expect_error(sp_parse_csv, "text,text_a,label\n", "t:1: has both \"text\" and \"text_a\"");
    expect_error(sp_parse_csv, "text_a,label\n", "t:1: column \"text_b\" is missing");
    expect_error(sp_parse_csv, "text,label\n\"a\nb\",x\n,y\n", "t:4: field \"text\" is empty");
    expect_error(sp_parse_csv, "text,label\na,\n", "t:2: field \"label\" is empty");
    expect_error(sp_parse_csv, "text,label\na,x,y\n",
                 "t:2: the record counts 3 field(s), the header 2");
    expect_error(sp_parse_csv, "text,label\na,x\n\nb\n",
                 "t:4: the record counts 1 field(s), the header 2");
    expect_error(sp_parse_tsv, "text\tlabel\na\tx\ty\n",
                 "t:2: the record counts 3 field(s), the header 2");
    expect_error(sp_parse_tsv, "text\tlabel\na\n",
                 "t:2: the record counts 1 field(s), the header 2");
    expect_error(sp_parse_csv, "input,target,group\na,b,new\n", "t:2: group is 'new'");
}

/* A message about a header stays one line of a fair length, and ten thousands of columns are read
 * at once. */
static void test_long_header(void **state) {
    (void)state;
    sp_buf text = {0};
    for (int i = 0; i < 50000; i++) sp_buf_printf(&text, "c%d,", i);
    sp_buf_puts(&text, "\"two\nlines\"\n");
    expect_error(sp_parse_csv, text.data, "columns: c0, c1, ");
    expect_error(sp_parse_csv, text.data, "c19, and 49981 more (a card's");
    sp_buf_free(&text);
    expect_error(sp_parse_csv, "text,\"two\nlines\",label,\"two\nlines\"\n",
                 "columns are called 'two?lines'");
}

/* Quotes in CSV must be whole. */
static void test_quote_errors(void **state) {
    (void)state;
    expect_error(sp_parse_csv, "text,label\na,x\n\"b,y\nc,z\n",
                 "t:3: a quote is opened and never closed");
    expect_error(sp_parse_csv, "text,label\na \"b\",x\n", "t:2: a quote stands inside a field");
    expect_error(sp_parse_csv, "text,label\n\"a\" b,x\n", "t:2: a quote stands inside a field");
}

/* A NUL character is no text. */
static void test_nul(void **state) {
    (void)state;
    static const char text[] = "text,label\na\0b,x\n";
    parsed p = parse(sp_parse_csv, text, sizeof text - 1);
    assert_int_equal(p.status, SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "t:2: byte 2 of the line, 0x00, is not text"));
    forget(&p);
}

/* A column of identifiers is no column of classes. */
static void test_too_many_labels(void **state) {
    (void)state;
    sp_buf text = {0};
    sp_buf_puts(&text, "text,label\n");
    for (int i = 0; i < 1001; i++) sp_buf_printf(&text, "a,%d\n", i);
    parsed p = parse(sp_parse_csv, text.data, text.len);
    assert_int_equal(p.status, SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "t:1002: '1000' is label 1001 of train, one too many"));
    forget(&p);
    sp_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes),      cmocka_unit_test(test_raw),
        cmocka_unit_test(test_tags),        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_quote_errors),
        cmocka_unit_test(test_nul),         cmocka_unit_test(test_too_many_labels),
        cmocka_unit_test(test_long_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
