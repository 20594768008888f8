/* Tags of words: the head against transformers, words as tokens, labels of batches, and learning.
 */
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

enum { TAGS = 4, END = 0 };

static sp_class_head make_head(const sp_model *model) {
    static char *names[] = {"O", "B-a", "I-a", "B-b"};
    sp_label labels[TAGS] = {{0}};
    for (int i = 0; i < TAGS; i++) labels[i].name = names[i];
    sp_class_head head;
    if (sp_class_head_create(SP_OUTPUT_TOKEN_LINEAR, labels, TAGS, NULL, model, 1, &head))
        fail_msg("%s", sp_error());
    return head;
}

/* ---- parity ---- */

static void copy_golden(const sp_safetensors *file, const char *name, sp_var *out) {
    size_t count;
    float *values = golden_floats(file, name, &count);
    assert_int_equal(count, out->rows * out->cols);
    memcpy(out->data, values, count * sizeof(float));
    free(values);
}

/* How many gradients the file has; *largest receives their largest difference, if it is larger. */
static int assert_gradients(const sp_safetensors *file, const sp_params *params, double *largest) {
    int compared = 0;
    for (size_t i = 0; i < params->count; i++) {
        const sp_param *p = params->items[i];
        char *name = sp_format("gradient.%s", p->name);
        if (sp_safetensors_find(file, name)) {
            size_t count = (size_t)(p->var.rows * p->var.cols);
            assert_true(p->var.grad_ready);
            *largest = fmax(*largest, assert_golden(file, name, p->var.grad, count, 1e-4));
            compared++;
        }
        free(name);
    }
    return compared;
}

/* The golden batch, of which the tokens with a label are asked for; *labels receives these. */
static sp_packed pack_golden(const sp_safetensors *file, sp_ints *labels) {
    golden_batch b = golden_read_batch(0, 0);
    sp_ints all = golden_ints(file, "labels");
    sp_packed batch = {0};
    sp_packed_clear(&batch);
    for (int i = 0; i < b.sequences; i++) {
        int rows[GOLDEN_TOKENS], count = 0, first = b.offsets[i];
        for (int k = first; k < b.offsets[i + 1]; k++) {
            if (all.data[k] < 0) continue;
            rows[count++] = k - first;
            sp_ints_push(labels, all.data[k]);
        }
        sp_packed_add_whole(&batch, b.ids + first, (size_t)(b.offsets[i + 1] - first), rows,
                            (size_t)count);
    }
    sp_ints_free(&all);
    return batch;
}

static void check_parity(const char *folder) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, "tags");
    sp_class_head head = make_head(model);
    copy_golden(file, "weight", head.weight);
    copy_golden(file, "bias", head.bias);
    sp_params_train(&model->params, true);
    sp_ints labels = {0};
    sp_packed batch = pack_golden(file, &labels);
    sp_tape tape = {0};
    sp_objective objective = {.model = model, .head = &head};
    sp_context ctx = sp_packed_context(&batch, NULL);
    sp_var *hidden = sp_model_forward(&tape, model, batch.ids.data, &ctx);
    sp_var *logits = sp_class_logits(&tape, &head, model, hidden);
    assert_int_equal(logits->rows, labels.len);
    golden_difference d = {0};
    d.logits = assert_golden(file, "logits", logits->data, labels.len * TAGS, 2e-5);
    long correct;
    sp_var *loss = sp_objective_loss(&tape, &objective, hidden, &batch, labels.data, &correct);
    d.loss = assert_golden(file, "loss", loss->data, 1, 1e-5);
    sp_tape_backward(&tape, loss, 1.0f);
    assert_in_range(assert_gradients(file, &model->params, &d.gradient), 3, 4);
    assert_int_equal(assert_gradients(file, &head.params, &d.gradient), 2);
    golden_report(folder, "token-linear", "tags", d);
    sp_tape_free(&tape);
    sp_packed_free(&batch);
    sp_ints_free(&labels);
    sp_class_head_free(&head);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void a_head_on_words_equals_that_of_transformers(void **state) {
    (void)state;
    static const char *const folders[] = {
        GOLDEN_FOLDER,
        "tests/golden/bert-tiny",
        "tests/golden/roberta-tiny",
        "tests/golden/llama-tiny",
        "tests/golden/llama-tiny-bias",
        "tests/golden/qwen2-tiny",
        "tests/golden/mistral-tiny",
        "tests/golden/yarn-tiny",
    };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) check_parity(folders[i]);
}

