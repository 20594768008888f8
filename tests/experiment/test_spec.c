#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"

#define SPEC                                                                                       \
    "name: demo\n"                                                                                 \
    "base:\n"                                                                                      \
    "  model: gpt2-1m\n"                                                                           \
    "  dataset: wntriples\n"                                                                       \
    "  train: {steps: 400, batch: 16}\n"                                                           \
    "methods:\n"                                                                                   \
    "  prefix: {lr: 3e-3, hidden: 64}\n"                                                           \
    "  flat: {method: prefix, label: Flat prefix, reparametrization: none}\n"                      \
    "  none:\n"
#define GRID                                                                                       \
    "grid:\n  method.length: [1, 5]\nseeds: [1, 2, 3]\n"                                           \
    "presets:\n  quick: {train.steps: 30, seeds: [7], grid.method.length: [2], "                   \
    "methods.prefix.batch: 4}\n"

/* Expands the spec and fails the test with its message if it is refused. */
static sp_run_list expand(const char *text, const char *preset, const char *set) {
    sp_spec spec;
    sp_run_list runs;
    if (study_read(text, preset, set, &spec)) fail_msg("%s", sp_error());
    if (sp_expand(&spec, study_identify, &runs)) fail_msg("%s", sp_error());
    sp_spec_free(&spec);
    return runs;
}

static void expect_error(const char *text, const char *set, const char *part) {
    sp_spec spec;
    sp_run_list runs = {0};
    sp_status st = study_read(text, NULL, set, &spec);
    if (!st) {
        st = sp_expand(&spec, study_identify, &runs);
        sp_spec_free(&spec);
    }
    assert_int_equal(st, SP_ERR_SPEC);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* Methods x grid x seeds are the runs; an axis a method lacks collapses. */
static void test_expansion(void **state) {
    (void)state;
    sp_run_list runs = expand(SPEC GRID, NULL, NULL);
    assert_int_equal(runs.count, 2 * 3 + 2 * 3 + 3);
    const sp_run_spec *r = &runs.items[3];
    assert_string_equal(r->experiment, "demo");
    assert_string_equal(r->method, "prefix");
    assert_string_equal(r->point, "length 5");
    assert_int_equal(r->method_options.length, 5);
    assert_int_equal(r->method_options.hidden, 64);
    assert_non_null(strstr(r->length_place, "s.yaml:11"));
    assert_int_equal(r->train.steps, 400);
    assert_true(r->train.lr == 3e-3);
    assert_int_equal(r->seed, 1);
    r = &runs.items[6];
    assert_string_equal(r->entry, "flat");
    assert_string_equal(r->label, "Flat prefix");
    assert_string_equal(r->method_options.reparametrization, "none");
    r = &runs.items[14];
    assert_string_equal(r->method, "none");
    assert_string_equal(r->point, "");
    for (size_t i = 0; i < runs.count; i++) {
        assert_int_equal(strlen(runs.items[i].id), SP_RUN_ID);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(runs.items[i].id, runs.items[j].id);
    }
    sp_run_list_free(&runs);
}

/* A preset stands between base and entries; --set stands above all and replaces its grid axis. */
static void test_precedence(void **state) {
    (void)state;
    sp_run_list quick = expand(SPEC GRID, "quick", NULL);
    assert_int_equal(quick.count, 3);
    assert_int_equal(quick.items[0].train.steps, 30);
    assert_int_equal(quick.items[0].train.batch, 4);
    assert_int_equal(quick.items[1].train.batch, 16);
    assert_int_equal(quick.items[0].method_options.length, 2);
    assert_int_equal(quick.items[0].seed, 7);
    sp_run_list_free(&quick);
    sp_run_list set = expand(SPEC GRID, NULL, "method.length=9");
    assert_int_equal(set.count, 9);
    assert_int_equal(set.items[0].method_options.length, 9);
    sp_run_list_free(&set);
    sp_run_list lr = expand(SPEC, NULL, "train.lr=0.5");
    assert_true(lr.items[0].train.lr == 0.5);
    sp_run_list_free(&lr);
    sp_run_list model = expand(SPEC, NULL, "model=gpt2-4m");
    assert_string_equal(model.items[0].model, "gpt2-4m");
    sp_run_list_free(&model);
    sp_run_list seeds = expand(SPEC, NULL, "seeds=[4, 5]");
    assert_int_equal(seeds.count, 6);
    sp_run_list_free(&seeds);
}

/* A run's id is a pure function of its settings, and any setting changes it. */
static void test_ids(void **state) {
    (void)state;
    static const char *const changes[] = {
        "train.steps=401",   "train.lr=1e-4",    "decode.beam=2",
        "method.length=3",   "method.hidden=65", "model=gpt2-4m",
        "dataset=webnlg",    "dev.limit=5",      "test.limit=5",
        "data.limit=5",      "seeds=[2]",        "method.init=zero",
        "train.warmup=0.07", "train.clip=0.5",   "methods.prefix.lr=0.1"};
    sp_run_list base = expand(SPEC, NULL, NULL), again = expand(SPEC, NULL, "title=Another");
    assert_string_equal(base.items[0].id, again.items[0].id);
    assert_string_equal(base.items[0].spec_yaml, again.items[0].spec_yaml);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sp_run_list other = expand(SPEC, NULL, changes[i]);
        if (strcmp(base.items[0].id, other.items[0].id) == 0)
            fail_msg("%s does not change the id", changes[i]);
        sp_run_list_free(&other);
    }
    sp_run_list_free(&base);
    sp_run_list_free(&again);
}

