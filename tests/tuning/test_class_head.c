/* Class heads: label words, their sums, and what a run file keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "support/golden.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "tuning/class_head.h"

#include <math.h>

typedef struct setup {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_label labels[3];
} setup;

/* Labels named "one", "two", ..., with words separated by '|' each. */
static setup open_setup(const char *const words[], size_t count) {
    static const char *const names[] = {"one", "two", "three"};
    setup s = {.tokenizer = letters(), .model = golden_model()};
    for (size_t i = 0; i < count; i++) {
        s.labels[i].name = sp_strdup(names[i]);
        char *copy = sp_strdup(words[i]), *rest = copy;
        for (char *word; *words[i] && (word = strsep(&rest, "|"));)
            sp_strings_push(&s.labels[i].words, word);
        free(copy);
    }
    return s;
}

static void close_setup(setup *s) {
    for (int i = 0; i < 3; i++) {
        free(s->labels[i].name);
        sp_strings_free(&s->labels[i].words);
    }
    sp_tokenizer_free(s->tokenizer);
    sp_model_free(s->model);
}

static sp_status create(const setup *s, sp_output output, size_t count, sp_class_head *out) {
    return sp_class_head_create(output, s->labels, count, s->tokenizer, s->model, 1, out);
}

static void refuse(const char *const words[2], const char *message) {
    setup s = open_setup(words, 2);
    sp_class_head head;
    assert_int_equal(create(&s, SP_OUTPUT_VERBALIZER, 2, &head), SP_ERR_SPEC);
    if (!strstr(sp_error(), message)) fail_msg("'%s' is not in '%s'", message, sp_error());
    assert_int_equal(create(&s, SP_OUTPUT_LINEAR, 2, &head), SP_OK); /* which needs no words */
    sp_class_head_free(&head);
    close_setup(&s);
}

static void a_label_word_must_be_one_token_that_no_other_word_is(void **state) {
    (void)state;
    refuse((const char *const[]){"a", "bc"}, "label 'two': its word 'bc' has 2 tokens ('b' 'c')");
    refuse((const char *const[]){"a", "bc"},
           "use another word, a separator that ends in a letter or colon");
    refuse((const char *const[]){"a", "b|a"}, "'a' is also one of label 'one'");
    refuse((const char *const[]){"a|a", "b"}, "'a' is also one of label 'one'");
    refuse((const char *const[]){"a", "Z"}, "its word 'Z' has 0 tokens (none)");
    refuse((const char *const[]){"a", ""}, "label 'two' has no word");
}

static void a_classifier_needs_two_labels(void **state) {
    (void)state;
    setup s = open_setup((const char *const[]){"a"}, 1);
    sp_class_head head;
    assert_int_equal(create(&s, SP_OUTPUT_VERBALIZER, 1, &head), SP_ERR_DATA);
    assert_int_equal(create(&s, SP_OUTPUT_LINEAR, 0, &head), SP_ERR_DATA);
    close_setup(&s);
}

/* Class logits of the golden batch, owned by the caller. */
static float *class_logits(const sp_model *model, const sp_class_head *head) {
    golden_batch b = golden_read_batch(0, 0);
    sp_tape tape = {.inference = true};
    sp_context ctx = golden_context(&b, NULL);
    int last[3] = {b.offsets[1] - 1, b.offsets[2] - 1, b.offsets[3] - 1};
    ctx.wanted = last;
    ctx.wanted_count = 3;
    sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
    sp_var *logits = sp_class_logits(&tape, head, model, hidden);
    assert_int_equal(logits->rows, 3);
    assert_int_equal(logits->cols, head->labels.len);
    size_t count = (size_t)(logits->rows * logits->cols);
    float *copy = memcpy(sp_alloc_floats(count), logits->data, count * sizeof(float));
    sp_tape_free(&tape);
    return copy;
}

static void a_label_of_several_words_has_their_summed_probability(void **state) {
    (void)state;
    setup s = open_setup((const char *const[]){"a|x", "b", "c"}, 3);
    setup alone = open_setup((const char *const[]){"a", "b", "x"}, 3);
    sp_class_head head, single;
    assert_int_equal(create(&s, SP_OUTPUT_VERBALIZER, 3, &head), SP_OK);
    assert_int_equal(create(&alone, SP_OUTPUT_VERBALIZER, 3, &single), SP_OK);
    float *together = class_logits(s.model, &head), *apart = class_logits(alone.model, &single);
    for (int r = 0; r < 3; r++) {
        const float *x = together + 3 * r, *y = apart + 3 * r;
        assert_float_equal(expf(x[0]), expf(y[0]) + expf(y[2]), 1e-5);
        assert_float_equal(x[1], y[1], 1e-6);
    }
    free(together);
    free(apart);
    sp_class_head_free(&head);
    sp_class_head_free(&single);
    close_setup(&s);
    close_setup(&alone);
}