/* ---- words as tokens ---- */

static sp_status encode(const char *input, const int *tags, size_t tag_count, sp_examples *out) {
    sp_tokenizer *tokenizer = letters();
    sp_split split = {0};
    sp_example *e = sp_split_add(&split);
    e->input = sp_strdup(input);
    sp_ints_append(&e->tags, tags, tag_count);
    sp_status st = sp_examples_encode(&split, SP_OUTPUT_TOKEN_LINEAR, "\n", tokenizer, END, out);
    sp_split_free(&split);
    sp_tokenizer_free(tokenizer);
    return st;
}

static void a_word_is_encoded_with_its_blank_and_its_first_token_stands_for_it(void **state) {
    (void)state;
    static const int ids[] = {LETTER_SPACE, LETTER_A, LETTER_B, LETTER_SPACE, LETTER_C};
    sp_examples e;
    assert_int_equal(encode("ab c", (const int[]){2, 1}, 2, &e), SP_OK);
    const sp_encoded_record *r = &e.records[0];
    assert_int_equal(r->input.len, 5);
    assert_memory_equal(r->input.data, ids, sizeof ids);
    assert_int_equal(r->words.len, 2);
    assert_int_equal(r->words.data[0], 0);
    assert_int_equal(r->words.data[1], 3);
    sp_ints labels = {0};
    sp_examples_labels(r, &labels);
    assert_int_equal(labels.len, 2);
    assert_int_equal(labels.data[0], 2);
    assert_int_equal(sp_examples_label_count(&e, 1), 2);
    sp_ints_free(&labels);
    sp_examples_free(&e);
}

static void words_behind_a_template_are_asked_for_at_their_places(void **state) {
    (void)state;
    sp_examples e;
    assert_int_equal(encode("ab c", (const int[]){2, 1}, 2, &e), SP_OK);
    int before[] = {-1, -2, -3}, after[] = {LETTER_X};
    sp_template template = {.before = {before, 3, 3}, .after = {after, 1, 1}};
    sp_ints ids = {0};
    sp_packed batch = {0};
    sp_packed_clear(&batch);
    sp_examples_pack(&e, (sp_pair){0, 0}, &template, &ids, &batch);
    sp_examples_pack(&e, (sp_pair){0, 0}, &template, &ids, &batch);
    static const int rows[] = {3, 6, 12, 15};
    assert_int_equal(batch.ids.len, 18);
    assert_int_equal(batch.wanted.len, 4);
    assert_memory_equal(batch.wanted.data, rows, sizeof rows);
    sp_packed_free(&batch);
    sp_ints_free(&ids);
    sp_examples_free(&e);
}

static void a_word_without_tokens_and_a_text_without_words_are_refused(void **state) {
    (void)state;
    sp_examples e;
    assert_int_equal(encode(" ", NULL, 0, &e), SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "example 1 has no words; remove it"));
}

/* ---- a task ---- */

/* The word before it decides a word's tag, as a decoder reads it: the first token of every word is
 * a blank. */
typedef struct task {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_examples examples;
    sp_tuner tuner;
    sp_class_head head;
    sp_soft_prompt prompt;
} task;

static sp_examples make_examples(const sp_tokenizer *tokenizer) {
    static const char *const inputs[] = {"x a a", "a x b", "b",     "a a a x",
                                         "b a a", "x x",   "a b x", "x b x a"};
    sp_split split = {0};
    sp_examples examples;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        sp_example *e = sp_split_add(&split);
        e->input = sp_strdup(inputs[i]);
        char before = 'x';
        for (const char *p = inputs[i]; *p; p++) {
            if (*p == ' ') continue;
            sp_ints_push(&e->tags, before == 'x' ? 0 : before == 'b' ? 3 : 1);
            before = *p;
        }
    }
    if (sp_examples_encode(&split, SP_OUTPUT_TOKEN_LINEAR, " ", tokenizer, END, &examples))
        fail_msg("%s", sp_error());
    sp_split_free(&split);
    return examples;
}

