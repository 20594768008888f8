/* Costs of methods, against PyTorch's count of operations and NumPy's PSCP (tests/golden/cost.tsv),
 * and against numbers by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"
#include "report/cost.h"
#include "training/flops.h"

#include <math.h>

#define SPEC                                                                                       \
    "name: demo\nbase: {model: tests/golden/gpt2-tiny, dataset: d, train: {batch: 4}}\n"           \
    "methods: {lora: {}, prompt: {}, none: {}}\nseeds: [1, 2]\n"
#define COST "report: {cost: {score: test.all.bleu}}\n"

static double golden(const char *name) {
    FILE *file = fopen("tests/golden/cost.tsv", "r");
    char line[256];
    double value = NAN;
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '\t')
            value = strtod(line + strlen(name), NULL);
    fclose(file);
    assert_false(isnan(value));
    return value;
}

static sp_model *declare(const char *path) {
    sp_config config;
    sp_model *model;
    assert_int_equal(sp_config_read(path, &config), SP_OK);
    assert_int_equal(sp_model_declare(&config, &model), SP_OK);
    return model;
}

/* Counts of a generated token equal PyTorch's, with and without an update beside a linear map. */
static void operations_equal_pytorchs(void **state) {
    (void)state;
    static const char *const names[] = {"gpt2-tiny", "llama-tiny"};
    for (int i = 0; i < 2; i++) {
        char *path = sp_format("tests/golden/%s/config.json", names[i]);
        sp_model *m = declare(path);
        sp_inference pass = {
            .tokens = 1, .cached = 20, .wanted = 1, .answers = m->config.vocab_size};
        char *plain = sp_format("token/%s", names[i]), *lora = sp_format("token-lora/%s", names[i]);
        assert_true(sp_inference_flops(m, &pass) == golden(plain));
        double *added = sp_alloc((size_t)m->projection_count, sizeof *added);
        for (int p = 0; p < m->projection_count; p++) {
            const sp_projection *map = &m->projections[p];
            if (p == 0 || map->layer != map[-1].layer)
                added[p] =
                    3.0 * (double)(sp_linear_inputs(&map->map) + sp_linear_outputs(&map->map));
        }
        pass.added = added;
        assert_true(sp_inference_flops(m, &pass) == golden(lora));
        free(added), free(plain), free(lora), free(path);
        sp_model_free(m);
    }
}

/* PSCP equals NumPy's; an exponent of 0 takes a cost out, even one that is not known. */
static void pscp_equals_numpys(void **state) {
    (void)state;
    double costs[] = {1000, 3e5, 2.5e8};
    const double references[] = {2e4, 2.5e5, 1e9}, ones[] = {1, 1, 1};
    assert_true(fabs(sp_pscp(60, costs, references, ones) - golden("pscp/default")) < 1e-12);
    const double others[] = {500, 1e5, 1e8}, weights[] = {0.5, 0, 2};
    assert_true(fabs(sp_pscp(60, costs, others, weights) - golden("pscp/weighed")) < 1e-12);
    costs[SP_COST_FLOPS] = NAN;
    assert_true(fabs(sp_pscp(60, costs, others, weights) - golden("pscp/weighed")) < 1e-12);
    assert_true(isnan(sp_pscp(60, costs, references, ones)));
}

/* ---- a study ---- */

static void check(sp_status st) {
    if (st) fail_msg("%s", sp_error());
}

/* Ten steps of half a second each and an evaluation of ten seconds; `length` tokens an example. */
static void fill_log(sp_runlog *log, double bleu, long trained, double length) {
    sp_runlog_text(log, "status", "finished");
    sp_runlog_text(log, "output", "text");
    sp_runlog_integer(log, "trainable_parameters", trained);
    sp_runlog_integer(log, "kept_parameters", trained);
    sp_runlog_integer(log, "total_parameters", 20000);
    sp_runlog_number(log, "train_seconds", trained ? 15 : 0);
    sp_runlog_number(log, "peak_rss_bytes", 2.5e8);
    for (int step = 1; trained && step <= 10; step++)
        sp_runlog_train(log, step, 3, 1e-3, 1, length * 4 * step, 0.5 * step + (step > 5) * 10);
    sp_runlog_test(log, NULL, "bleu", bleu);
}

