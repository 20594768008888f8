#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/html.h"
#include "report/sheet.h"

#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(sp_sheet *sheet) {
    sp_sheet_start(sheet, "demo", "A & <B>");
    sp_sheet_caption(sheet, "Read\nthis");
    sp_sheet_column(sheet, "Method", false);
    sp_sheet_column(sheet, "BLEU, all", true);
    sp_sheet_cell(sheet, "a|b_\"c\"");
    sp_sheet_mean(sheet, 12.3456, 0.5, 1);
    sp_sheet_cell(sheet, "50% <x>");
    sp_sheet_number(sheet, 12.31, 1);
    sp_sheet_cell(sheet, "");
    sp_sheet_number(sheet, NAN, 1);
    sp_sheet_cell(sheet, "low");
    sp_sheet_number(sheet, 1.0 / 3, 2);
    sp_sheet_mark_best(sheet, 1, true);
    sp_sheet_note(sheet, "one & two");
    sp_sheet_note(sheet, "");
    sp_sheet_note(sheet, "three");
}

static void assert_renders(void (*render)(const sp_sheet *, sp_buf *), const char *expected) {
    sp_sheet sheet;
    sp_buf out = {0};
    fill(&sheet);
    render(&sheet, &out);
    assert_string_equal(out.data, expected);
    sp_buf_free(&out);
    sp_sheet_free(&sheet);
}

static void markdown_has_heading_caption_rows_and_notes(void **state) {
    (void)state;
    assert_renders(sp_sheet_markdown, "# A & <B>\n\nRead\nthis\n\n"
                                      "| Method | BLEU, all |\n|:---|---:|\n"
                                      "| a\\|b_\"c\" | **12.3 \xc2\xb1 0.5** |\n"
                                      "| 50% <x> | **12.3** |\n"
                                      "|  | \xe2\x80\x93 |\n"
                                      "| low | 0.33 |\n"
                                      "\n- one & two\n\n- three\n");
}

static void csv_has_numbers_in_full_and_quotes_what_needs_it(void **state) {
    (void)state;
    assert_renders(sp_sheet_csv, "Method,\"BLEU, all\"\n"
                                 "\"a|b_\"\"c\"\"\",12.3456\n"
                                 "50% <x>,12.31\n"
                                 ",\n"
                                 "low,0.3333333333\n");
}

static void tex_escapes_and_comments(void **state) {
    (void)state;
    assert_renders(sp_sheet_tex, "% A & <B>\n% Read\n% this\n\\begin{tabular}{lr}\n\\hline\n"
                                 "Method & BLEU, all \\\\\n\\hline\n"
                                 "a|b\\_\"c\" & \\textbf{12.3 $\\pm$ 0.5} \\\\\n"
                                 "50\\% $<$x$>$ & \\textbf{12.3} \\\\\n"
                                 " & -- \\\\\n"
                                 "low & 0.33 \\\\\n"
                                 "\\hline\n\\end{tabular}\n");
}

static void html_is_well_formed_and_escaped(void **state) {
    (void)state;
    sp_sheet sheet;
    sp_buf out = {0};
    fill(&sheet);
    sp_sheet_html(&sheet, &out);
    XML_Parser parser = XML_ParserCreate("UTF-8");
    assert_int_equal(XML_Parse(parser, out.data, (int)out.len, 1), XML_STATUS_OK);
    XML_ParserFree(parser);
    assert_non_null(strstr(out.data, "<h2>A &amp; &lt;B&gt;</h2>"));
    assert_non_null(strstr(out.data, "<td class=\"n\"><b>12.3 \xc2\xb1 0.5</b></td>"));
    assert_non_null(strstr(out.data, "<th scope=\"row\">50% &lt;x&gt;</th>"));
    assert_non_null(strstr(out.data, "<li>one &amp; two</li>"));
    sp_buf_free(&out);
    sp_sheet_free(&sheet);
}

static void lower_is_better_marks_the_lowest(void **state) {
    (void)state;
    sp_sheet sheet;
    fill(&sheet);
    for (size_t i = 0; i < sheet.cell_count; i++) sheet.cells[i].best = false;
    sp_sheet_mark_best(&sheet, 1, false);
    for (size_t i = 0; i < sp_sheet_rows(&sheet); i++)
        assert_int_equal(sheet.cells[2 * i + 1].best, i == 3);
    sp_sheet_free(&sheet);
}

static void text_that_is_no_xml_becomes_replacement_characters(void **state) {
    (void)state;
    sp_buf out = {0};
    sp_html_text(&out, "a\x01"
                       "b\xff"
                       "c\xef\xbf\xbf'\"&");
    assert_string_equal(out.data, "a\xef\xbf\xbd"
                                  "b\xef\xbf\xbd"
                                  "c\xef\xbf\xbd&#39;&quot;&amp;");
    sp_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_has_heading_caption_rows_and_notes),
        cmocka_unit_test(csv_has_numbers_in_full_and_quotes_what_needs_it),
        cmocka_unit_test(tex_escapes_and_comments),
        cmocka_unit_test(html_is_well_formed_and_escaped),
        cmocka_unit_test(lower_is_better_marks_the_lowest),
        cmocka_unit_test(text_that_is_no_xml_becomes_replacement_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
