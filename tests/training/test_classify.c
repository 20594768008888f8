/* Classification: class heads against PyTorch, labels of batches, and learning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/golden.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/classify.h"
#include "training/objective.h"
#include "training/tune.h"

#include <stdio.h>

enum { LABELS = 3, END = 0 };

/* ---- parity ---- */

static void copy_golden(const sp_safetensors *file, const char *name, sp_var *out) {
    size_t count;
    float *values = golden_floats(file, name, &count);
    assert_int_equal(count, out->rows * out->cols);
    memcpy(out->data, values, count * sizeof(float));
    free(values);
}

/* The largest difference of the gradients that the file has. */
static double assert_gradients(const sp_safetensors *file, const char *prefix,
                               const sp_params *params) {
    double largest = 0;
    for (size_t i = 0; i < params->count; i++) {
        const sp_param *p = params->items[i];
        char *name = sp_format("%s.gradient.%s", prefix, p->name);
        if (sp_safetensors_find(file, name)) {
            size_t count = (size_t)(p->var.rows * p->var.cols);
            assert_true(p->var.grad_ready);
            largest = fmax(largest, assert_golden(file, name, p->var.grad, count, 1e-4));
        }
        free(name);
    }
    return largest;
}

/* Logits, loss and gradients of the golden batch with a head, the model training too. */
static golden_difference check_golden_head(const char *prefix, const sp_class_head *head,
                                           sp_model *model, const sp_safetensors *file) {
    golden_difference d = {0};
    golden_batch b = golden_read_batch(0, 0);
    sp_packed batch = {0};
    sp_packed_clear(&batch);
    for (int i = 0; i < b.sequences; i++) {
        sp_ints ids = {0};
        sp_ints_append(&ids, b.ids + b.offsets[i], (size_t)(b.offsets[i + 1] - b.offsets[i]));
        sp_ints_push(&ids, END);
        sp_packed_add(&batch, ids.data, ids.len, ids.len - 1);
        sp_ints_free(&ids);
    }
    sp_ints labels = golden_ints(file, "labels");
    sp_objective objective = {.model = model, .head = head};
    sp_tape tape = {0};
    long correct = -1;
    sp_params_train(&model->params, true);
    sp_context ctx = sp_packed_context(&batch, NULL);
    sp_var *hidden = sp_model_forward(&tape, model, batch.ids.data, &ctx);
    sp_var *logits = sp_class_logits(&tape, head, model, hidden);
    char *name = sp_format("%s.logits", prefix);
    d.logits = assert_golden(file, name, logits->data, 9, 2e-5);
    free(name);
    sp_var *loss = sp_objective_loss(&tape, &objective, hidden, &batch, labels.data, &correct);
    name = sp_format("%s.loss", prefix);
    d.loss = assert_golden(file, name, loss->data, 1, 1e-5);
    free(name);
    long expected = 0;
    for (int i = 0; i < 3; i++)
        expected += sp_class_best(head, logits->data + i * logits->ld) == labels.data[i];
    assert_int_equal(correct, expected);
    sp_tape_backward(&tape, loss, 1.0f);
    d.gradient = fmax(assert_gradients(file, prefix, &model->params),
                      assert_gradients(file, prefix, &head->params));
    sp_tape_free(&tape);
    sp_ints_free(&labels);
    sp_packed_free(&batch);
    return d;
}

static sp_class_head three_labels(sp_output output, const sp_model *model) {
    static char *names[] = {"one", "two", "three"};
    sp_label labels[LABELS] = {{.name = names[0]}, {.name = names[1]}, {.name = names[2]}};
    static const char *const words[] = {"a", "b", "c"};
    sp_tokenizer *tokenizer = letters();
    sp_class_head head;
    for (int i = 0; i < LABELS; i++) sp_strings_push(&labels[i].words, words[i]);
    if (sp_class_head_create(output, labels, LABELS, tokenizer, model, 1, &head))
        fail_msg("%s", sp_error());
    for (int i = 0; i < LABELS; i++) sp_strings_free(&labels[i].words);
    sp_tokenizer_free(tokenizer);
    return head;
}

static const char *const decoders[] = {"tests/golden/gpt2-tiny",
                                       "tests/golden/llama-tiny",
                                       "tests/golden/llama-tiny-bias",
                                       "tests/golden/qwen2-tiny",
                                       "tests/golden/mistral-tiny",
                                       "tests/golden/yarn-tiny",
                                       NULL};

static void check_linear(const char *folder) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, "class");
    sp_class_head head = three_labels(SP_OUTPUT_LINEAR, model);
    copy_golden(file, "linear.weight", head.weight);
    copy_golden(file, "linear.bias", head.bias);
    golden_report(folder, "linear", "class", check_golden_head("linear", &head, model, file));
    sp_class_head_free(&head);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void a_linear_head_equals_that_of_transformers(void **state) {
    (void)state;
    for (const char *const *folder = decoders; *folder; folder++) check_linear(*folder);
}

