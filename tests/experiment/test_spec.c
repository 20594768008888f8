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

static void expect_error(const char *text, const char *set, const char *part) {
    sp_spec spec;
    sp_run_list runs = {0};
    sp_status st = study_read(text, NULL, set, &spec);
    if (!st) {
        st = sp_expand(&spec, study_identify, NULL, &runs);
        sp_spec_free(&spec);
    }
    assert_int_equal(st, SP_ERR_SPEC);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* Methods x grid x seeds are the runs; an axis a method lacks collapses. */
static void test_expansion(void **state) {
    (void)state;
    sp_run_list runs = study_expand(SPEC GRID, NULL, NULL);
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
    sp_run_list quick = study_expand(SPEC GRID, "quick", NULL);
    assert_int_equal(quick.count, 3);
    assert_int_equal(quick.items[0].train.steps, 30);
    assert_int_equal(quick.items[0].train.batch, 4);
    assert_int_equal(quick.items[1].train.batch, 16);
    assert_int_equal(quick.items[0].method_options.length, 2);
    assert_int_equal(quick.items[0].seed, 7);
    sp_run_list_free(&quick);
    sp_run_list set = study_expand(SPEC GRID, NULL, "method.length=9");
    assert_int_equal(set.count, 9);
    assert_int_equal(set.items[0].method_options.length, 9);
    sp_run_list_free(&set);
    sp_run_list lr = study_expand(SPEC, NULL, "train.lr=0.5");
    assert_true(lr.items[0].train.lr == 0.5);
    sp_run_list_free(&lr);
    sp_run_list model = study_expand(SPEC, NULL, "model=gpt2-4m");
    assert_string_equal(model.items[0].model, "gpt2-4m");
    sp_run_list_free(&model);
    sp_run_list seeds = study_expand(SPEC, NULL, "seeds=[4, 5]");
    assert_int_equal(seeds.count, 6);
    sp_run_list_free(&seeds);
}

/* An entry's grid has axes of its own: short or full paths, after the spec's axes, and in place of
 * one of the same path. --set ends such an axis. */
static void test_entry_grid(void **state) {
    (void)state;
    static const char text[] = "name: x\nbase: {model: m, dataset: d}\n"
                               "methods:\n"
                               "  prefix: {lr: 1, grid: {lr: [1e-3, 1e-2], model: [a, b]}}\n"
                               "  prompt: {grid: {method.length: [3]}}\n"
                               "  none:\n"
                               "grid: {method.length: [1, 2]}\n";
    sp_run_list runs = study_expand(text, NULL, NULL);
    assert_int_equal(runs.count, 2 * 2 * 2 + 1 + 1);
    assert_string_equal(runs.items[0].point, "length 1, lr 1e-3, model a");
    assert_true(runs.items[0].train.lr == 1e-3);
    assert_string_equal(runs.items[1].model, "b");
    assert_string_equal(runs.items[7].point, "length 2, lr 1e-2, model b");
    assert_int_equal(runs.items[8].method_options.length, 3);
    assert_string_equal(runs.items[9].method, "none");
    sp_run_list_free(&runs);
    runs = study_expand(text, NULL, "train.lr=0.5");
    assert_int_equal(runs.count, 2 * 2 + 1 + 1);
    assert_true(runs.items[0].train.lr == 0.5);
    sp_run_list_free(&runs);
}

/* Runs of a row are seeds x subsamples; all the data has none; data.subsample from --set is kept.
 */
static void test_subsamples(void **state) {
    (void)state;
    static const char text[] = "name: x\nbase: {model: m, dataset: d}\nmethods: {prompt: {}}\n"
                               "grid: {data.limit: [50, 0]}\nsubsamples: [4, 5]\nseeds: [1, 2]\n"
                               "presets: {quick: {subsamples: [1]}}\n";
    sp_run_list runs = study_expand(text, NULL, NULL);
    assert_int_equal(runs.count, 4 + 2);
    assert_string_equal(runs.items[0].point, "data.limit 50");
    const int expected[6][2] = {{4, 1}, {4, 2}, {5, 1}, {5, 2}, {0, 1}, {0, 2}};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(runs.items[i].subsample, expected[i][0]);
        assert_int_equal(runs.items[i].seed, expected[i][1]);
    }
    sp_run_list_free(&runs);
    runs = study_expand(text, "quick", NULL);
    assert_int_equal(runs.count, 2 + 2);
    sp_run_list_free(&runs);
    runs = study_expand(text, NULL, "data.subsample=9");
    assert_int_equal(runs.count, 4);
    assert_int_equal(runs.items[0].subsample, 9);
    sp_run_list_free(&runs);
    runs = study_expand(
        "name: x\nbase: {model: m, dataset: d, data: {limit: 50}}\nsubsamples: [4, 5]\n"
        "methods: {prompt: {grid: {data.subsample: [1, 2]}}}\n",
        NULL, "data.subsample=9");
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.items[0].subsample, 9);
    sp_run_list_free(&runs);
}

