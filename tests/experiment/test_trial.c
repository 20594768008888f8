/* Trials of classification and generation: what a run file then holds, and what is refused. They
 * tune the smallest model of the ladder on sentences made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/trial_fixture.h"
#include "metrics/metric.h"
#include "model/files.h"
#include "training/classify.h"

#include <math.h>

static const char labels_of_many_tokens[] = "labels: {animal: animal, food: zyxwvutsrq}\n";

/* Every hypothesis and reference is a label (or "?" and a text where that may be). */
static void assert_label_names(sp_h5 *file, bool any_text) {
    sp_strings hypotheses = {0}, references = {0};
    assert_int_equal(sp_h5_read_texts(file, "/test/predictions/hypothesis", &hypotheses), SP_OK);
    assert_int_equal(sp_h5_read_texts(file, "/test/predictions/reference", &references), SP_OK);
    assert_int_equal(hypotheses.len, 32);
    for (size_t i = 0; i < hypotheses.len; i++) {
        const char *h = hypotheses.data[i], *r = references.data[i];
        assert_true(strcmp(h, "animal") == 0 || strcmp(h, "food") == 0 || (any_text && *h == '?'));
        assert_string_equal(r, i % 2 ? "food" : "animal");
    }
    sp_strings_free(&hypotheses);
    sp_strings_free(&references);
}

static void assert_only_metrics_of(sp_h5 *file, sp_task task) {
    for (int m = 0; m < SP_METRIC_COUNT; m++) {
        char *path = sp_format("/test/%s", sp_metrics[m]->name);
        if (sp_h5_exists(file, path) != (sp_metrics[m]->task == task)) fail_msg("%s", path);
        free(path);
    }
}

/* ---- what a run file holds ---- */

static void a_verbalizer_run_learns_and_records_labels_with_their_metrics(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("prompt", "topics", "auto");
    run.train.steps = 150;
    run.train.lr = 0.1;
    sp_h5 *file = file_of(run);
    assert_text(file, "output", "verbalizer");
    assert_text(file, "language_model", "frozen");
    assert_label_names(file, false);
    assert_only_metrics_of(file, SP_CLASSIFICATION);
    double accuracy = read_number(file, "/test/accuracy", false);
    if (!(accuracy > 90)) fail_msg("accuracy %g", accuracy);
    assert_false(sp_h5_exists(file, "/dev/bleu"));
    assert_true(read_number(file, "/dev/accuracy", true) > 90); /* dev, train and test are one */
    assert_true(read_number(file, "/dev/loss", true) < read_number(file, "/dev/loss", false));
    assert_true(sp_h5_exists(file, "/prompt/score/words"));
    sp_h5_close(file);
}

static void a_linear_run_keeps_its_head_and_counts_its_parameters(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("p-tuning-v2", "topics", "linear");
    run.train.steps = 80;
    run.train.lr = 0.01;
    int64_t trained = 0, alone = 0;
    sp_h5 *file = file_of(run);
    assert_text(file, "output", "linear");
    double accuracy = read_number(file, "/test/accuracy", false);
    if (!(accuracy > 90)) fail_msg("accuracy %g", accuracy);
    int rank;
    size_t dims[3];
    assert_int_equal(sp_h5_shape(file, "/prompt/score/weight", &rank, dims), SP_OK);
    assert_int_equal(rank, 2);
    assert_int_equal(dims[0], 2);
    assert_int_equal(sp_h5_get_int(file, "/", "trainable_parameters", &trained), SP_OK);
    sp_h5_close(file);
    file = file_of(make_run("p-tuning-v2", "topics", "verbalizer"));
    assert_int_equal(sp_h5_get_int(file, "/", "trainable_parameters", &alone), SP_OK);
    assert_int_equal(trained, alone + 2 * (int64_t)dims[1] + 2);
    sp_h5_close(file);
}

static void a_text_run_on_labels_generates_them(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("fine-tune", "topics", "text");
    sp_h5 *file = file_of(run);
    assert_text(file, "output", "text");
    assert_text(file, "language_model", "tuned");
    assert_label_names(file, true);
    assert_only_metrics_of(file, SP_CLASSIFICATION);
    assert_true(read_number(file, "/dev/accuracy", false) >= 0);
    assert_false(sp_h5_exists(file, "/prompt/score"));
    sp_h5_close(file);
    run.train.steps = 60;
    file = file_of(run);
    double accuracy = read_number(file, "/test/accuracy", false);
    if (!(accuracy > 90)) fail_msg("accuracy %g", accuracy);
    sp_h5_close(file);
}

