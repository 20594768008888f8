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
    sp_class_head head;
    sp_tune_job job;
} task;

static sp_examples encode_examples(sp_output output, const sp_tokenizer *tokenizer) {
    sp_split split = {0};
    sp_examples examples;
    add_example(&split, "ab", "ba", NULL);
    add_example(&split, "bc", "cb", "c b");
    add_example(&split, "abc", "cba", NULL);
    add_example(&split, "xa", "ax", NULL);
    add_example(&split, "cab", "bac", NULL);
    assert_int_equal(sp_examples_encode(&split, output, " ", tokenizer, END, &examples), SP_OK);
    sp_split_free(&split);
    return examples;
}

static void open_task(task *t, const char *method, long steps) {
    static const sp_init_source no_source = {0};
    *t = (task){.tokenizer = letters(), .model = golden_model()};
    t->examples = encode_examples(SP_OUTPUT_TEXT, t->tokenizer);
    sp_method_options options = {0};
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
                           .train = &t->examples,
                           .dev = &t->examples,
                           .options = &t->options,
                           .seed = 1,
                           .identity = "run"};
}

/* The same with labels and a linear head. */
static void open_labelled(task *t, const char *method, long steps) {
    static char *names[] = {"one", "two"};
    const sp_label labels[] = {{.name = names[0]}, {.name = names[1]}};
    open_task(t, method, steps);
    sp_examples_free(&t->examples);
    t->examples = encode_examples(SP_OUTPUT_LINEAR, t->tokenizer);
    for (size_t i = 0; i < t->examples.count; i++) t->examples.records[i].label = (int)i % 2;
    assert_int_equal(
        sp_class_head_create(SP_OUTPUT_LINEAR, labels, 2, t->tokenizer, t->model, 1, &t->head),
        SP_OK);
    t->job.head = &t->head;
}