static void the_best_label_is_the_first_of_the_largest_logits(void **state) {
    (void)state;
    setup s = open_setup((const char *const[]){"a", "b", "c"}, 3);
    sp_class_head head;
    assert_int_equal(create(&s, SP_OUTPUT_VERBALIZER, 3, &head), SP_OK);
    assert_int_equal(sp_class_best(&head, (float[]){-3, -1, -2}), 1);
    assert_int_equal(sp_class_best(&head, (float[]){1, 2, 2}), 1);
    sp_class_head_free(&head);
    close_setup(&s);
}

static void a_linear_head_starts_as_torchs_linear_and_depends_on_the_seed(void **state) {
    (void)state;
    setup s = open_setup((const char *const[]){"a", "b", "c"}, 3);
    sp_class_head head, other;
    assert_int_equal(create(&s, SP_OUTPUT_LINEAR, 3, &head), SP_OK);
    assert_int_equal(
        sp_class_head_create(SP_OUTPUT_LINEAR, s.labels, 3, s.tokenizer, s.model, 2, &other),
        SP_OK);
    assert_string_equal(head.params.items[0]->name, "score.weight");
    assert_string_equal(head.params.items[1]->name, "score.bias");
    assert_int_equal(sp_params_trainable(&head.params), 3 * 32 + 3);
    double largest = largest_magnitude(head.weight->data, 96), bound = 1 / sqrt(32.0);
    assert_true(largest <= bound && largest > 0.9 * bound);
    assert_memory_not_equal(head.weight->data, other.weight->data, 96 * sizeof(float));
    sp_class_head_free(&head);
    sp_class_head_free(&other);
    close_setup(&s);
}

/* ---- files ---- */

static void check_round_trip(sp_output output) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    setup s = open_setup((const char *const[]){"a|x", "b", "c"}, 3);
    sp_class_head head, again;
    sp_h5 *file;
    assert_int_equal(create(&s, output, 3, &head), SP_OK);
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_h5_finish(file, sp_class_head_write(&head, file)), SP_OK);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    assert_int_equal(sp_class_head_read(file, s.model, &again), SP_OK);
    sp_h5_close(file);
    assert_int_equal(again.output, output);
    assert_int_equal(again.labels.len, 3);
    assert_string_equal(again.labels.data[2], "three");
    float *x = class_logits(s.model, &head), *y = class_logits(s.model, &again);
    assert_memory_equal(x, y, 9 * sizeof(float));
    free(x);
    free(y);
    sp_class_head_free(&head);
    sp_class_head_free(&again);
    close_setup(&s);
    free(path);
    remove_folder(folder);
}

static void a_head_that_was_written_and_read_gives_the_same_logits(void **state) {
    (void)state;
    check_round_trip(SP_OUTPUT_VERBALIZER);
    check_round_trip(SP_OUTPUT_LINEAR);
}

/* Writes /prompt/score with these numbers and reads it. */
static sp_status read_written(const char *output, const int64_t *words, const int64_t *label_of,
                              size_t count, size_t width) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model();
    const char *labels[] = {"one", "two"};
    float weight[128] = {0};
    sp_h5 *file;
    sp_class_head head;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    sp_status st = sp_h5_set_text(file, "/prompt/score", "output", output);
    if (!st) st = sp_h5_write_texts(file, "/prompt/score/labels", labels, 2);
    if (!st) st = sp_h5_write_ints(file, "/prompt/score/words", 1, &count, words);
    if (!st) st = sp_h5_write_ints(file, "/prompt/score/label_of", 1, &count, label_of);
    if (!st) st = sp_h5_write_floats(file, "/prompt/score/weight", 1, &width, weight);
    if (!st) st = sp_h5_write_floats(file, "/prompt/score/bias", 1, (size_t[]){2}, weight);
    assert_int_equal(sp_h5_finish(file, st), SP_OK);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    st = sp_class_head_read(file, model, &head);
    if (st) assert_non_null(strstr(sp_error(), "run.h5: /prompt/score"));
    sp_h5_close(file);
    sp_class_head_free(&head);
    sp_model_free(model);
    free(path);
    remove_folder(folder);
    return st;
}

