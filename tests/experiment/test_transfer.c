/* Runs that are tested on other sets besides their own, and runs on a mixture of sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/trial_fixture.h"
#include "metrics/metric.h"
#include "model/files.h"
#include "training/classify.h"
#include "training/predict.h"

#include <stdbool.h>

/* The labels in another order, with other words, another separator and a third that is not used. */
static const char twin_card[] = "labels: {food: meal, animal: beast}\n";
static const char odd_card[] = "labels: {food: meal, animal: beast, plant: tree}\n";

/* What the sentences of the other sets are: some animals are said to be food. */
static void write_twin(const char *name, const char *card) {
    sp_buf lines = sentences(false);
    sp_buf_puts(&lines, "{\"text\": \"the bread runs\", \"label\": \"animal\"}\n"
                        "{\"text\": \"the cow was eaten\", \"label\": \"food\"}\n"
                        "{\"text\": \"the tasty bird\", \"label\": \"food\"}\n"
                        "{\"text\": \"a horse\", \"label\": \"animal\"}\n"
                        "{\"text\": \"a horse is wild\", \"label\": \"food\"}\n");
    write_set(name, card, &lines);
    sp_buf_free(&lines);
}

static void add_transfer(sp_run_spec *run, const char *set) {
    snprintf(run->transfer[run->transfer_count], SP_OPTION_TEXT, "%s/%s.yaml", study_folder, set);
    run->transfer_sha256[run->transfer_count++] = sp_sha256(set, strlen(set));
}

static sp_strings read_texts(sp_h5 *file, const char *path) {
    sp_strings texts = {0};
    if (sp_h5_read_texts(file, path, &texts)) fail_msg("%s", sp_error());
    return texts;
}

static void assert_same_texts(const sp_strings *a, const sp_strings *b) {
    assert_int_equal(a->len, b->len);
    for (size_t i = 0; i < a->len; i++) assert_string_equal(a->data[i], b->data[i]);
}

static void assert_close(double a, double b) {
    if (!(a - b < 1e-9 && b - a < 1e-9)) fail_msg("%.12g is not %.12g", a, b);
}

/* ---- what a run file keeps, applied to a set on a fresh model ---- */

typedef struct kept {
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_soft_prompt prompt;
    sp_class_head head;
    sp_split split; /* test of the set */
    sp_dataset *dataset;
    sp_examples examples;
} kept;

static void open_kept(sp_h5 *file, const sp_run_spec *run, const char *set, kept *k) {
    *k = (kept){0};
    assert_int_equal(sp_model_open(run->model, SP_PRECISION_FP32, &k->model), SP_OK);
    assert_int_equal(sp_model_open_tokenizer(run->model, k->model, &k->tokenizer), SP_OK);
    assert_int_equal(sp_soft_prompt_read(file, k->model, &k->prompt), SP_OK);
    assert_int_equal(sp_class_head_read(file, k->model, &k->head), SP_OK);
    char *path = sp_format("%s/%s.yaml", study_folder, set);
    assert_int_equal(sp_dataset_open(path, &k->dataset), SP_OK);
    assert_int_equal(sp_dataset_load(k->dataset, "test", &k->split), SP_OK);
    assert_int_equal(sp_examples_encode(&k->split, k->head.output, k->prompt.separator,
                                        k->tokenizer, k->model->config.eos_token_id, &k->examples),
                     SP_OK);
    free(path);
}

static void close_kept(kept *k) {
    sp_examples_free(&k->examples);
    sp_split_free(&k->split);
    sp_dataset_free(k->dataset);
    sp_class_head_free(&k->head);
    sp_soft_prompt_free(&k->prompt);
    sp_tokenizer_free(k->tokenizer);
    sp_model_free(k->model);
}

