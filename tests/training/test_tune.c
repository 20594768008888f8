/* Tuning on a tiny task: learning, the best state on dev, and interrupted runs. Runs on one thread,
 * so that a forked child may train too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "support/folder.h"
#include "support/golden.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/predict.h"
#include "training/sampler.h"
#include "training/tune.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END = 0, STOP = 37 };

static void add_example(sp_split *split, const char *input, const char *one, const char *two) {
    sp_example *e = sp_split_add(split);
    e->input = sp_strdup(input);
    e->category = sp_strdup("");
    e->group = sp_strdup("");
    sp_strings_push(&e->references, one);
    if (two) sp_strings_push(&e->references, two);
}

/* Everything that a tuning needs: six pairs of letters to be reversed. */
typedef struct task {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_examples examples;
    sp_template template;
    sp_tuner tuner;
    sp_train_options options;
    sp_tune_job job;
} task;

static sp_examples encode_examples(const sp_tokenizer *tokenizer) {
    sp_split split = {0};
    sp_examples examples;
    add_example(&split, "ab", "ba", NULL);
    add_example(&split, "bc", "cb", "c b");
    add_example(&split, "abc", "cba", NULL);
    add_example(&split, "xa", "ax", NULL);
    add_example(&split, "cab", "bac", NULL);
    assert_int_equal(sp_examples_encode(&split, " ", tokenizer, END, &examples), SP_OK);
    sp_split_free(&split);
    return examples;
}

static void open_task(task *t, const char *method, long steps) {
    static const sp_init_source no_source = {0};
    *t = (task){.tokenizer = letters(), .model = golden_model()};
    t->examples = encode_examples(t->tokenizer);
    sp_method_options options = {.last_layer = -1};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = 4;
    options.hidden = 16;
    snprintf(options.init, sizeof options.init, "random");
    if (sp_tuner_create(method, &options, t->model, &no_source, 1, &t->tuner))
        fail_msg("%s", sp_error());
    bool rows = t->tuner.method->uses_template && t->tuner.method->inject;
    assert_int_equal(
        sp_template_parse(rows ? options.template : "x", rows ? 4 : 0, t->tokenizer, &t->template),
        SP_OK);
    sp_options_default(sp_train_option_table, &t->options);
    t->options.lr = 0.01;
    t->options.batch = 4;
    t->options.steps = (int)steps;
    t->options.eval_every = 10;
    t->job = (sp_tune_job){.tuner = &t->tuner,
                           .template = &t->template,
                           .first_position = t->tuner.method->uses_template ? 0 : options.length,
                           .train = &t->examples,
                           .dev = &t->examples,
                           .options = &t->options,
                           .seed = 1,
                           .identity = "run"};
}