/* The same text for all settings outside the tables of training, decoding and methods. */
static void test_run_settings(void **state) {
    (void)state;
    sp_run_list runs = study_expand("name: x\nbase: {model: m, dataset: d, output: linear,\n"
                                    "  data: {limit: 7, subsample: 2}}\nmethods: {prompt: {}}\n",
                                    NULL, NULL);
    assert_string_equal(runs.items[0].output, "linear");
    assert_int_equal(runs.items[0].train_limit, 7);
    assert_int_equal(runs.items[0].subsample, 2);
    assert_non_null(strstr(runs.items[0].spec_yaml, "output: linear\n"));
    assert_non_null(strstr(runs.items[0].spec_yaml, "  subsample: 2\n"));
    sp_run_list_free(&runs);
    runs = study_expand(SPEC, NULL, NULL);
    assert_string_equal(runs.items[0].output, "auto");
    sp_run_list_free(&runs);
}

#define MODELS                                                                                     \
    "presets: {quick: {train.steps: 30, methods.prefix.lr: 2e-3}, slow: {}}\n"                     \
    "models:\n"                                                                                    \
    "  gpt2-4m: {train.clip: 3}\n"                                                                 \
    "  smollm2-135m-instruct:\n"                                                                   \
    "    train.steps: 70\n"                                                                        \
    "    train.lr: 0.5\n"                                                                          \
    "    precision: bf16\n"                                                                        \
    "    methods.prefix.lr: 1e-4\n"                                                                \
    "    presets: {quick: {train.steps: 9, test.limit: 5, methods.flat.hidden: 32}}\n"

/* What models: says of a model holds for its runs alone, by name and by alias: above the preset and
 * below --set. */
static void test_model_settings(void **state) {
    (void)state;
    sp_run_list other = study_expand(SPEC MODELS, NULL, NULL);
    assert_int_equal(other.items[0].train.steps, 400);
    assert_true(other.items[0].train.clip != 3);
    sp_run_list_free(&other);
    sp_run_list runs = study_expand(SPEC MODELS, NULL, "model=smollm2-135m");
    const sp_run_spec *prefix = &runs.items[0], *flat = &runs.items[1];
    assert_string_equal(prefix->model, "smollm2-135m");
    assert_string_equal(prefix->precision, "bf16");
    assert_int_equal(prefix->train.steps, 70);
    assert_true(prefix->train.lr == 1e-4);
    assert_true(flat->train.lr == 0.5);
    sp_run_list_free(&runs);
    sp_run_list quick = study_expand(SPEC MODELS, "quick", "model=smollm2-135m-instruct");
    assert_int_equal(quick.items[0].train.steps, 9);
    assert_int_equal(quick.items[0].test_limit, 5);
    assert_true(quick.items[0].train.lr == 1e-4);
    assert_int_equal(quick.items[1].method_options.hidden, 32);
    assert_int_equal(quick.items[0].method_options.hidden, 64);
    sp_run_list_free(&quick);
    sp_run_list plain = study_expand(SPEC MODELS, "quick", NULL);
    assert_int_equal(plain.items[0].train.steps, 30);
    assert_true(plain.items[0].train.lr == 2e-3);
    sp_run_list_free(&plain);
}