static void answers_and_scores_on_another_set_are_those_of_the_run_file(void **state) {
    (void)state;
    static const char *const outputs[] = {"verbalizer", "linear"};
    write_sentences("topics", labels_card, false);
    write_twin("twin", twin_card);
    for (int o = 0; o < 2; o++) {
        sp_run_spec run = make_run("prompt", "topics", outputs[o]);
        run.train.steps = 25;
        run.train.lr = 0.1;
        add_transfer(&run, "twin");
        sp_h5 *file = file_of(run);
        kept k;
        open_kept(file, &run, "twin", &k);
        int labels[64];
        sp_classify_job job = {.model = k.model,
                               .head = &k.head,
                               .prompt = &k.prompt,
                               .examples = &k.examples,
                               .count = k.split.count,
                               .batch = 7};
        assert_int_equal(k.split.count, 37);
        assert_int_equal(sp_classify(&job, labels, NULL), SP_OK);
        sp_strings said = read_texts(file, "/test/twin/predictions/hypothesis");
        sp_strings right = read_texts(file, "/test/twin/predictions/reference");
        assert_int_equal(said.len, 37);
        int correct = 0;
        const sp_label *own;
        size_t count;
        assert_int_equal(sp_dataset_labels(k.dataset, &own, &count), SP_OK);
        for (size_t i = 0; i < said.len; i++) {
            const char *reference = own[k.split.items[i].label].name;
            assert_string_equal(said.data[i], k.head.labels.data[labels[i]]);
            assert_string_equal(right.data[i], reference);
            correct += strcmp(said.data[i], reference) == 0;
        }
        double accuracy = read_number(file, "/test/twin/accuracy", false);
        assert_close(accuracy, 100.0 * correct / 37);
        if (!(accuracy > 65 && accuracy < 100)) fail_msg("accuracy %g", accuracy);
        assert_true(sp_h5_exists(file, "/test/twin/macro-f1"));
        sp_strings_free(&said), sp_strings_free(&right);
        close_kept(&k);
        sp_h5_close(file);
    }
}

static void texts_on_another_set_are_those_of_the_run_file(void **state) {
    (void)state;
    sp_buf things = {0}, others = {0};
    for (int i = 0; i < 8; i++) {
        sp_buf_printf(&things, "{\"input\": \"name : thing %d\", \"target\": \"thing %d\"}\n", i,
                      i);
        sp_buf_printf(&others, "{\"input\": \"a : dog %d\", \"references\": [\"x\", \"dog\"]}\n",
                      i);
    }
    write_set("things", "", &things);
    write_set("others", "", &others);
    sp_run_spec run = make_run("prefix", "things", "auto");
    run.decode.max_tokens = 8;
    add_transfer(&run, "others");
    sp_h5 *file = file_of(run);
    kept k;
    open_kept(file, &run, "others", &k);
    sp_strings said = read_texts(file, "/test/others/predictions/hypothesis"), again = {0};
    assert_int_equal(sp_predict(k.model, &k.prompt, k.tokenizer, &run.decode, &k.examples, 8,
                                (uint64_t)run.seed, NULL, NULL, &again),
                     SP_OK);
    assert_same_texts(&said, &again);
    sp_strings right = read_texts(file, "/test/others/predictions/reference");
    assert_string_equal(right.data[0], "x\ndog");
    assert_true(sp_h5_exists(file, "/test/others/bleu"));
    sp_strings_free(&said), sp_strings_free(&again), sp_strings_free(&right);
    sp_buf_free(&things), sp_buf_free(&others);
    close_kept(&k);
    sp_h5_close(file);
}

static void another_test_set_changes_no_number_of_the_run(void **state) {
    (void)state;
    static const char *const same[] = {"/test/accuracy", "/test/macro-f1", "/train/loss",
                                       "/dev/loss"};
    write_sentences("topics", labels_card, false);
    write_twin("twin", twin_card);
    sp_run_spec run = make_run("p-tuning-v2", "topics", "linear"), with = run;
    run.train.steps = with.train.steps = 12;
    add_transfer(&with, "twin");
    add_transfer(&with, "topics"); /* its own set, under its name too */
    sp_h5 *alone = file_of(run), *both = file_of(with);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(read_number(alone, same[i], true) == read_number(both, same[i], true));
    sp_strings a = read_texts(alone, "/test/predictions/hypothesis");
    sp_strings b = read_texts(both, "/test/predictions/hypothesis");
    sp_strings c = read_texts(both, "/test/topics/predictions/hypothesis");
    assert_same_texts(&a, &b);
    assert_same_texts(&a, &c);
    assert_true(read_number(both, "/test/topics/accuracy", false) ==
                read_number(alone, "/test/accuracy", false));
    sp_strings_free(&a), sp_strings_free(&b), sp_strings_free(&c);
    sp_h5_close(alone), sp_h5_close(both);
}

