#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/page.h"
#include "report/report.h"
#include "report/settings.h"
#include "report/svg.h"

#include <expat.h>

#define SPEC                                                                                       \
    "name: demo\ntitle: A <b>bold</b> & \"quoted\" title\nbase: {model: m, dataset: d}\n"          \
    "methods: {prefix: {}, prompt: {label: Prompt <i>}}\nseeds: [1, 2]\n"                          \
    "presets: {quick: {train.steps: 7}}\n"                                                         \
    "report:\n  table: {metrics: [bleu], groups: [all]}\n"                                         \
    "  figures: [{kind: scatter, y: test.all.bleu}, {kind: learning-curve, y: dev.bleu}]\n"        \
    "paper: [{title: P & Q, columns: [BLEU], rows: {prefix: [62.9]}}]\n"

static sp_spec spec;
static sp_run_list runs;

static void write_run(const sp_run_spec *run, const char *said) {
    sp_runlog log = {0};
    sp_run_describe(run, &log);
    sp_runlog_text(&log, "status", said ? "finished" : "failed");
    sp_runlog_text(&log, "error", said ? "" : "loss is <NaN> & more");
    sp_runlog_text(&log, "output", "text");
    sp_runlog_text(&log, "cpu", "CPU <1>");
    sp_runlog_integer(&log, "trainable_parameters", 100);
    sp_runlog_integer(&log, "total_parameters", 1000);
    sp_runlog_number(&log, "wall_seconds", 70);
    sp_runlog_dev(&log, 10, "bleu", 20 + run->seed);
    sp_runlog_dev(&log, 20, "bleu", 30);
    if (said) sp_runlog_test(&log, NULL, "bleu", 30 + run->seed);
    if (said) sp_runlog_prediction(&log, "record <1>", said, "one\ntwo");
    study_write_log(run, &log);
}

static bool have(const char *program) {
    char *command = sp_format("command -v %s > /dev/null 2>&1", program);
    bool there = system(command) == 0;
    free(command);
    return there;
}