/* The resolved spec is YAML that names every setting. */
static void test_resolved_spec(void **state) {
    (void)state;
    sp_run_list runs = expand(SPEC, NULL, NULL);
    sp_yaml *root;
    const char *text = runs.items[0].spec_yaml;
    assert_int_equal(sp_yaml_parse(text, strlen(text), "run", &root), SP_OK);
    assert_string_equal(sp_yaml_at(root, "method.name")->text, "prefix");
    assert_string_equal(sp_yaml_at(root, "train.lr")->text, "0.003");
    assert_string_equal(sp_yaml_at(root, "seed")->text, "1");
    sp_yaml_free(root);
    sp_run_list_free(&runs);
}

/* What is wrong is told with file, line and the nearest known key. */
static void test_errors(void **state) {
    (void)state;
    expect_error(SPEC "gird: {}\n", NULL, "s.yaml:10: unknown key 'gird'; did you mean 'grid'?");
    expect_error("name: x\nmethods: {prefix: {}}\nbase: {modle: y}\n", NULL,
                 "s.yaml:3: unknown key 'modle'; did you mean 'model'?");
    expect_error(SPEC "  prefx: {}\n", NULL,
                 "s.yaml:10: unknown method 'prefx'; did you mean 'prefix'?");
    expect_error(SPEC "  prompt: {hiddn: 4}\n", NULL, "s.yaml:10: prompt has no setting 'hiddn'");
    expect_error(SPEC "  prompt: {lenght: 4}\n", NULL, "did you mean 'length'?");
    expect_error(SPEC "  prompt: {lr: fast}\n", NULL, "s.yaml:10: lr is 'fast'; use a number");
    expect_error(SPEC "  prompt: {length: -4}\n", NULL, "s.yaml:10: length is -4; use 0 to");
    expect_error(SPEC "  prompt: [1]\n", NULL, "s.yaml:10: prompt is a list; use a map");
    expect_error(SPEC "grid: {method.lenght: [1]}\n", NULL,
                 "s.yaml:10: unknown setting 'method.lenght'; did you mean 'method.length'?");
    expect_error(SPEC "grid: {method.length: 3}\n", NULL,
                 "s.yaml:10: method.length is '3'; use a list");
    expect_error(SPEC "grid: {method.length: []}\n", NULL, "method.length has no values");
    expect_error(SPEC "grid: {method.length: [[1]]}\n", NULL, "use a single value");
    expect_error(SPEC
                 "grid: {train.lr: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], train.clip: [1, 2, 3, 4, 5, "
                 "6, 7, 8, 9, 10], train.beta1: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], train.steps: "
                 "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}\n",
                 NULL, "methods x grid x seeds are 30000 runs; use at most 20000");
    expect_error(SPEC "seeds: [1, x]\n", NULL, "s.yaml:10: a seed is 'x'; use a whole number");
    expect_error(SPEC "seeds: []\n", NULL, "seeds is empty");
    expect_error(SPEC "report: {table: {groups: []}}\n", NULL, "s.yaml:10: groups is empty");
    expect_error(SPEC "report: {table: {groups: [all, sen]}}\n", NULL, "s.yaml:10: no group 'sen'");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.sen.bleu}}\n", NULL,
                 "s.yaml:10: no group 'sen'");
    expect_error(SPEC "report: {table: {metrics: []}}\n", NULL, "s.yaml:10: metrics is empty");
    expect_error(SPEC "report: {figure: {kind: line, x: method.lenght, y: test.all.bleu}}\n", NULL,
                 "x is 'method.lenght', which is no setting; did you mean 'method.length'?");
    expect_error(SPEC "report: {figures: [{kind: scatter, y: test.all.bleu},\n"
                      "                   {kind: scatter, y: test.all.chrf}]}\n",
                 NULL, "s.yaml:11: two figures are called 'scatter'");
    expect_error(SPEC "presets: {quick: {trian.steps: 3}}\n", NULL,
                 "s.yaml:10: unknown setting 'trian.steps'; did you mean 'train'?");
    expect_error(SPEC "report: {table: {metrics: [blue]}}\n", NULL, "s.yaml:10: ");
    expect_error(SPEC "report: {figures: [{kind: pie, y: test.all.bleu}]}\n", NULL,
                 "s.yaml:10: kind is 'pie'; use learning-curve, line or scatter");
    expect_error(SPEC "report: {figures: [{kind: scatter, y: dev.bleu}]}\n", NULL,
                 "y is 'dev.bleu'; use test.GROUP.METRIC");
    expect_error(SPEC "report: {figures: [{kind: learning-curve, y: dev.chrf}]}\n", NULL,
                 "s.yaml:10: y is 'dev.chrf'; use one of: train.loss, train.learning_rate, "
                 "train.gradient_norm, train.tokens, train.seconds, dev.loss, dev.bleu");
    expect_error(SPEC "report: {figures: [{kind: learning-curve, y: train.step}]}\n", NULL,
                 "s.yaml:10: y is 'train.step'");
    expect_error(SPEC "grid: {decode.beam: [1, 4], decode.temperature: [0, 0.5]}\n", NULL,
                 "s.yaml:10: beam 4 with temperature 0.5: beam search does not sample");
    expect_error(SPEC "paper: [{title: P, columns: [a, b], rows: {x: [1]}}]\n", NULL,
                 "s.yaml:10: x has 1 numbers, but there are 2 columns");
    expect_error(SPEC "claims: [{id: a, txt: b, test: c}]\n", NULL,
                 "unknown key 'txt'; did you mean 'text'?");
    expect_error("name: a b\nmethods: {prefix: {}}\n", NULL, "s.yaml:1: name is 'a b'");
    expect_error("name: x\nmethods: {prefix: {}}\n", NULL, "base.model is missing");
    expect_error("name: x\n", NULL, "methods is missing");
    expect_error("[]\n", NULL, "the spec is a list; use a map");
}