static void open_task(task *t, const char *method) {
    static const sp_init_source no_source = {0};
    *t = (task){.tokenizer = letters(), .model = golden_model()};
    t->examples = make_examples(t->tokenizer);
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = 8;
    snprintf(options.init, sizeof options.init, "random");
    if (sp_tuner_create(method, &options, t->model, &no_source, 1, &t->tuner) ||
        sp_soft_prompt_from(&t->tuner, t->tokenizer, " ", &t->prompt))
        fail_msg("%s", sp_error());
    t->head = make_head(t->model);
}

static void close_task(task *t) {
    sp_soft_prompt_free(&t->prompt);
    sp_class_head_free(&t->head);
    sp_tuner_free(&t->tuner);
    sp_examples_free(&t->examples);
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

static sp_status train(task *t, double lr, sp_tune_result *result) {
    sp_train_options options;
    sp_options_default(sp_train_option_table, &options);
    options.lr = lr, options.batch = 4, options.steps = 200;
    sp_tune_job job = {.tuner = &t->tuner,
                       .head = &t->head,
                       .template = &t->prompt.template,
                       .train = &t->examples,
                       .dev = &t->examples,
                       .options = &options,
                       .seed = 1,
                       .identity = "run"};
    sp_status st = sp_tune(&job, result);
    sp_soft_prompt_free(&t->prompt);
    return st ? st : sp_soft_prompt_from(&t->tuner, t->tokenizer, " ", &t->prompt);
}

static sp_status tag(task *t, int batch, int *tags, float *probabilities) {
    sp_classify_job job = {.model = t->model,
                           .head = &t->head,
                           .prompt = &t->prompt,
                           .examples = &t->examples,
                           .count = t->examples.count,
                           .batch = batch};
    return sp_classify(&job, tags, probabilities);
}

static void assert_learns(const char *method, double lr) {
    task t;
    sp_tune_result result;
    int tags[64], correct = 0, next = 0;
    open_task(&t, method);
    if (train(&t, lr, &result) || tag(&t, 3, tags, NULL)) fail_msg("%s", sp_error());
    for (size_t i = 0; i < t.examples.count; i++)
        for (size_t k = 0; k < t.examples.records[i].tags.len; k++)
            correct += tags[next++] == t.examples.records[i].tags.data[k];
    assert_int_equal(next, sp_examples_label_count(&t.examples, t.examples.count));
    double accuracy = 100.0 * correct / next;
    if (accuracy != result.best.accuracy) /* what is left is the best state on dev */
        fail_msg("%s: accuracy %g, while training %g", method, accuracy, result.best.accuracy);
    if (!(accuracy > 90)) fail_msg("%s: accuracy %g", method, accuracy);
    close_task(&t);
}

static void a_head_on_words_learns_along_with_the_method(void **state) {
    (void)state;
    assert_learns("fine-tune", 3e-3);
    assert_learns("p-tuning-v2", 3e-2);
    assert_learns("lora", 1e-2);
    assert_learns("prompt", 3e-2);
}

static void tags_do_not_depend_on_the_batch(void **state) {
    (void)state;
    task t;
    int one[64], many[64];
    float alone[64 * TAGS], together[64 * TAGS];
    open_task(&t, "p-tuning-v2");
    assert_int_equal(tag(&t, 1, one, alone), SP_OK);
    assert_int_equal(tag(&t, 5, many, together), SP_OK);
    size_t count = sp_examples_label_count(&t.examples, t.examples.count);
    assert_memory_equal(one, many, count * sizeof *one);
    assert_near("probability", alone, together, count * TAGS, 1e-6);
    close_task(&t);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_on_words_equals_that_of_transformers),
        cmocka_unit_test(a_word_is_encoded_with_its_blank_and_its_first_token_stands_for_it),
        cmocka_unit_test(words_behind_a_template_are_asked_for_at_their_places),
        cmocka_unit_test(a_word_without_tokens_and_a_text_without_words_are_refused),
        cmocka_unit_test(a_head_on_words_learns_along_with_the_method),
        cmocka_unit_test(tags_do_not_depend_on_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