static void the_test_limit_holds_for_other_sets(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    write_twin("twin", twin_card);
    sp_run_spec run = make_run("none", "topics", "verbalizer");
    run.test_limit = 6;
    add_transfer(&run, "twin");
    sp_h5 *file = file_of(run);
    sp_strings said = read_texts(file, "/test/twin/predictions/hypothesis");
    assert_int_equal(said.len, 6);
    sp_strings_free(&said);
    sp_h5_close(file);
}

/* ---- what is refused ---- */

static void a_set_that_labels_do_not_carry_over_to_is_refused(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    write_twin("odd", odd_card);
    sp_run_spec run = make_run("prompt", "topics", "auto");
    add_transfer(&run, "odd");
    refuse(run, SP_ERR_DATA, "transfer: label 'plant' of data set '");
    refuse(run, SP_ERR_DATA, "odd.yaml' is none of the run's '");
}

static void a_set_of_another_kind_or_none_is_refused(void **state) {
    (void)state;
    sp_buf lines = {0};
    sp_buf_puts(&lines, "{\"input\": \"a\", \"target\": \"b\"}\n");
    write_set("things", "", &lines);
    sp_buf_free(&lines);
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("prompt", "topics", "auto"), missing = run, turned;
    add_transfer(&run, "things");
    refuse(run, SP_ERR_DATA, "has texts to generate, but the run's '");
    turned = make_run("prompt", "things", "auto");
    add_transfer(&turned, "topics");
    refuse(turned, SP_ERR_DATA, "has labels of texts, but the run's '");
    add_transfer(&missing, "nowhere");
    refuse(missing, SP_ERR_MISSING, "transfer: no data set '");
}

/* ---- mixtures ---- */

static const char weather_card[] = "labels: {good: [good, day], bad: night}\n";

static void write_mixture(const char *name, const char *of) {
    sp_buf text = {0};
    char *file = sp_format("%s.yaml", name);
    sp_buf_printf(&text,
                  "name: %s\nreader: mixture\nof: %s\n"
                  "splits: {train: all, dev: all, test: all}\n",
                  name, of);
    write_text(file, &text);
    sp_buf_free(&text);
    free(file);
}

static void write_tasks(void) {
    sp_buf lines = {0};
    for (int i = 0; i < 8; i++)
        sp_buf_printf(&lines,
                      "{\"text\": \"warm day %d\", \"label\": \"good\"}\n"
                      "{\"text\": \"wet night %d\", \"label\": \"bad\"}\n",
                      i, i);
    write_set("weather", weather_card, &lines);
    sp_buf_free(&lines);
    write_sentences("topics", labels_card, false);
    write_mixture("both", "[topics.yaml, weather.yaml]");
}

static bool is_one_of(const char *text, const char *a, const char *b) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* The scores of a set are those of its answers, and these are labels of the set. */
static void assert_answers_of_own_task(sp_h5 *file) {
    sp_strings inputs = read_texts(file, "/test/predictions/input");
    sp_strings said = read_texts(file, "/test/predictions/hypothesis");
    assert_int_equal(inputs.len, 48);
    int of_weather = 0;
    double correct[2] = {0};
    sp_strings right = read_texts(file, "/test/predictions/reference");
    for (size_t i = 0; i < inputs.len; i++) {
        bool weather = is_one_of(right.data[i], "good", "bad");
        of_weather += weather;
        correct[weather] += strcmp(said.data[i], right.data[i]) == 0;
        assert_true(weather ? is_one_of(said.data[i], "good", "bad")
                            : is_one_of(said.data[i], "animal", "food"));
        assert_true(sp_has_suffix(inputs.data[i], "\nTopic:"));
    }
    assert_int_equal(of_weather, 16);
    assert_close(read_number(file, "/test/topics/accuracy", false), 100 * correct[0] / 32);
    assert_close(read_number(file, "/test/weather/accuracy", false), 100 * correct[1] / 16);
    assert_close(read_number(file, "/test/accuracy", false), 100 * (correct[0] + correct[1]) / 48);
    sp_strings_free(&inputs), sp_strings_free(&said), sp_strings_free(&right);
}