/* Where models are an axis, each run has its own model's settings; the grid stands above them. */
static void test_model_settings_on_a_grid(void **state) {
    (void)state;
    sp_run_list runs = study_expand(
        SPEC MODELS "grid: {train.lr: [7], model: [gpt2-4m, smollm2-135m]}\n", NULL, NULL);
    assert_int_equal(runs.count, 6);
    assert_true(runs.items[0].train.clip == 3);
    assert_int_equal(runs.items[0].train.steps, 400);
    assert_int_equal(runs.items[1].train.steps, 70);
    assert_true(runs.items[1].train.clip != 3);
    assert_true(runs.items[1].train.lr == 7);
    sp_run_list_free(&runs);
}

/* --set stands above models, be it of a setting of all runs or of an entry. */
static void test_set_above_model_settings(void **state) {
    (void)state;
    static const char on_smollm2[] =
        "name: x\nbase: {model: smollm2-135m, dataset: d}\nmethods: {prefix: {}, flat: {method: "
        "prefix}}\n" MODELS;
    sp_run_list steps = study_expand(on_smollm2, "quick", "train.steps=11");
    assert_int_equal(steps.items[0].train.steps, 11);
    assert_int_equal(steps.items[0].test_limit, 5);
    sp_run_list_free(&steps);
    sp_run_list lr = study_expand(on_smollm2, NULL, "methods.prefix.lr=0.25");
    assert_true(lr.items[0].train.lr == 0.25);
    sp_run_list_free(&lr);
    sp_run_list hidden = study_expand(on_smollm2, "quick", "methods.flat.hidden=16");
    assert_int_equal(hidden.items[1].method_options.hidden, 16);
    sp_run_list_free(&hidden);
}

#define LEFT_OUT                                                                                   \
    "name: x\nbase: {model: gpt2-4m, dataset: d}\nmethods: {prefix: {label: A prefix}, none: "     \
    "{}}\n"                                                                                        \
    "models: {smollm2-135m-instruct: {leave_out: {prefix: too large}}}\n"

/* An entry that models: leaves out has no run with that model, by name or by alias, and is told
 * with its reason where the study has that model; with others it runs. */
static void test_left_out(void **state) {
    (void)state;
    sp_spec spec;
    sp_run_list runs;
    sp_strings lines = {0};
    if (study_read(LEFT_OUT "grid: {model: [gpt2-4m, smollm2-135m]}\n", NULL, NULL, &spec))
        fail_msg("%s", sp_error());
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    assert_int_equal(runs.count, 3);
    assert_string_equal(runs.items[0].entry, "prefix");
    assert_string_equal(runs.items[0].model, "gpt2-4m");
    assert_string_equal(runs.items[2].entry, "none");
    assert_string_equal(runs.items[2].model, "smollm2-135m");
    sp_left_out(&spec, &runs, &lines);
    assert_int_equal(lines.len, 1);
    assert_string_equal(lines.data[0],
                        "A prefix is left out with smollm2-135m-instruct: too large");
    sp_strings_free(&lines);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);

    assert_int_equal(study_read(LEFT_OUT, NULL, NULL, &spec), SP_OK);
    assert_int_equal(sp_expand(&spec, study_identify, NULL, &runs), SP_OK);
    assert_int_equal(runs.count, 2);
    sp_left_out(&spec, &runs, &lines);
    assert_int_equal(lines.len, 0);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);

    sp_run_list set = study_expand(LEFT_OUT, NULL, "model=smollm2-135m-instruct");
    assert_int_equal(set.count, 1);
    assert_string_equal(set.items[0].entry, "none");
    sp_run_list_free(&set);
}