static void write_run(const sp_run_spec *run, double bleu) {
    static const int64_t rows[] = {-1, -2, -3};
    const size_t three = 3, a[] = {2, 32}, b[] = {96, 2};
    float numbers[192] = {0};
    sp_runlog log = {0};
    bool lora = strcmp(run->method, "lora") == 0, prompt = strcmp(run->method, "prompt") == 0;
    fill_log(&log, bleu, lora ? 256 : prompt ? 96 : 0, prompt ? 13 : 10);
    char *path = sp_run_path(run, study_folder);
    sp_h5 *file;
    check(sp_runlog_write(&log, path));
    check(sp_h5_create(path, &file));
    check(sp_runlog_write_to(&log, file));
    if (prompt) check(sp_h5_write_ints(file, "/prompt/template_before", 1, &three, rows));
    if (lora) {
        check(sp_h5_write_floats(file, "/prompt/low_rank/transformer.h.0.attn.c_attn/A", 2, a,
                                 numbers));
        check(sp_h5_write_floats(file, "/prompt/low_rank/transformer.h.0.attn.c_attn/B", 2, b,
                                 numbers));
    }
    check(sp_h5_commit(file));
    sp_runlog_free(&log);
    free(path);
}

enum {
    TRAINED = 1,
    SHARE,
    KEPT,
    STORED,
    TRAINING,
    STEP,
    SPEED,
    MEMORY,
    MERGED,
    BESIDE,
    SCORE,
    SPREAD,
    PSCP,
    COLUMNS
};

static double cell(const sp_sheet *sheet, int row, int column) {
    return sheet->cells[row * COLUMNS + column].value;
}

static void assert_near(double x, double y) {
    if (!(fabs(x - y) <= 1e-9 * fmax(1, fabs(y)))) fail_msg("%.15g is not %.15g", x, y);
}

/* With costs that are the same in all runs, PSCP is as linear as the score is. */
static void compare_runs_with_rows(const sp_results *r, const sp_sheet *sheet) {
    double *pscp = sp_alloc(r->runs->count, sizeof *pscp);
    check(sp_pscp_of_runs(r, study_folder, pscp));
    for (size_t i = 0; i < r->row_count; i++) {
        double mean = (pscp[2 * i] + pscp[2 * i + 1]) / 2, whole = cell(sheet, (int)i, PSCP);
        assert_true(isnan(mean) == isnan(whole));
        if (!isnan(mean)) assert_near(mean, whole);
    }
    free(pscp);
}

/* The sheet of `text` with the numbers of write_run: 60 and 64, and so on. */
static void make_sheet(const char *text, sp_sheet *sheet) {
    sp_spec spec;
    sp_run_list runs;
    sp_results results;
    check(study_read(text, NULL, NULL, &spec));
    check(sp_expand(&spec, study_identify, NULL, &runs));
    for (size_t i = 0; i < runs.count; i++)
        write_run(&runs.items[i], 60 - 10.0 * (double)(i / 2) + 4.0 * (double)(i % 2));
    check(sp_results_load(&spec, &runs, study_folder, &results));
    *sheet = (sp_sheet){0};
    check(sp_cost_sheet(&results, study_folder, sheet));
    if (spec.cost.score) compare_runs_with_rows(&results, sheet);
    sp_results_free(&results);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
}

/* Maps of a block 32 x (96 + 32 + 128) + 128 x 32; two blocks; a head of 97. */
static double token_flops(double keys) {
    return 2 * 2 * (32 * 256 + 128 * 32) + 4 * 32 * 2 * keys + 2 * 97 * 32;
}