/* A wrong --set or preset is told as what it is. */
static void test_command_line_errors(void **state) {
    (void)state;
    expect_error(SPEC, "train.stesp=3",
                 "--set train.stesp=3: unknown key 'stesp'; did you mean 'steps'?");
    expect_error(SPEC, "train.steps=many", "--set train.steps=many: steps is 'many'; use a whole");
    expect_error(SPEC, "trian.steps=3", "unknown setting 'trian.steps'; did you mean 'train'?");
    expect_error(SPEC, "train.steps", "is no setting; write path=value");
    expect_error(SPEC, "=3", "is no setting; write path=value");
    expect_error(SPEC, "train=3", "unknown setting 'train'");
    sp_spec spec;
    assert_int_equal(study_read(SPEC GRID, "slow", NULL, &spec), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "has no preset 'slow'; use one of quick"));
}

static int models_hashed, datasets_hashed;

static sp_status counting_identify(const char *model, const char *dataset, sp_digest *m,
                                   sp_digest *d) {
    models_hashed += m != NULL;
    datasets_hashed += d != NULL;
    return study_identify(model, dataset, m, d);
}

/* A model and a data set are hashed once a study, however many runs use them. */
static void test_identity(void **state) {
    (void)state;
    sp_spec spec;
    sp_run_list runs;
    assert_int_equal(study_read(SPEC "grid: {model: [a, b], dataset: [c, d]}\nseeds: [1, 2]\n",
                                NULL, NULL, &spec),
                     SP_OK);
    if (sp_expand(&spec, counting_identify, &runs)) fail_msg("%s", sp_error());
    assert_int_equal(models_hashed, 2);
    assert_int_equal(datasets_hashed, 2);
    const sp_run_spec *first = &runs.items[0], *last = &runs.items[runs.count - 1];
    assert_string_equal(first->model_sha256.hex, sp_sha256("a", 1).hex);
    assert_string_equal(last->model_sha256.hex, sp_sha256("b", 1).hex);
    assert_string_equal(last->data_sha256.hex, sp_sha256("d", 1).hex);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expansion), cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_ids),       cmocka_unit_test(test_resolved_spec),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_command_line_errors),
        cmocka_unit_test(test_identity),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