static void check_verbalizer(const char *folder) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, "class");
    sp_class_head head = three_labels(SP_OUTPUT_VERBALIZER, model);
    sp_ints_free(&head.words);
    sp_ints_free(&head.label_of);
    head.words = golden_ints(file, "verbalizer.words");
    head.label_of = golden_ints(file, "verbalizer.label_of");
    golden_report(folder, "verbalizer", "class",
                  check_golden_head("verbalizer", &head, model, file));
    sp_class_head_free(&head);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void a_verbalizer_equals_label_word_logits_in_pytorch(void **state) {
    (void)state;
    for (const char *const *folder = decoders; *folder; folder++) check_verbalizer(*folder);
}

/* ---- a task ---- */

/* Strings of letters, whose last one decides the label. */
typedef struct task {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_examples examples;
    sp_tuner tuner;
    sp_class_head head;
    sp_soft_prompt prompt;
    sp_train_options options;
} task;

static sp_examples make_examples(const sp_tokenizer *tokenizer, sp_output output) {
    static const char *const inputs[] = {"xa",  "xb",  "xc",  "bxa", "cxb", "axc",
                                         "cca", "aab", "bbc", "xxa", "xxb", "xxc"};
    sp_split split = {0};
    sp_examples examples;
    for (int i = 0; i < 12; i++) {
        sp_example *e = sp_split_add(&split);
        e->input = sp_strdup(inputs[i]);
        e->label = (i + 1) % LABELS; /* the word of label i is another letter than the last one */
        sp_strings_push(&e->references, "x");
    }
    if (sp_examples_encode(&split, output, " ", tokenizer, END, &examples))
        fail_msg("%s", sp_error());
    sp_split_free(&split);
    return examples;
}

/* `position` is that of a prefix, or NULL. */
static void open_task_at(task *t, const char *method, sp_output output, const char *position) {
    static const sp_init_source no_source = {0};
    *t = (task){.tokenizer = letters(), .model = golden_model()};
    t->examples = make_examples(t->tokenizer, output);
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    if (position) snprintf(options.position, sizeof options.position, "%s", position);
    options.length = 8;
    snprintf(options.init, sizeof options.init, "random");
    if (sp_tuner_create(method, &options, t->model, &no_source, 1, &t->tuner) ||
        sp_soft_prompt_from(&t->tuner, t->tokenizer, " ", &t->prompt))
        fail_msg("%s", sp_error());
    t->head = three_labels(output, t->model);
    sp_options_default(sp_train_option_table, &t->options);
    t->options.lr = strcmp(method, "fine-tune") == 0 ? 3e-3 : 3e-2;
    t->options.batch = 6;
    t->options.steps = 300;
}

static void open_task(task *t, const char *method, sp_output output) {
    open_task_at(t, method, output, NULL);
}

