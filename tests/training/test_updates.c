/* Methods that attach to linear maps, from training to the run file and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "support/golden.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/predict.h"
#include "training/tune.h"

#include <stdio.h>

enum { END = 0, RECORDS = 4 };

static sp_examples encode_examples(const sp_tokenizer *tokenizer) {
    static const char *const texts[RECORDS][2] = {
        {"ab", "ba"}, {"bc", "cb"}, {"abc", "cba"}, {"cab", "bac"}};
    sp_split split = {0};
    sp_examples examples;
    for (int i = 0; i < RECORDS; i++) {
        sp_example *e = sp_split_add(&split);
        e->input = sp_strdup(texts[i][0]);
        e->category = sp_strdup("");
        e->group = sp_strdup("");
        sp_strings_push(&e->references, texts[i][1]);
    }
    assert_int_equal(sp_examples_encode(&split, SP_OUTPUT_TEXT, " ", tokenizer, END, &examples),
                     SP_OK);
    sp_split_free(&split);
    return examples;
}

static void train(sp_tuner *tuner, const sp_examples *examples) {
    sp_template template = {0};
    sp_train_options options;
    sp_tune_result result;
    sp_options_default(sp_train_option_table, &options);
    options.lr = 0.02;
    options.batch = 4;
    options.steps = 100;
    options.eval_every = 10;
    sp_tune_job job = {.tuner = tuner,
                       .template = &template,
                       .train = examples,
                       .dev = examples,
                       .options = &options,
                       .seed = 1,
                       .identity = "run"};
    assert_int_equal(sp_tune(&job, &result), SP_OK);
}

static sp_strings predict(sp_model *model, sp_soft_prompt *prompt, const sp_tokenizer *tokenizer,
                          const sp_examples *examples) {
    sp_decode_options options;
    sp_strings texts = {0};
    sp_options_default(sp_decode_option_table, &options);
    options.max_tokens = 8;
    options.beam = 2;
    assert_int_equal(
        sp_predict(model, prompt, tokenizer, &options, examples, RECORDS, 1, NULL, NULL, &texts),
        SP_OK);
    return texts;
}

static void assert_same_weights(const sp_model *a, const sp_model *b) {
    for (size_t i = 0; i < a->params.count; i++) {
        const sp_var *v = &a->params.items[i]->var;
        assert_memory_equal(v->data, b->params.items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
}

static void pass_through_file(const char *path, const sp_soft_prompt *prompt, const sp_model *model,
                              sp_model *fresh, sp_soft_prompt *out) {
    sp_h5 *file = NULL;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_h5_finish(file, sp_soft_prompt_write(prompt, model, file)), SP_OK);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    assert_int_equal(sp_soft_prompt_read(file, fresh, out), SP_OK);
    sp_h5_close(file);
}

static void check_method(const char *method) {
    static const sp_init_source no_source = {0};
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model(), *fresh = golden_model(), *plain = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_examples examples = encode_examples(tokenizer);
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    sp_tuner tuner;
    sp_soft_prompt prompt, again;
    assert_int_equal(sp_tuner_create(method, &options, model, &no_source, 1, &tuner), SP_OK);
    train(&tuner, &examples);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, " ", &prompt), SP_OK);
    sp_strings trained = predict(model, &prompt, tokenizer, &examples);
    assert_same_weights(model, plain);
    pass_through_file(path, &prompt, model, fresh, &again);
    sp_strings read = predict(fresh, &again, tokenizer, &examples);
    int right = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        assert_string_equal(trained.data[i], read.data[i]);
        right += strlen(trained.data[i]) <= 3 && strlen(trained.data[i]) >= 2;
    }
    assert_true(right > 0); /* it has learnt something: texts of two or three letters */
    sp_strings_free(&trained);
    sp_strings_free(&read);
    sp_soft_prompt_free(&prompt);
    sp_soft_prompt_free(&again);
    sp_tuner_free(&tuner);
    sp_examples_free(&examples);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    sp_model_free(fresh);
    sp_model_free(plain);
    free(path);
    remove_folder(folder);
}

static void a_run_file_predicts_what_training_did_and_prediction_leaves_the_model(void **state) {
    (void)state;
    check_method("lora");
    check_method("adalora");
    check_method("adapter");
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_file_predicts_what_training_did_and_prediction_leaves_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