static void close_task(task *t) {
    sp_examples_free(&t->examples);
    sp_class_head_free(&t->head);
    sp_template_free(&t->template);
    sp_tuner_free(&t->tuner);
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

/* ---- learning ---- */

static sp_status keep_first_loss(void *user, long step, sp_dev_score *score) {
    double *first = user;
    (void)step;
    if (isnan(*first)) *first = score->loss;
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
        if (!(trains ? result.best.loss < 0.9 * first : result.best.loss == first))
            fail_msg("%s: dev loss %g, at first %g", (*m)->name, result.best.loss, first);
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

static float *first_trained(const sp_tuner *tuner) {
    return tuner->model->params.items[0]->var.data;
}

static sp_status note_evaluation(void *user, long step, sp_dev_score *score) {
    history *h = user;
    h->evaluations++;
    assert_true(isnan(score->accuracy));
    if (score->loss < h->best_loss) {
        h->best_loss = score->loss;
        h->best_step = step;
        h->at_best = *first_trained(h->tuner);
    }
    return SP_OK;
}

static void the_tuner_is_left_in_its_best_state_on_dev(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    open_task(&t, "fine-tune", 60);
    t.options.lr = 1;
    t.options.warmup = 1; /* rises to the end, and overshoots, so that later states are worse */
    t.options.eval_every = 1;
    history h = {.tuner = &t.tuner, .best_loss = INFINITY};
    t.job.observer = (sp_tune_observer){.user = &h, .on_dev = note_evaluation};
    assert_int_equal(sp_tune(&t.job, &result), SP_OK);
    assert_int_equal(h.evaluations, 60);
    assert_int_equal(result.best_step, h.best_step);
    assert_true(result.best_step < 60);
    assert_true(result.best.loss == h.best_loss);
    assert_true(*first_trained(&t.tuner) == h.at_best);
    close_task(&t);
}

static void a_better_state_is_more_accurate_or_as_accurate_with_less_loss(void **state) {
    (void)state;
    assert_true(sp_dev_better((sp_dev_score){2, 80}, (sp_dev_score){1, 70}));
    assert_false(sp_dev_better((sp_dev_score){1, 70}, (sp_dev_score){2, 80}));
    assert_true(sp_dev_better((sp_dev_score){1, 70}, (sp_dev_score){2, 70}));
    assert_false(sp_dev_better((sp_dev_score){1, 70}, (sp_dev_score){1, 70}));
    assert_true(sp_dev_better((sp_dev_score){1, NAN}, (sp_dev_score){2, NAN}));
    assert_true(sp_dev_better((sp_dev_score){1, 0}, (sp_dev_score){INFINITY, NAN})); /* the first */
}

/* The accuracy that an observer finds; it falls while the loss falls too. */
static sp_status set_falling_accuracy(void *user, long step, sp_dev_score *score) {
    (void)user;
    score->accuracy = 100.0 - (double)step;
    return SP_OK;
}

static void an_observer_may_set_the_accuracy_that_chooses_the_best_state(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    open_task(&t, "p-tuning-v2", 40);
    t.job.observer = (sp_tune_observer){.on_dev = set_falling_accuracy};
    assert_int_equal(sp_tune(&t.job, &result), SP_OK);
    assert_int_equal(result.best_step, 10);
    assert_true(result.best.accuracy == 90);
    close_task(&t);
}

/* ---- a method with a penalty, a state and a step of its own ---- */

/* [1, 1]: differentiable and far from 0. */
static sp_var *fake_penalty(const sp_tuner *tuner, sp_tape *t) {
    return sp_cross_entropy(t, &tuner->params.items[0]->var, (int[]){0, 1, 2, 3});
}

/* Keeps an average of the gradients and goes down along it. */
static void fake_after_step(sp_tuner *tuner, long step, long steps) {
    sp_var *v = &tuner->params.items[0]->var, *average = &tuner->state.items[0]->var;
    assert_true(step >= 1 && step <= steps && v->grad_ready);
    for (long i = 0; i < v->rows * v->cols; i++) {
        average->data[i] = 0.9f * average->data[i] + 0.1f * v->grad[i];
        v->data[i] -= 0.1f * average->data[i];
    }
}

static sp_method fake;

/* A method (of 4 virtual rows) with all of that. */
static void open_fake(task *t, const char *method, long steps) {
    open_task(t, method, steps);
    fake = *t->tuner.method;
    fake.penalty = fake_penalty;
    fake.after_step = fake_after_step;
    t->tuner.method = &fake;
    sp_params_add(&t->tuner.state, "average", 2, 4, 32);
}

static void keep_loss(void *user, const sp_tune_step *step) {
    *(double *)user = step->loss;
}

static void a_penalty_is_part_of_the_training_loss_and_not_of_the_dev_loss(void **state) {
    (void)state;
    task plain, penalised;
    sp_tune_result x, y;
    double plain_loss = 0, penalised_loss = 0;
    open_task(&plain, "prompt", 1);
    open_fake(&penalised, "prompt", 1);
    fake.after_step = NULL;
    sp_tape tape = {.inference = true};
    double penalty = (double)sp_tuner_penalty(&penalised.tuner, &tape)->data[0];
    sp_tape_free(&tape);
    plain.options.lr = penalised.options.lr = 0;
    plain.job.observer = (sp_tune_observer){.user = &plain_loss, .on_step = keep_loss};
    penalised.job.observer = (sp_tune_observer){.user = &penalised_loss, .on_step = keep_loss};
    assert_int_equal(sp_tune(&plain.job, &x), SP_OK);
    assert_int_equal(sp_tune(&penalised.job, &y), SP_OK);
    assert_true(penalty > 1);
    assert_true(fabs(penalised_loss - plain_loss - penalty) < 1e-5);
    assert_true(x.best.loss == y.best.loss);
    close_task(&plain);
    close_task(&penalised);
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

static void assert_same_values(const sp_params *a, const sp_params *b) {
    for (size_t i = 0; i < a->count; i++) {
        const sp_var *v = &a->items[i]->var;
        assert_memory_equal(v->data, b->items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
}

static void assert_same_end(const task *a, const sp_tune_result *x, const task *b,
                            const sp_tune_result *y) {
    assert_int_equal(x->steps, y->steps);
    assert_int_equal(x->best_step, y->best_step);
    assert_true(x->best.loss == y->best.loss);
    assert_same_values(&a->tuner.params, &b->tuner.params);
    assert_same_values(&a->tuner.state, &b->tuner.state);
    assert_same_values(&a->model->params, &b->model->params);
    assert_same_values(&a->head.params, &b->head.params);
}

static void check_resume(void (*open)(task *, const char *, long), const char *method,
                         const char *optimizer, bool killed) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.checkpoint");
    task whole, broken;
    sp_tune_result x, y;
    open(&whole, method, 60);
    open(&broken, method, 60);
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
    check_resume(open_task, "prefix", "adamw", false);
    check_resume(open_task, "fine-tune", "adafactor", false);
}

static void a_killed_run_resumed_ends_in_the_same_bytes_as_one_left_alone(void **state) {
    (void)state;
    for (const sp_method *const *m = sp_methods(); *m; m++)
        if (strcmp((*m)->name, "none") != 0) check_resume(open_task, (*m)->name, "adamw", true);
    check_resume(open_task, "prompt", "adafactor", true);
}

static void a_resumed_run_of_a_method_with_a_state_ends_in_the_same_bytes_too(void **state) {
    (void)state;
    check_resume(open_fake, "prompt", "adamw", false);
    check_resume(open_fake, "prompt", "adamw", true);
    check_resume(open_task, "adalora", "adamw", true);
}

static void a_resumed_run_with_a_linear_head_ends_in_the_same_bytes_too(void **state) {
    (void)state;
    check_resume(open_labelled, "prompt", "adamw", true);
    check_resume(open_labelled, "fine-tune", "adafactor", false);
}

static sp_status interrupt_evaluation(void *user, long step, sp_dev_score *score) {
    (void)user, (void)score;
    if (step < 30) return SP_OK;
    raise(SIGINT);
    return sp_fail(SP_ERR_INTERRUPTED, "stopped while generating");
}

static void
a_run_interrupted_in_an_evaluation_makes_it_up_and_ends_in_the_same_bytes(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "run.checkpoint");
    task whole, broken;
    sp_tune_result x, y;
    sp_h5 *file;
    int64_t step, evaluated;
    open_task(&whole, "prefix", 60);
    open_task(&broken, "prefix", 60);
    assert_int_equal(sp_tune(&whole.job, &x), SP_OK);
    broken.job.checkpoint = path;
    broken.options.checkpoint_seconds = 1000;
    broken.job.observer.on_dev = interrupt_evaluation;
    int status = train_in_child(&broken, NULL);
    assert_int_equal(WEXITSTATUS(status), SP_ERR_INTERRUPTED);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    assert_int_equal(sp_h5_get_int(file, "/checkpoint", "step", &step), SP_OK);
    assert_int_equal(sp_h5_get_int(file, "/checkpoint", "evaluated_step", &evaluated), SP_OK);
    assert_int_equal(step, 30);
    assert_int_equal(evaluated, 20);
    sp_h5_close(file);
    broken.job.observer.on_dev = NULL;
    assert_int_equal(sp_tune(&broken.job, &y), SP_OK);
    assert_same_end(&whole, &x, &broken, &y);
    close_task(&whole);
    close_task(&broken);
    free(path);
    remove_folder(folder);
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
    sp_examples_pack(&t.examples, t.examples.pairs[0], &t.template, &scratch, &batch);
    static const int ids[] = {-1, -2, LETTER_A, LETTER_B, LETTER_SPACE, -3, -4, LETTER_B, LETTER_A};
    static const int targets[] = {LETTER_B, LETTER_A, END}, wanted[] = {6, 7, 8};
    assert_int_equal(sp_packed_tokens(&batch), 9);
    assert_memory_equal(batch.ids.data, ids, sizeof ids);
    assert_memory_equal(batch.targets.data, targets, sizeof targets);
    assert_memory_equal(batch.wanted.data, wanted, sizeof wanted);
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
    assert_int_equal(sp_examples_encode(&split, SP_OUTPUT_TEXT, "", tokenizer, 90, &examples),
                     SP_OK);
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
    assert_int_equal(sp_examples_encode(&split, SP_OUTPUT_TEXT, "", tokenizer, END, &examples),
                     SP_ERR_DATA);
    add_example(&split, "a", "b", NULL);
    add_example(&split, "a", "b", "");
    assert_int_equal(sp_examples_encode(&split, SP_OUTPUT_TEXT, "", tokenizer, END, &examples),
                     SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "example 2"));
    split.items[0].input[0] = '\0';
    assert_int_equal(sp_examples_encode(&split, SP_OUTPUT_TEXT, "", tokenizer, END, &examples),
                     SP_ERR_DATA);
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
        cmocka_unit_test(a_better_state_is_more_accurate_or_as_accurate_with_less_loss),
        cmocka_unit_test(an_observer_may_set_the_accuracy_that_chooses_the_best_state),
        cmocka_unit_test(a_penalty_is_part_of_the_training_loss_and_not_of_the_dev_loss),
        cmocka_unit_test(a_resumed_run_of_a_method_with_a_state_ends_in_the_same_bytes_too),
        cmocka_unit_test(a_resumed_run_with_a_linear_head_ends_in_the_same_bytes_too),
        cmocka_unit_test(patience_stops_a_tuning_that_no_longer_improves),
        cmocka_unit_test(a_diverging_tuning_ends_with_an_error),
        cmocka_unit_test(an_interrupted_run_resumed_ends_in_the_same_bytes_as_one_left_alone),
        cmocka_unit_test(a_killed_run_resumed_ends_in_the_same_bytes_as_one_left_alone),
        cmocka_unit_test(a_run_interrupted_in_an_evaluation_makes_it_up_and_ends_in_the_same_bytes),
        cmocka_unit_test(a_damaged_checkpoint_is_refused_by_name),
        cmocka_unit_test(a_pair_is_template_input_separator_target_and_end),
        cmocka_unit_test(frequent_tokens_come_most_frequent_first),
        cmocka_unit_test(empty_splits_inputs_and_references_are_refused),
        cmocka_unit_test(each_epoch_visits_every_item_once_in_another_order),
        cmocka_unit_test(predictions_are_those_of_each_record_alone_in_the_order_of_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