static void a_head_that_does_not_fit_is_refused(void **state) {
    (void)state;
    static const int64_t words[] = {1, 2, 96}, far[] = {1, 2, 97}, negative[] = {-1, 2, 3};
    static const int64_t labels[] = {0, 1, 1}, back[] = {0, 1, 0}, less[] = {0, 0, 0};
    static const int64_t more[] = {0, 1, 2};
    assert_int_equal(read_written("verbalizer", words, labels, 3, 64), SP_OK);
    assert_int_equal(read_written("verbalizer", far, labels, 3, 64), SP_ERR_FORMAT);
    assert_int_equal(read_written("verbalizer", negative, labels, 3, 64), SP_ERR_FORMAT);
    assert_int_equal(read_written("verbalizer", words, back, 3, 64), SP_ERR_FORMAT);
    assert_int_equal(read_written("verbalizer", words, less, 3, 64), SP_ERR_FORMAT);
    assert_int_equal(read_written("verbalizer", words, more, 3, 64), SP_ERR_FORMAT);
    assert_int_equal(read_written("linear", words, labels, 3, 64), SP_OK);
    assert_int_equal(read_written("linear", words, labels, 3, 63), SP_ERR_FORMAT);
    assert_int_equal(read_written("text", words, labels, 3, 64), SP_ERR_FORMAT);
}

static void a_file_without_a_head_gives_text(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model();
    sp_class_head head;
    sp_h5 *file;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_class_head_read(file, model, &head), SP_OK);
    assert_int_equal(head.output, SP_OUTPUT_TEXT);
    sp_h5_close(file);
    sp_model_free(model);
    free(path);
    remove_folder(folder);
}

/* Three rows of two tasks: loss and gradient as of a softmax over the labels of the row's task. */
static void a_masked_row_knows_the_labels_of_its_task_only(void **state) {
    (void)state;
    static const bool allowed[2][3] = {{true, true, false}, {false, true, true}};
    static const int task[] = {0, 1, 0}, label[] = {0, 2, 1};
    static const float values[3][3] = {
        {0.5f, -1.0f, 40.0f}, {30.0f, 0.25f, 2.0f}, {1.5f, 1.0f, 9.0f}};
    sp_tape tape = {0};
    sp_class_head head = {.labels = {.len = 3}};
    sp_var logits = sp_leaf(3, 3);
    memcpy(logits.data, values, sizeof values);
    sp_leaf_train(&logits, true);
    sp_var *masked = sp_class_mask(&tape, &logits, &allowed[0][0], task);
    assert_ptr_equal(sp_class_mask(&tape, &logits, NULL, task), &logits);
    sp_var *loss = sp_cross_entropy(&tape, masked, label);
    sp_tape_backward(&tape, loss, 1.0f);
    double expected = 0;
    for (int r = 0; r < 3; r++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) sum += allowed[task[r]][c] ? exp((double)values[r][c]) : 0;
        expected += (log(sum) - (double)values[r][label[r]]) / 3;
        for (int c = 0; c < 3; c++) {
            double p = allowed[task[r]][c] ? exp((double)values[r][c]) / sum : 0;
            double gradient = (p - (c == label[r])) / 3;
            assert_true(fabs((double)logits.grad[3 * r + c] - gradient) < 1e-6);
        }
    }
    assert_true(fabs((double)loss->data[0] - expected) < 1e-6);
    assert_int_equal(sp_class_best(&head, masked->data), 0);
    assert_int_equal(sp_class_best(&head, masked->data + masked->ld), 2);
    sp_leaf_free(&logits);
    sp_tape_free(&tape);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_word_must_be_one_token_that_no_other_word_is),
        cmocka_unit_test(a_classifier_needs_two_labels),
        cmocka_unit_test(a_label_of_several_words_has_their_summed_probability),
        cmocka_unit_test(the_best_label_is_the_first_of_the_largest_logits),
        cmocka_unit_test(a_linear_head_starts_as_torchs_linear_and_depends_on_the_seed),
        cmocka_unit_test(a_head_that_was_written_and_read_gives_the_same_logits),
        cmocka_unit_test(a_head_that_does_not_fit_is_refused),
        cmocka_unit_test(a_file_without_a_head_gives_text),
        cmocka_unit_test(a_masked_row_knows_the_labels_of_its_task_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