/* A wrong model, path, entry, preset or value under models is told with its line. */
static void test_model_settings_errors(void **state) {
    (void)state;
    expect_error(SPEC "models: {gpt2-5m: {}}\n", NULL,
                 "s.yaml:10: model 'gpt2-5m' is neither a folder, a .gguf file nor a known name; "
                 "did you mean 'gpt2-");
    expect_error(SPEC "models: {gpt2-4m: {model: x}}\n", NULL,
                 "s.yaml:10: 'model' is no setting of a model's runs");
    expect_error(SPEC "models: {gpt2-4m: {train.stesp: 3}}\n", NULL, "did you mean 'steps'?");
    expect_error(SPEC "models: {gpt2-4m: {train.steps: x}}\n", NULL,
                 "s.yaml:10: steps is 'x'; use a whole");
    expect_error(SPEC "models: {gpt2-4m: {methods.prefx.lr: 3}}\n", NULL,
                 "s.yaml:10: the spec has no entry 'prefx'; did you mean 'prefix'?");
    expect_error(SPEC "models: {gpt2-4m: {methods.prefix: 3}}\n", NULL, "names no setting");
    expect_error(SPEC "models: {gpt2-4m: {methods.prefix.lenght: 3}}\n", NULL,
                 "s.yaml:10: prefix has no setting 'lenght'");
    expect_error(SPEC "models: {gpt2-4m: {presets: {quik: {}}}}\npresets: {quick: {}}\n", NULL,
                 "s.yaml:10: the spec has no preset 'quik'; did you mean 'quick'?");
    expect_error(SPEC
                 "models: {gpt2-4m: {presets: {quick: {train.lr: x}}}}\npresets: {quick: {}}\n",
                 NULL, "s.yaml:10: lr is 'x'");
    expect_error(SPEC "models: {gpt2-4m: {leave_out: {prefx: why}}}\n", NULL,
                 "s.yaml:10: the spec has no entry 'prefx'; did you mean 'prefix'?");
    expect_error(SPEC "models: {gpt2-4m: {leave_out: [prefix]}}\n", NULL, "leave_out");
    expect_error(SPEC "models: {gpt2-4m: {leave_out: {prefix: [a]}}}\n", NULL, "prefix is a list");
    expect_error(SPEC "models: {smollm2-135m: {}, smollm2-135m-instruct: {}}\n", NULL,
                 "another name of a model listed above");
    expect_error(SPEC "presets: {quick: {models.gpt2-4m.train.lr: 1}}\n", NULL,
                 "s.yaml:10: 'models.gpt2-4m.train.lr' cannot be set here");
    expect_error(SPEC, "models.gpt2-4m.train.lr=1", "cannot be set here");
}

static void expect_folder(const char *text, const char *set, const char *folder) {
    sp_spec spec;
    if (study_read(text, NULL, set, &spec)) fail_msg("%s", sp_error());
    assert_string_equal(spec.folder, folder);
    sp_spec_free(&spec);
}

/* With another model or data set than the spec's, a study has a folder of its own. */
static void test_folder(void **state) {
    (void)state;
    expect_folder(SPEC, NULL, "demo");
    expect_folder(SPEC, "train.steps=3", "demo");
    expect_folder(SPEC, "model=gpt2-1m", "demo");
    expect_folder(SPEC, "model=gpt2-4m", "demo-gpt2-4m");
    expect_folder(SPEC, "base.dataset=webnlg", "demo-webnlg");
    expect_folder(SPEC, "model=../my models/gpt2/", "demo-gpt2");
    expect_folder(SPEC, "model=/a b", "demo-a-b");
    expect_folder(SPEC "grid: {model: [gpt2-1m, gpt2-4m]}\n", "model=gpt2-1m", "demo-gpt2-1m");
}

/* A run's id is a pure function of its settings, and any setting changes it. */
static void test_ids(void **state) {
    (void)state;
    static const char *const changes[] = {
        "train.steps=401",      "train.lr=1e-4", "decode.beam=2",     "method.length=3",
        "method.hidden=65",     "model=gpt2-4m", "dataset=webnlg",    "dev.limit=5",
        "test.limit=5",         "data.limit=5",  "seeds=[2]",         "method.init=zero",
        "data.subsample=1",     "output=text",   "train.warmup=0.07", "train.clip=0.5",
        "methods.prefix.lr=0.1"};
    sp_run_list base = study_expand(SPEC, NULL, NULL),
                again = study_expand(SPEC, NULL, "title=Another");
    assert_string_equal(base.items[0].id, again.items[0].id);
    assert_string_equal(base.items[0].spec_yaml, again.items[0].spec_yaml);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sp_run_list other = study_expand(SPEC, NULL, changes[i]);
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
    sp_run_list runs = study_expand(SPEC, NULL, NULL);
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
    expect_error(SPEC "seeds: [1, x]\n", NULL,
                 "s.yaml:10: seeds has 'x'; use whole numbers from 0");
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
                 "s.yaml:10: kind is 'pie'; use learning-curve, line, scatter or bar");
    expect_error(SPEC "report: {figures: [{kind: scatter, y: dev.bleu}]}\n", NULL,
                 "y is 'dev.bleu'; use test.GROUP.METRIC");
    expect_error(SPEC "report: {figures: [{kind: learning-curve, y: dev.chrf}]}\n", NULL,
                 "s.yaml:10: y is 'dev.chrf'; use one of: train.loss, train.learning_rate, "
                 "train.gradient_norm, train.tokens, train.seconds, dev.loss, dev.bleu, "
                 "dev.accuracy");
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