/* The last prompt run failed; what was said has a script, a control character and broken UTF-8. */
static int setup(void **state) {
    study_setup(state);
    assert_int_equal(study_read(SPEC, "quick", "train.lr=0.5", &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    for (int i = 0; i < 3; i++)
        write_run(&runs.items[i], "<script>alert(1)</script> \x01 \xff ]]> & end");
    write_run(&runs.items[3], NULL);
    return 0;
}

static int teardown(void **state) {
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
    return study_teardown(state);
}

static void write_report(sp_buf *page) {
    sp_status st = sp_report_write(&spec, &runs, study_folder, NULL, NULL);
    if (st && have("gnuplot")) fail_msg("%s", sp_error());
    char *path = sp_path_join(study_folder, "report.html");
    assert_int_equal(sp_read_file(path, page), SP_OK);
    free(path);
}

/* ---- what a parser of XML sees ---- */

typedef struct seen {
    sp_strings ids, targets; /* of href="#x" */
    size_t svgs, table_rows;
} seen;

static void see_element(void *user, const char *name, const char **attributes) {
    seen *s = user;
    s->svgs += strcmp(name, "svg") == 0;
    s->table_rows += strcmp(name, "tr") == 0;
    assert_string_not_equal(name, "script");
    for (; *attributes; attributes += 2) {
        const char *key = attributes[0], *value = attributes[1];
        if (strcmp(key, "id") == 0) sp_strings_push(&s->ids, value);
        bool leads = strcmp(key, "href") == 0 || strcmp(key, "xlink:href") == 0;
        if (leads && *value == '#') sp_strings_push(&s->targets, value + 1);
        if (!leads && strcmp(key, "src") != 0) continue;
        if (strstr(value, "://") || *value == '/') fail_msg("%s leads elsewhere", value);
    }
}

static size_t count_in(const sp_strings *list, const char *text) {
    size_t n = 0;
    for (size_t i = 0; i < list->len; i++) n += strcmp(list->data[i], text) == 0;
    return n;
}

static void parse(const sp_buf *page, seen *s) {
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser, s);
    XML_SetStartElementHandler(parser, see_element);
    if (XML_Parse(parser, page->data, (int)page->len, 1) != XML_STATUS_OK)
        fail_msg("line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(parser),
                 XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
}

static void page_is_well_formed_and_needs_nothing_from_elsewhere(void **state) {
    (void)state;
    sp_buf page = {0};
    seen s = {0};
    write_report(&page);
    parse(&page, &s);
    assert_null(strstr(page.data, "@import"));
    assert_null(strstr(page.data, "url(http"));
    if (have("gnuplot")) assert_int_equal(s.svgs, 2);
    for (size_t i = 0; i < s.ids.len; i++) assert_int_equal(count_in(&s.ids, s.ids.data[i]), 1);
    for (size_t i = 0; i < s.targets.len; i++)
        if (count_in(&s.ids, s.targets.data[i]) != 1)
            fail_msg("#%s leads nowhere", s.targets.data[i]);
    sp_strings_free(&s.ids), sp_strings_free(&s.targets);
    sp_buf_free(&page);
}

static void page_has_all_that_the_report_has(void **state) {
    (void)state;
    static const char *const expected[] = {
        "<h1>A &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot; title</h1>",
        "<dd>quick</dd>",
        "<dd>train.lr=0.5</dd>",
        "<dd>1, 2</dd>",
        "<dd>4, of which 3 finished, 1 failed</dd>",
        "<dd>5 min</dd>",
        "31.5 \xc2\xb1 0.7",
        "Prompt &lt;i&gt; seed 2 failed: loss is &lt;NaN&gt; &amp; more",
        "Published: P &amp; Q",
        "&lt;script&gt;alert(1)&lt;/script&gt; ? \xef\xbf\xbd ]]&gt; &amp; end",
        "CPU &lt;1&gt;",
        "train.steps: 7",
        "method.name: prefix",
        "presets: {quick:"};
    sp_buf page = {0};
    write_report(&page);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(page.data, expected[i])) fail_msg("'%s' is not in the page", expected[i]);
    for (size_t i = 0; i < runs.count; i++) {
        char *link = sp_format("<a href=\"runs/%s.h5\">%s</a>", runs.items[i].id, runs.items[i].id);
        assert_non_null(strstr(page.data, link));
        free(link);
    }
    sp_buf_free(&page);
}

static void page_comes_out_before_any_run(void **state) {
    (void)state;
    sp_run_list none = runs;
    char folder[] = "/tmp/sp-page-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(sp_report_write(&spec, &none, folder, NULL, NULL), SP_OK);
    char *path = sp_path_join(folder, "report.html");
    sp_buf page = {0};
    seen s = {0};
    assert_int_equal(sp_read_file(path, &page), SP_OK);
    parse(&page, &s);
    assert_non_null(strstr(page.data, "4, of which 0 finished, 4 not done"));
    assert_int_equal(s.svgs, 0);
    sp_strings_free(&s.ids), sp_strings_free(&s.targets);
    sp_buf_free(&page);
    free(path);
    study_remove(folder);
}

/* Chromium draws the page: the picture has the size asked for and is not of one colour, which
 * would make a file of a few kB. */
static void browser_draws_the_page(void **state) {
    (void)state;
    if (!have("chromium")) {
        print_message("skipped: chromium is not installed\n");
        skip();
    }
    sp_buf page = {0};
    write_report(&page);
    sp_buf_free(&page);
    char *command = sp_format("cd %s && HOME=%s timeout 60 chromium --headless=new --no-sandbox "
                              "--disable-gpu --screenshot=%s/page.png --window-size=800,1200 "
                              "file://%s/report.html > /dev/null 2>&1",
                              study_folder, study_folder, study_folder, study_folder);
    int code = system(command);
    char *path = sp_path_join(study_folder, "page.png");
    struct stat info;
    if (code || stat(path, &info)) fail_msg("chromium made no picture: %d", code);
    sp_buf picture = {0};
    assert_int_equal(sp_read_file(path, &picture), SP_OK);
    const unsigned char *header = (const unsigned char *)picture.data;
    assert_int_equal(header[18] << 8 | header[19], 800);
    assert_int_equal(header[22] << 8 | header[23], 1200);
    assert_true(picture.len > 20000);
    sp_buf_free(&picture);
    free(path), free(command);
}

static void svg_gets_a_prefix_before_ids_in_tags_only(void **state) {
    (void)state;
    sp_buf out = {0};
    assert_true(sp_svg_inline("<?xml?>\n<svg width=\"9\"\n viewBox=\"0 0 9 9\">\n<title>G</title>\n"
                              "<desc>d</desc><g id=\"a\"><use xlink:href='#b' fill='url(#c)'/>"
                              "<text>x id='d' url(#e)</text></g></svg>\n",
                              "p-", "L&", &out));
    assert_non_null(strstr(out.data, "viewBox=\"0 0 9 9\" aria-label=\"L&amp;\"><g id=\"p-a\">"
                                     "<use xlink:href='#p-b' fill='url(#p-c)'/>"
                                     "<text>x id='d' url(#e)</text></g></svg>"));
    sp_buf_free(&out);
    assert_false(sp_svg_inline("<svg viewBox=\"0\"><g>", "p-", "", &out));
    assert_false(sp_svg_inline("no figure", "p-", "", &out));
    assert_null(out.data);
}

static void settings_that_differ_are_told_from_shared_ones(void **state) {
    (void)state;
    static const char *const texts[] = {"a: {b: 1, c: [1, 2]}\nd: x", "a: {b: 1, c: [1, 3]}\ne: y"};
    sp_yaml *trees[2];
    sp_strings paths = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(sp_yaml_parse(texts[i], strlen(texts[i]), "t", &trees[i]), SP_OK);
    const sp_yaml *const *view = (const sp_yaml *const *)trees;
    sp_settings_paths(view, 2, &paths);
    assert_int_equal(paths.len, 4);
    assert_string_equal(paths.data[1], "a.c");
    char *value = sp_settings_value(trees[1], "a.c");
    assert_string_equal(value, "[1, 3]");
    assert_null(sp_settings_value(trees[1], "d"));
    assert_false(sp_settings_differ(view, 2, "a.b"));
    assert_true(sp_settings_differ(view, 2, "a.c"));
    assert_true(sp_settings_differ(view, 2, "d"));
    assert_false(sp_settings_differ(view, 2, "none"));
    free(value);
    sp_strings_free(&paths);
    for (int i = 0; i < 2; i++) sp_yaml_free(trees[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_is_well_formed_and_needs_nothing_from_elsewhere),
        cmocka_unit_test(page_has_all_that_the_report_has),
        cmocka_unit_test(page_comes_out_before_any_run),
        cmocka_unit_test(browser_draws_the_page),
        cmocka_unit_test(svg_gets_a_prefix_before_ids_in_tags_only),
        cmocka_unit_test(settings_that_differ_are_told_from_shared_ones)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