static void close_task(task *t) {
    sp_examples_free(&t->examples);
    sp_template_free(&t->template);
    sp_tuner_free(&t->tuner);
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

/* ---- learning ---- */

static sp_status keep_first_loss(void *user, long step, double dev_loss) {
    double *first = user;
    (void)step;
    if (isnan(*first)) *first = dev_loss;
    return SP_OK;
}

static void every_method_learns_and_none_does_not(void **state) {
    (void)state;
    for (const sp_method *const *m = sp_methods(); *m; m++) {
        task t;
        sp_tune_result result;
        double first = NAN;
        open_task(&t, (*m)->name, 120);
        t.job.observer = (sp_tune_observer){.user = &first, .on_dev = keep_first_loss};
        assert_int_equal(sp_tune(&t.job, &result), SP_OK);
        bool trains = strcmp((*m)->name, "none") != 0;
        assert_int_equal(result.steps, trains ? 120 : 0);
        assert_true(trains ? result.best_dev_loss < 0.8 * first : result.best_dev_loss == first);
        close_task(&t);
    }
}

static void the_number_of_steps_follows_from_epochs_or_is_given(void **state) {
    (void)state;
    sp_train_options options;
    sp_options_default(sp_train_option_table, &options);
    options.batch = 4;
    options.epochs = 3;
    assert_int_equal(sp_tune_steps(&options, 8), 6);
    assert_int_equal(sp_tune_steps(&options, 9), 9);
    options.steps = 5;
    assert_int_equal(sp_tune_steps(&options, 9), 5);
}

/* The parameter at each evaluation and the best of them. */
typedef struct history {
    const sp_tuner *tuner;
    float at_best;
    double best_loss;
    long best_step, evaluations;
} history;

static sp_status note_evaluation(void *user, long step, double dev_loss) {
    history *h = user;
    h->evaluations++;
    if (dev_loss < h->best_loss) {
        h->best_loss = dev_loss;
        h->best_step = step;
        h->at_best = h->tuner->params.items[0]->var.data[0];
    }
    return SP_OK;
}

static void the_tuner_is_left_in_its_best_state_on_dev(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    open_task(&t, "p-tuning-v2", 60);
    t.options.lr = 5; /* overshoots, so that later states are worse */
    t.options.eval_every = 1;
    history h = {.tuner = &t.tuner, .best_loss = INFINITY};
    t.job.observer = (sp_tune_observer){.user = &h, .on_dev = note_evaluation};
    assert_int_equal(sp_tune(&t.job, &result), SP_OK);
    assert_int_equal(h.evaluations, 60);
    assert_int_equal(result.best_step, h.best_step);
    assert_true(result.best_step < 60);
    assert_true(result.best_dev_loss == h.best_loss);
    assert_true(t.tuner.params.items[0]->var.data[0] == h.at_best);
    close_task(&t);
}

static void patience_stops_a_tuning_that_no_longer_improves(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    open_task(&t, "p-tuning-v2", 500);
    t.options.lr = 0; /* nothing ever improves after the first evaluation */
    t.options.patience = 3;
    assert_int_equal(sp_tune(&t.job, &result), SP_OK);
    assert_int_equal(result.best_step, 10);
    assert_int_equal(result.steps, 40);
    close_task(&t);
}

static void a_diverging_tuning_ends_with_an_error(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    open_task(&t, "p-tuning-v2", 10);
    t.tuner.params.items[0]->var.data[0] = NAN;
    assert_int_equal(sp_tune(&t.job, &result), SP_ERR_NUMERIC);
    assert_non_null(strstr(sp_error(), "step 1"));
    close_task(&t);
}

/* ---- interrupted runs ---- */

static void interrupt_self(void *user, const sp_tune_step *step) {
    (void)user;
    if (step->step == STOP) raise(SIGINT);
}

static void kill_self(void *user, const sp_tune_step *step) {
    (void)user;
    if (step->step == STOP) raise(SIGKILL);
}

/* Trains in a child process that does something to itself at step STOP; its wait status. */
static int train_in_child(task *t, void (*on_step)(void *, const sp_tune_step *)) {
    pid_t child = fork();
    if (child == 0) {
        sp_tune_result result;
        sp_watch_interrupts();
        t->job.observer.on_step = on_step;
        _exit((int)sp_tune(&t->job, &result));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static void assert_same_end(const task *a, const sp_tune_result *x, const task *b,
                            const sp_tune_result *y) {
    assert_int_equal(x->steps, y->steps);
    assert_int_equal(x->best_step, y->best_step);
    assert_true(x->best_dev_loss == y->best_dev_loss);
    for (size_t i = 0; i < a->tuner.params.count; i++) {
        const sp_var *v = &a->tuner.params.items[i]->var;
        assert_memory_equal(v->data, b->tuner.params.items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
    for (size_t i = 0; i < a->model->params.count; i++) {
        const sp_var *v = &a->model->params.items[i]->var;
        assert_memory_equal(v->data, b->model->params.items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
}

static void check_resume(const char *method, const char *optimizer, bool killed) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.checkpoint");
    task whole, broken;
    sp_tune_result x, y;
    open_task(&whole, method, 60);
    open_task(&broken, method, 60);
    snprintf(whole.options.optimizer, SP_OPTION_TEXT, "%s", optimizer);
    snprintf(broken.options.optimizer, SP_OPTION_TEXT, "%s", optimizer);
    assert_int_equal(sp_tune(&whole.job, &x), SP_OK);
    broken.job.checkpoint = path;
    broken.options.checkpoint_seconds = killed ? 0 : 1000;
    int status = train_in_child(&broken, killed ? kill_self : interrupt_self);
    if (killed)
        assert_true(WIFSIGNALED(status));
    else
        assert_int_equal(WEXITSTATUS(status), SP_ERR_INTERRUPTED);
    assert_true(sp_file_exists(path));
    assert_int_equal(sp_tune(&broken.job, &y), SP_OK);
    assert_same_end(&whole, &x, &broken, &y);
    assert_int_equal(sp_tune(&broken.job, &y), SP_OK); /* of a finished run: nothing is left */
    assert_same_end(&whole, &x, &broken, &y);
    close_task(&whole);
    close_task(&broken);
    free(path);
    remove_folder(folder);
}

static void an_interrupted_run_resumed_ends_in_the_same_bytes_as_one_left_alone(void **state) {
    (void)state;
    check_resume("prefix", "adamw", false);
    check_resume("fine-tune", "adafactor", false);
}

static void a_killed_run_resumed_ends_in_the_same_bytes_as_one_left_alone(void **state) {
    (void)state;
    check_resume("p-tuning", "adamw", true);
    check_resume("prompt", "adafactor", true);
}

static void a_damaged_checkpoint_is_refused_by_name(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "run.checkpoint");
    task t;
    sp_tune_result result;
    open_task(&t, "prompt", 5);
    t.job.checkpoint = path;
    assert_int_equal(sp_write_file(path, "not HDF5", 8), SP_OK);
    assert_int_equal(sp_tune(&t.job, &result), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    close_task(&t);
    free(path);
    remove_folder(folder);
}

/* ---- examples and their order ---- */

static void a_pair_is_template_input_separator_target_and_end(void **state) {
    (void)state;
    task t;
    sp_packed batch = {0};
    sp_ints scratch = {0};
    open_task(&t, "p-tuning", 1); /* P x P with 4 virtual tokens */
    sp_packed_clear(&batch);
    assert_int_equal(t.examples.pair_count, 6);
    sp_examples_pack(&t.examples, t.examples.pairs[0], &t.template, 7, &scratch, &batch);
    static const int ids[] = {-1, -2, LETTER_A, LETTER_B, LETTER_SPACE, -3, -4, LETTER_B, LETTER_A};
    static const int targets[] = {-1, -1, -1, -1, -1, -1, LETTER_B, LETTER_A, END};
    assert_int_equal(sp_packed_tokens(&batch), 9);
    assert_memory_equal(batch.ids.data, ids, sizeof ids);
    assert_memory_equal(batch.targets.data, targets, sizeof targets);
    assert_int_equal(batch.positions.data[0], 7);
    assert_int_equal(t.examples.longest, 8); /* "abc " or "cab ", three letters, the end */
    sp_packed_free(&batch);
    sp_ints_free(&scratch);
    close_task(&t);
}

static void frequent_tokens_come_most_frequent_first(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = letters();
    sp_split split = {0};
    sp_examples examples;
    add_example(&split, "ccc", "bbx", NULL);
    assert_int_equal(sp_examples_encode(&split, "", tokenizer, 90, &examples), SP_OK);
    int *ids;
    static const int expected[] = {LETTER_C, LETTER_B, LETTER_X, 90};
    assert_int_equal(sp_examples_frequent(&examples, 97, &ids), 4);
    assert_memory_equal(ids, expected, sizeof expected);
    free(ids);
    sp_examples_free(&examples);
    sp_split_free(&split);
    sp_tokenizer_free(tokenizer);
}

static void empty_splits_inputs_and_references_are_refused(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = letters();
    sp_split split = {0};
    sp_examples examples;
    assert_int_equal(sp_examples_encode(&split, "", tokenizer, END, &examples), SP_ERR_DATA);
    add_example(&split, "a", "b", NULL);
    add_example(&split, "a", "b", "");
    assert_int_equal(sp_examples_encode(&split, "", tokenizer, END, &examples), SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "example 2"));
    split.items[0].input[0] = '\0';
    assert_int_equal(sp_examples_encode(&split, "", tokenizer, END, &examples), SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "example 1"));
    sp_split_free(&split);
    sp_tokenizer_free(tokenizer);
}

static void each_epoch_visits_every_item_once_in_another_order(void **state) {
    (void)state;
    enum { ITEMS = 20 };
    sp_sampler s, resumed;
    size_t first[ITEMS], second[ITEMS];
    int seen[ITEMS] = {0};
    sp_sampler_init(&s, ITEMS, 1, "pairs");
    for (int i = 0; i < ITEMS; i++) seen[first[i] = sp_sampler_next(&s)]++;
    for (int i = 0; i < 7; i++) seen[second[i] = sp_sampler_next(&s)]++;
    sp_sampler_init(&resumed, ITEMS, 1, "pairs");
    resumed.epoch = s.epoch;
    resumed.cursor = s.cursor;
    sp_sampler_resume(&resumed);
    for (int i = 7; i < ITEMS; i++) {
        seen[second[i] = sp_sampler_next(&s)]++;
        assert_int_equal(sp_sampler_next(&resumed), second[i]);
    }
    for (int i = 0; i < ITEMS; i++) assert_int_equal(seen[i], 2);
    assert_memory_not_equal(first, second, sizeof first);
    sp_sampler_free(&s);
    sp_sampler_free(&resumed);
}

/* ---- prediction ---- */

static void predictions_are_those_of_each_record_alone_in_the_order_of_records(void **state) {
    (void)state;
    task t;
    sp_soft_prompt prompt;
    sp_strings together = {0}, alone = {0};
    sp_decode_options options;
    open_task(&t, "prefix", 1);
    sp_options_default(sp_decode_option_table, &options);
    options.max_tokens = 12;
    options.batch = 2;
    assert_int_equal(sp_soft_prompt_from(&t.tuner, t.tokenizer, " ", &prompt), SP_OK);
    assert_int_equal(sp_predict(t.model, &prompt, t.tokenizer, &options, &t.examples,
                                t.examples.count, 1, NULL, NULL, &together),
                     SP_OK);
    assert_int_equal(together.len, t.examples.count);
    for (size_t i = 0; i < t.examples.count; i++) {
        sp_examples one = {.records = &t.examples.records[i], .count = 1};
        assert_int_equal(
            sp_predict(t.model, &prompt, t.tokenizer, &options, &one, 1, 1, NULL, NULL, &alone),
            SP_OK);
        assert_string_equal(together.data[i], alone.data[i]);
    }
    sp_strings_free(&together);
    sp_strings_free(&alone);
    sp_soft_prompt_free(&prompt);
    close_task(&t);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_learns_and_none_does_not),
        cmocka_unit_test(the_number_of_steps_follows_from_epochs_or_is_given),
        cmocka_unit_test(the_tuner_is_left_in_its_best_state_on_dev),
        cmocka_unit_test(patience_stops_a_tuning_that_no_longer_improves),
        cmocka_unit_test(a_diverging_tuning_ends_with_an_error),
        cmocka_unit_test(an_interrupted_run_resumed_ends_in_the_same_bytes_as_one_left_alone),
        cmocka_unit_test(a_killed_run_resumed_ends_in_the_same_bytes_as_one_left_alone),
        cmocka_unit_test(a_damaged_checkpoint_is_refused_by_name),
        cmocka_unit_test(a_pair_is_template_input_separator_target_and_end),
        cmocka_unit_test(frequent_tokens_come_most_frequent_first),
        cmocka_unit_test(empty_splits_inputs_and_references_are_refused),
        cmocka_unit_test(each_epoch_visits_every_item_once_in_another_order),
        cmocka_unit_test(predictions_are_those_of_each_record_alone_in_the_order_of_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