static void a_generation_run_has_texts_and_their_metrics(void **state) {
    (void)state;
    sp_buf lines = {0};
    for (int i = 0; i < 8; i++)
        sp_buf_printf(&lines, "{\"input\": \"name : thing %d\", \"target\": \"thing %d\"}\n", i, i);
    write_set("things", "", &lines);
    sp_buf_free(&lines);
    sp_run_spec run = make_run("prefix", "things", "auto");
    run.decode.max_tokens = 8;
    sp_h5 *file = file_of(run);
    assert_text(file, "output", "text");
    assert_only_metrics_of(file, SP_GENERATION);
    assert_true(sp_h5_exists(file, "/dev/bleu"));
    assert_false(sp_h5_exists(file, "/dev/accuracy"));
    sp_h5_close(file);
}

static void the_record_says_whether_the_language_model_trains(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_h5 *file = file_of(make_run("ft-top", "topics", "linear"));
    assert_text(file, "language_model", "in part");
    sp_h5_close(file);
    file = file_of(make_run("none", "topics", "verbalizer"));
    assert_text(file, "language_model", "frozen");
    sp_h5_close(file);
}

static void a_plan_counts_what_trains_and_class_heads_cost_less_than_text(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_trial_estimate text, verbalizer, linear;
    sp_assets *assets = sp_assets_new();
    sp_run_spec run = make_run("prompt", "topics", "text");
    assert_int_equal(sp_trial_plan(&run, assets, &text), SP_OK);
    run = make_run("prompt", "topics", "verbalizer");
    assert_int_equal(sp_trial_plan(&run, assets, &verbalizer), SP_OK);
    run = make_run("prompt", "topics", "linear");
    assert_int_equal(sp_trial_plan(&run, assets, &linear), SP_OK);
    sp_assets_free(assets);
    assert_true(verbalizer.seconds > 0 && verbalizer.seconds < text.seconds);
    assert_int_equal(text.trainable_parameters, verbalizer.trainable_parameters);
    assert_true(linear.trainable_parameters > verbalizer.trainable_parameters);
}

/* Labels of the run's test texts by what its file keeps, on a fresh model. */
static void assert_file_labels_as_the_run(sp_run_spec run) {
    sp_h5 *file = file_of(run);
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_soft_prompt prompt;
    sp_class_head head;
    sp_strings inputs = {0}, hypotheses = {0};
    sp_split split = {0};
    sp_examples examples;
    int labels[32];
    assert_int_equal(sp_model_open(run.model, SP_PRECISION_FP32, &model), SP_OK);
    assert_int_equal(sp_model_open_tokenizer(run.model, model, &tokenizer), SP_OK);
    assert_int_equal(sp_soft_prompt_read(file, model, &prompt), SP_OK);
    assert_int_equal(sp_class_head_read(file, model, &head), SP_OK);
    assert_int_equal(sp_h5_read_texts(file, "/test/predictions/input", &inputs), SP_OK);
    assert_int_equal(sp_h5_read_texts(file, "/test/predictions/hypothesis", &hypotheses), SP_OK);
    for (size_t i = 0; i < 32; i++) sp_split_add(&split)->input = sp_strdup(inputs.data[i]);
    assert_int_equal(sp_examples_encode(&split, head.output, prompt.separator, tokenizer,
                                        model->config.eos_token_id, &examples),
                     SP_OK);
    sp_classify_job job = {.model = model,
                           .head = &head,
                           .prompt = &prompt,
                           .examples = &examples,
                           .count = 32,
                           .batch = 5};
    assert_int_equal(sp_classify(&job, labels, NULL), SP_OK);
    for (int i = 0; i < 32; i++)
        assert_string_equal(head.labels.data[labels[i]], hypotheses.data[i]);
    sp_examples_free(&examples);
    sp_split_free(&split);
    sp_strings_free(&inputs);
    sp_strings_free(&hypotheses);
    sp_class_head_free(&head);
    sp_soft_prompt_free(&prompt);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    sp_h5_close(file);
}

static void what_a_run_file_keeps_labels_as_the_run_did(void **state) {
    (void)state;
    static const char *const methods[] = {"prompt", "prefix", "lora", "adapter", "fine-tune"};
    write_sentences("topics", labels_card, false);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        sp_run_spec run = make_run(methods[i], "topics", i % 2 ? "linear" : "verbalizer");
        run.train.steps = 10;
        assert_file_labels_as_the_run(run);
    }
}

/* ---- what is refused ---- */