static void a_mixture_is_answered_with_labels_of_each_examples_own_set(void **state) {
    (void)state;
    static const char *const methods[] = {"none", "prompt", "p-tuning-v2"};
    static const char *const outputs[] = {"verbalizer", "verbalizer", "linear"};
    write_tasks();
    for (int i = 0; i < 3; i++) {
        sp_run_spec run = make_run(methods[i], "both", outputs[i]);
        run.train.steps = 10;
        sp_h5 *file = file_of(run);
        assert_answers_of_own_task(file);
        sp_h5_close(file);
    }
}

static void a_shared_prompt_learns_both_tasks(void **state) {
    (void)state;
    write_tasks();
    sp_run_spec run = make_run("p-tuning-v2", "both", "verbalizer");
    run.train.steps = 40;
    run.train.lr = 0.2;
    sp_h5 *file = file_of(run);
    assert_true(read_number(file, "/test/topics/accuracy", false) > 90);
    assert_true(read_number(file, "/test/weather/accuracy", false) > 90);
    assert_true(read_number(file, "/dev/accuracy", true) > 90);
    sp_h5_close(file);
}

/* Of two tasks with two labels each, an answer that knows nothing costs log 2, not log 4. */
static void the_loss_of_a_mixture_is_over_the_labels_of_the_own_set(void **state) {
    (void)state;
    write_tasks();
    sp_run_spec run = make_run("none", "both", "linear");
    run.train.steps = 1;
    run.train.lr = 1e-9;
    sp_h5 *file = file_of(run);
    double loss = read_number(file, "/dev/loss", false);
    if (!(loss > 0.4 && loss < 1.2)) fail_msg("loss %g", loss);
    sp_h5_close(file);
}

static void limits_count_the_examples_of_each_set(void **state) {
    (void)state;
    write_tasks();
    sp_run_spec run = make_run("none", "both", "verbalizer");
    run.test_limit = 10;
    sp_h5 *file = file_of(run);
    sp_strings said = read_texts(file, "/test/predictions/hypothesis");
    assert_int_equal(said.len, 20);
    sp_strings_free(&said);
    sp_h5_close(file);
}

static void a_mixture_and_other_test_sets_exclude_each_other(void **state) {
    (void)state;
    write_tasks();
    sp_run_spec run = make_run("prompt", "both", "auto"), to = make_run("prompt", "topics", "auto");
    add_transfer(&run, "topics");
    refuse(run, SP_ERR_DATA, "is a mixture, whose answers depend on the set");
    add_transfer(&to, "both");
    refuse(to, SP_ERR_DATA, "both.yaml' is a mixture; name its sets");
}

static void a_set_called_like_a_metric_is_no_group(void **state) {
    (void)state;
    write_tasks();
    write_sentences("bleu", labels_card, false);
    write_mixture("named", "[bleu.yaml, weather.yaml]");
    refuse(make_run("none", "named", "auto"), SP_ERR_DATA, "called 'bleu', which is a metric");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_scores_on_another_set_are_those_of_the_run_file),
        cmocka_unit_test(texts_on_another_set_are_those_of_the_run_file),
        cmocka_unit_test(another_test_set_changes_no_number_of_the_run),
        cmocka_unit_test(the_test_limit_holds_for_other_sets),
        cmocka_unit_test(a_set_that_labels_do_not_carry_over_to_is_refused),
        cmocka_unit_test(a_set_of_another_kind_or_none_is_refused),
        cmocka_unit_test(a_mixture_is_answered_with_labels_of_each_examples_own_set),
        cmocka_unit_test(a_shared_prompt_learns_both_tasks),
        cmocka_unit_test(the_loss_of_a_mixture_is_over_the_labels_of_the_own_set),
        cmocka_unit_test(limits_count_the_examples_of_each_set),
        cmocka_unit_test(a_mixture_and_other_test_sets_exclude_each_other),
        cmocka_unit_test(a_set_called_like_a_metric_is_no_group),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