/* The same for grids of entries, subsamples, figures and searches. */
static void test_study_errors(void **state) {
    (void)state;
    expect_error(SPEC "  prompt: {grid: {lenght: [4]}}\n", NULL,
                 "s.yaml:10: prompt has no setting 'lenght'; did you mean 'length'?");
    expect_error(SPEC "  prompt: {grid: {method.hidden: [4]}}\n", NULL,
                 "s.yaml:10: prompt has no setting 'method.hidden'");
    expect_error(SPEC "  prompt: {grid: {trian.lr: [4]}}\n", NULL,
                 "s.yaml:10: unknown setting 'trian.lr'; did you mean 'train.lr'?");
    expect_error(SPEC "  prompt: {grid: {lr: []}}\n", NULL, "s.yaml:10: lr has no values");
    expect_error(SPEC "  prompt: {grid: {lr: 3}}\n", NULL, "s.yaml:10: lr is '3'; use a list");
    expect_error(SPEC "  prompt: {grid: [1]}\n", NULL, "s.yaml:10: grid is a list; use a map");
    expect_error(SPEC "  prompt: {grid: {lr: [1], train.lr: [2]}}\n", NULL,
                 "s.yaml:10: train.lr is twice in the grid of prompt");
    expect_error(SPEC "subsamples: [1, x]\n", NULL,
                 "s.yaml:10: subsamples has 'x'; use whole numbers from 1");
    expect_error(SPEC "subsamples: [0]\n", NULL, "subsamples has '0'; use whole numbers from 1");
    expect_error(SPEC "subsamples: []\n", NULL, "subsamples is empty");
    expect_error(SPEC "subsamples: 3\n", NULL, "subsamples is '3'; use a list");
    expect_error(SPEC "subsamples: [1]\ngrid: {data.subsample: [1]}\n", NULL,
                 "s.yaml:11: data.subsample is an axis of the grid beside subsamples");
    expect_error(SPEC "  prompt: {grid: {lr: [1],\n    data.subsample: [1]}}\nsubsamples: [1]\n",
                 NULL,
                 "s.yaml:11: data.subsample is an axis of the grid of prompt beside subsamples; "
                 "use one of the two");
    expect_error(SPEC, "data.subsample=-1", "data.subsample is -1; use 0 to");
    expect_error(SPEC, "output=speech", "output is 'speech'; use one of auto|text|");
    expect_error(SPEC "report: {figure: {kind: bar, y: test.all.bleu}}\n", NULL,
                 "s.yaml:10: key 'x' is missing");
    expect_error(SPEC "report: {figure: {kind: bar, x: metod.init, y: test.all.bleu}}\n", NULL,
                 "x is 'metod.init', which is no setting; did you mean 'method.init'?");
    expect_error(SPEC "report: {figure: {kind: scatter, x: model, y: test.all.bleu}}\n", NULL,
                 "s.yaml:10: x is for the kinds line and bar");
    expect_error(SPEC "report: {figure: {kind: line, x: model, y: test.all.bleu, series: mod}}\n",
                 NULL, "s.yaml:10: series is 'mod', which is no setting; did you mean 'model'?");
    expect_error(SPEC "report: {figure: {kind: line, x: model, y: dev.best.bleuu}}\n", NULL,
                 "s.yaml:10: no series 'bleuu' on dev; use one of: loss, bleu, accuracy");
    expect_error(SPEC "report: {figure: {kind: line, x: model, y: test.all.blue}}\n", NULL,
                 "s.yaml:10: unknown metric 'blue'");
    expect_error(SPEC "report: {figure: {kind: line, x: entry, y: test.all.bleu}}\n", NULL,
                 "x is 'entry', which is no setting");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, where: {modl: a}}}\n",
                 NULL, "s.yaml:10: where is 'modl', which is no setting; did you mean 'model'?");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, where: {model: {}}}}\n",
                 NULL, "s.yaml:10: model is a map; use a single value");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, y_range: [1]}}\n", NULL,
                 "s.yaml:10: y_range has 1 values; use two");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, y_range: [2, 1]}}\n",
                 NULL, "y_range ends at 1, not above its start 2");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, y_range: [a, 1]}}\n",
                 NULL, "y_range has 'a'; use a number or auto");
    expect_error(SPEC "report: {figure: {kind: scatter, y: test.all.bleu, logy: true, "
                      "y_range: [0, 1]}}\n",
                 NULL, "a logarithmic axis starts above 0");
    expect_error(SPEC "report: {best: bleu}\n", NULL, "s.yaml:10: best is 'bleu'; use a series");
    expect_error(SPEC "report: {best: dev.blue}\n", NULL, "no series 'blue' on dev");
    expect_error(SPEC "report: {table: {columns: [bleu]}}\n", NULL,
                 "s.yaml:10: column 'bleu' is no GROUP.METRIC, like all.bleu");
    expect_error(SPEC "report: {table: {columns: [sen.bleu]}}\n", NULL, "no group 'sen'");
    expect_error(SPEC "report: {table: {columns: [all.bleu], groups: [all]}}\n", NULL,
                 "s.yaml:10: columns beside groups");
}