static void one_label_only_is_refused(void **state) {
    (void)state;
    write_sentences("alone", labels_card, true);
    refuse(make_run("prompt", "alone", "auto"), SP_ERR_DATA,
           "alone.yaml: train has one class only, 'animal'");
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("prompt", "topics", "linear");
    run.train_limit = 1;
    refuse(run, SP_ERR_DATA,
           "data.limit is 1, and every training example has the label 'animal'; ");
}

static void a_label_word_of_several_tokens_is_refused_by_a_verbalizer_only(void **state) {
    (void)state;
    write_sentences("odd", labels_of_many_tokens, false);
    refuse(make_run("prompt", "odd", "auto"), SP_ERR_SPEC, "label 'food': its word ' zyxwvutsrq'");
    refuse(make_run("prompt", "odd", "auto"), SP_ERR_SPEC, "odd.yaml: label");
    sp_h5_close(file_of(make_run("prompt", "odd", "linear")));
    sp_h5_close(file_of(make_run("prompt", "odd", "text")));
}

static void a_class_head_on_a_generation_set_is_refused(void **state) {
    (void)state;
    sp_buf lines = {0};
    sp_buf_puts(&lines, "{\"input\": \"a\", \"target\": \"b\"}\n");
    write_set("things", "", &lines);
    sp_buf_free(&lines);
    refuse(make_run("prompt", "things", "verbalizer"), SP_ERR_SPEC, "output is verbalizer, but");
    refuse(make_run("prompt", "things", "linear"), SP_ERR_SPEC, "use output text or auto");
}

static void texts_and_labels_that_do_not_fit_the_context_are_refused(void **state) {
    (void)state;
    sp_buf word = {0}, card = {0}, lines = {0};
    for (int i = 0; i < 1500; i++) sp_buf_puts(&word, "xq");
    sp_buf_printf(&card, "labels: {animal: animal, food: %s}\n", word.data);
    write_sentences("long", card.data, false);
    refuse(make_run("prompt", "long", "text"), SP_ERR_DATA, "the longest example takes");
    sp_buf_printf(&lines, "{\"text\": \"%s\", \"label\": \"food\"}\n", word.data);
    sp_buf_puts(&lines, "{\"text\": \"a\", \"label\": \"animal\"}\n");
    write_set("longer", labels_card, &lines);
    refuse(make_run("prompt", "longer", "verbalizer"), SP_ERR_DATA, "the longest example takes");
    sp_run_spec run = make_run("prompt", "topics", "verbalizer");
    write_sentences("topics", labels_card, false);
    run.method_options.length = 1000;
    refuse(run, SP_ERR_SPEC, "spec.yaml:4: method.length is 1000");
    sp_buf_free(&word);
    sp_buf_free(&card);
    sp_buf_free(&lines);
}

static void an_empty_text_is_refused(void **state) {
    (void)state;
    sp_buf lines = sentences(false);
    sp_buf_puts(&lines, "{\"text\": \"\", \"label\": \"food\"}\n");
    write_set("gap", labels_card, &lines);
    refuse(make_run("prompt", "gap", "auto"), SP_ERR_FORMAT, "gap.jsonl:33");
    sp_buf_free(&lines);
}

static void a_loss_that_is_not_a_number_ends_the_run(void **state) {
    (void)state;
    write_sentences("topics", labels_card, false);
    sp_run_spec run = make_run("fine-tune", "topics", "linear");
    run.train.steps = 40;
    run.train.lr = 100;
    run.train.weight_decay = 1; /* a weight becomes -99 times itself */
    refuse(run, SP_ERR_NUMERIC, "use a lower learning rate than");
}

#define TRIAL_TEST(f) cmocka_unit_test_setup_teardown(f, study_setup, study_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(a_verbalizer_run_learns_and_records_labels_with_their_metrics),
        TRIAL_TEST(a_linear_run_keeps_its_head_and_counts_its_parameters),
        TRIAL_TEST(a_text_run_on_labels_generates_them),
        TRIAL_TEST(a_generation_run_has_texts_and_their_metrics),
        TRIAL_TEST(the_record_says_whether_the_language_model_trains),
        TRIAL_TEST(what_a_run_file_keeps_labels_as_the_run_did),
        TRIAL_TEST(a_plan_counts_what_trains_and_class_heads_cost_less_than_text),
        TRIAL_TEST(one_label_only_is_refused),
        TRIAL_TEST(a_label_word_of_several_tokens_is_refused_by_a_verbalizer_only),
        TRIAL_TEST(a_class_head_on_a_generation_set_is_refused),
        TRIAL_TEST(texts_and_labels_that_do_not_fit_the_context_are_refused),
        TRIAL_TEST(an_empty_text_is_refused),
        TRIAL_TEST(a_loss_that_is_not_a_number_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