static void close_task(task *t) {
    sp_soft_prompt_free(&t->prompt);
    sp_class_head_free(&t->head);
    sp_tuner_free(&t->tuner);
    sp_examples_free(&t->examples);
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

static sp_status train(task *t, sp_tune_result *result) {
    sp_tune_job job = {.tuner = &t->tuner,
                       .head = &t->head,
                       .template = &t->prompt.template,
                       .train = &t->examples,
                       .dev = &t->examples,
                       .options = &t->options,
                       .seed = 1,
                       .identity = "run"};
    sp_status st = sp_tune(&job, result);
    sp_soft_prompt_free(&t->prompt);
    return st ? st : sp_soft_prompt_from(&t->tuner, t->tokenizer, " ", &t->prompt);
}

static sp_status classify(task *t, int batch, int *labels, float *probabilities) {
    sp_classify_job job = {.model = t->model,
                           .head = &t->head,
                           .prompt = &t->prompt,
                           .examples = &t->examples,
                           .count = t->examples.count,
                           .batch = batch};
    return sp_classify(&job, labels, probabilities);
}

/* ---- learning ---- */

static double train_accuracy(const char *method, sp_output output, const char *position) {
    task t;
    sp_tune_result result;
    int labels[12], correct = 0;
    open_task_at(&t, method, output, position);
    if (train(&t, &result)) fail_msg("%s", sp_error());
    if (classify(&t, 5, labels, NULL)) fail_msg("%s", sp_error());
    for (int i = 0; i < 12; i++) correct += labels[i] == t.examples.records[i].label;
    double accuracy = 100.0 * correct / 12;
    if (accuracy != result.best.accuracy) /* what is left is the best state on dev */
        fail_msg("%s: accuracy %g, while training %g", method, accuracy, result.best.accuracy);
    close_task(&t);
    return accuracy;
}

static void assert_learns(const char *method, sp_output output) {
    double accuracy = train_accuracy(method, output, NULL);
    if (!(accuracy > 90)) fail_msg("%s: train accuracy %g", method, accuracy);
}

static void a_verbalizer_learns_with_a_prompt_and_with_fine_tuning(void **state) {
    (void)state;
    assert_learns("prompt", SP_OUTPUT_VERBALIZER);
    assert_learns("p-tuning-v2", SP_OUTPUT_VERBALIZER);
    assert_learns("fine-tune", SP_OUTPUT_VERBALIZER);
}

static void a_linear_head_learns_along_with_the_method_and_alone(void **state) {
    (void)state;
    assert_learns("prompt", SP_OUTPUT_LINEAR);
    assert_learns("p-tuning-v2", SP_OUTPUT_LINEAR);
    assert_learns("fine-tune", SP_OUTPUT_LINEAR);
    assert_learns("none", SP_OUTPUT_LINEAR);
}

static void an_infix_is_trained_and_labels_as_a_prefix_does(void **state) {
    (void)state;
    double prefix = train_accuracy("p-tuning-v2", SP_OUTPUT_LINEAR, "prefix");
    double infix = train_accuracy("p-tuning-v2", SP_OUTPUT_LINEAR, "infix");
    assert_true(prefix > 90 && infix > 90);
}

static void a_frozen_language_model_keeps_its_bytes_under_both_heads(void **state) {
    (void)state;
    sp_model *before = golden_model();
    for (sp_output output = SP_OUTPUT_VERBALIZER; output <= SP_OUTPUT_LINEAR; output++) {
        task t;
        sp_tune_result result;
        open_task(&t, "prompt", output);
        t.options.steps = 5;
        assert_int_equal(train(&t, &result), SP_OK);
        for (size_t i = 0; i < before->params.count; i++) {
            const sp_var *v = &before->params.items[i]->var;
            assert_memory_equal(v->data, t.model->params.items[i]->var.data,
                                (size_t)(v->rows * v->cols) * sizeof(float));
        }
        close_task(&t);
    }
    sp_model_free(before);
}

/* ---- labels ---- */

static void labels_and_probabilities_do_not_depend_on_the_batch(void **state) {
    (void)state;
    task t;
    int alone[12], together[12];
    float one[12 * LABELS], many[12 * LABELS];
    open_task(&t, "prompt", SP_OUTPUT_LINEAR);
    assert_int_equal(classify(&t, 1, alone, one), SP_OK);
    assert_int_equal(classify(&t, 7, together, many), SP_OK);
    assert_memory_equal(alone, together, sizeof alone);
    assert_near("probability", many, one, 12 * LABELS, 1e-6);
    for (int i = 0; i < 12; i++) {
        const float *p = one + LABELS * i;
        assert_float_equal(p[0] + p[1] + p[2], 1, 1e-5);
        assert_int_equal(sp_class_best(&t.head, p), alone[i]);
    }
    close_task(&t);
}

static void an_example_of_a_class_ends_with_its_input(void **state) {
    (void)state;
    task t;
    sp_packed batch = {0};
    sp_ints ids = {0};
    open_task(&t, "none", SP_OUTPUT_VERBALIZER);
    assert_int_equal(t.examples.pair_count, t.examples.count); /* references do not multiply */
    assert_int_equal(t.examples.longest, 5);                   /* three letters, separator, end */
    sp_packed_clear(&batch);
    sp_examples_pack(&t.examples, t.examples.pairs[1], &t.prompt.template, &ids, &batch);
    static const int expected[] = {LETTER_X, LETTER_B, LETTER_SPACE};
    assert_int_equal(sp_packed_tokens(&batch), 3);
    assert_memory_equal(batch.ids.data, expected, sizeof expected);
    assert_int_equal(sp_packed_scored(&batch), 1);
    sp_packed_free(&batch);
    sp_ints_free(&ids);
    close_task(&t);
}

static void an_input_beyond_the_context_is_refused(void **state) {
    (void)state;
    task t;
    int labels[12];
    open_task(&t, "prompt", SP_OUTPUT_VERBALIZER); /* 8 rows, context 64 */
    sp_ints *input = &t.examples.records[3].input;
    while (input->len < 56) sp_ints_push(input, LETTER_A);
    assert_int_equal(classify(&t, 4, labels, NULL), SP_OK);
    sp_ints_push(input, LETTER_A);
    assert_int_equal(classify(&t, 4, labels, NULL), SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "example 4 takes 65 tokens"));
    close_task(&t);
}

static void numbers_that_are_not_finite_are_refused(void **state) {
    (void)state;
    task t;
    sp_tune_result result;
    int labels[12];
    open_task(&t, "prompt", SP_OUTPUT_LINEAR);
    t.head.weight->data[0] = NAN;
    assert_int_equal(classify(&t, 4, labels, NULL), SP_ERR_NUMERIC);
    assert_int_equal(train(&t, &result), SP_ERR_NUMERIC);
    assert_non_null(strstr(sp_error(), "step 1: loss is"));
    close_task(&t);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_head_equals_that_of_transformers),
        cmocka_unit_test(a_verbalizer_equals_label_word_logits_in_pytorch),
        cmocka_unit_test(a_verbalizer_learns_with_a_prompt_and_with_fine_tuning),
        cmocka_unit_test(a_linear_head_learns_along_with_the_method_and_alone),
        cmocka_unit_test(an_infix_is_trained_and_labels_as_a_prefix_does),
        cmocka_unit_test(a_frozen_language_model_keeps_its_bytes_under_both_heads),
        cmocka_unit_test(labels_and_probabilities_do_not_depend_on_the_batch),
        cmocka_unit_test(an_example_of_a_class_ends_with_its_input),
        cmocka_unit_test(an_input_beyond_the_context_is_refused),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