static const char *const shipped[] = {
    "table1",   "table4",      "prefix-length",     "prefix-length-classification",
    "init",     "init-prefix", "model-size",        "model-size-generation",
    "low-data", "depth",       "tuning/generation", "tuning/classification"};

static void expand_shipped(const char *path, const char *preset) {
    sp_spec spec;
    sp_run_list runs;
    if (sp_spec_read(path, preset, NULL, &spec)) {
        if (!preset || strcmp(preset, "paper") != 0) fail_msg("%s", sp_error());
        assert_non_null(strstr(sp_error(), "has no preset 'paper'"));
        return;
    }
    if (sp_expand(&spec, study_identify, NULL, &runs)) fail_msg("%s", sp_error());
    if (preset && strcmp(preset, "full") == 0) assert_true(spec.seed_count >= 3);
    assert_true(runs.count >= spec.entry_count);
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
}

/* Every spec that comes along can be expanded with each preset; full has at least three seeds. */
static void test_shipped_specs(void **state) {
    (void)state;
    static const char *const presets[] = {NULL, "quick", "full", "paper"};
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        char *path = sp_format("experiments/%s.yaml", shipped[i]);
        for (int j = 0; j < 4; j++) expand_shipped(path, presets[j]);
        free(path);
    }
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

static sp_status counting_identify(void *user, const char *model, const char *dataset, sp_digest *m,
                                   sp_digest *d) {
    models_hashed += m != NULL;
    datasets_hashed += d != NULL;
    return study_identify(user, model, dataset, m, d);
}

/* A model and a data set are hashed once a study, however many runs use them. */
static void test_identity(void **state) {
    (void)state;
    sp_spec spec;
    sp_run_list runs;
    assert_int_equal(study_read(SPEC "grid: {model: [a, b], dataset: [c, d]}\nseeds: [1, 2]\n",
                                NULL, NULL, &spec),
                     SP_OK);
    if (sp_expand(&spec, counting_identify, NULL, &runs)) fail_msg("%s", sp_error());
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
        cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_model_settings),
        cmocka_unit_test(test_model_settings_on_a_grid),
        cmocka_unit_test(test_set_above_model_settings),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_model_settings_errors),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_resolved_spec),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_command_line_errors),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_entry_grid),
        cmocka_unit_test(test_subsamples),
        cmocka_unit_test(test_run_settings),
        cmocka_unit_test(test_study_errors),
        cmocka_unit_test(test_shipped_specs),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