/* Every column of the table equals what a pocket calculator says. */
static void the_table_equals_a_count_by_hand(void **state) {
    (void)state;
    sp_sheet s;
    make_sheet(SPEC COST, &s);
    assert_int_equal(sp_sheet_rows(&s), 3);
    assert_near(cell(&s, 0, TRAINED), 256);
    assert_near(cell(&s, 0, SHARE), 1.28);
    assert_near(cell(&s, 0, KEPT), 256);
    assert_near(cell(&s, 0, STORED), 1.024);
    assert_near(cell(&s, 0, TRAINING), 15);
    assert_near(cell(&s, 0, STEP), 500);
    assert_near(cell(&s, 0, SPEED), 80);
    assert_near(cell(&s, 0, MEMORY), 250);
    double bare = token_flops(11), prompted = token_flops(14);
    assert_near(cell(&s, 0, MERGED), bare / 1e6);
    assert_near(cell(&s, 0, BESIDE), (bare + 2 * 2 * (32 + 96)) / 1e6);
    assert_near(cell(&s, 1, MERGED), prompted / 1e6);
    assert_near(cell(&s, 2, MERGED), bare / 1e6);
    assert_near(cell(&s, 0, SCORE), 62);
    assert_near(cell(&s, 0, SPREAD), sqrt(8));
    assert_true(isnan(cell(&s, 2, STEP)));
    assert_near(cell(&s, 0, PSCP), 62 / (1 + 256 / 20000.0) / 2 / 1.25);
    assert_near(cell(&s, 1, PSCP), 52 / (1 + 96 / 20000.0) / (1 + prompted / bare) / 1.25);
    sp_sheet_free(&s);
}

/* Without `cost` there is no table; references and exponents of the spec count. */
static void the_spec_says_what_is_weighed(void **state) {
    (void)state;
    sp_sheet s;
    make_sheet(SPEC, &s);
    assert_null(s.name);
    sp_sheet_free(&s);
    make_sheet(SPEC "report: {cost: {score: test.all.bleu, references: {memory: 1e8, parameters: "
                    "512}, exponents: {flops: 0, memory: 2}}}\n",
               &s);
    assert_near(cell(&s, 0, PSCP), 62 / 1.5 / (3.5 * 3.5));
    sp_sheet_free(&s);
}

/* A model that is not here costs the FLOPs, and what hangs on them, nothing else. */
static void a_missing_model_is_noted(void **state) {
    (void)state;
    sp_sheet s;
    make_sheet("name: demo\nbase: {model: /nowhere, dataset: d, train: {batch: 4}}\n"
               "methods: {lora: {}}\nseeds: [1, 2]\n" COST,
               &s);
    assert_near(cell(&s, 0, STEP), 500);
    assert_true(isnan(cell(&s, 0, MERGED)) && isnan(cell(&s, 0, PSCP)));
    assert_non_null(strstr(s.notes.data[s.notes.len - 1], "No FLOPs of /nowhere: "));
    sp_sheet_free(&s);
}

/* What is wrong is said with the file's line. */
static void wrong_settings_are_refused(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"{}", "score"},
        {"{score: test.all.ter}", "better when lower"},
        {"{score: dev.best.loss}", "better when lower"},
        {"{score: test.all.nothing}", "nothing"},
        {"{score: test.all.bleu, reference: {}}", "did you mean 'references'"},
        {"{score: test.all.bleu, references: {flop: 1}}", "did you mean 'flops'"},
        {"{score: test.all.bleu, references: {flops: 0}}", "reference of flops is '0'"},
        {"{score: test.all.bleu, references: {flops: [1]}}", "a list or map"},
        {"{score: test.all.bleu, references: {memory: model}}", "in bytes"},
        {"{score: test.all.bleu, references: {memory: inf}}", "in bytes"},
        {"{score: test.all.bleu, exponents: {memory: -1}}", "from 0 to 10"},
        {"{score: test.all.bleu, exponents: 1}", "exponents"},
        {"[1]", "cost"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *text = sp_format(SPEC "report:\n  cost: %s\n", wrong[i][0]);
        sp_spec spec;
        assert_int_equal(study_read(text, NULL, NULL, &spec), SP_ERR_SPEC);
        if (!strstr(sp_error(), wrong[i][1]) || !strstr(sp_error(), "s.yaml:6: "))
            fail_msg("%s: %s", wrong[i][0], sp_error());
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_equal_pytorchs),
        cmocka_unit_test(pscp_equals_numpys),
        cmocka_unit_test(the_table_equals_a_count_by_hand),
        cmocka_unit_test(the_spec_says_what_is_weighed),
        cmocka_unit_test(a_missing_model_is_noted),
        cmocka_unit_test(wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
