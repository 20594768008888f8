/* What is left of a method after training steers the model exactly as the method itself did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "support/letters.h"
#include "support/steered.h"
#include "tensor/gemm.h"
#include "tuning/soft_prompt.h"

#include <stdio.h>

enum { VOCABULARY = 97 };

static sp_method_options options_of(const char *method, int length) {
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = length;
    options.hidden = 8;
    snprintf(options.init, sizeof options.init, "random");
    return options;
}

static void create_with(const char *method, const sp_method_options *options, sp_model *model,
                        sp_tuner *out) {
    static const sp_init_source no_source = {0};
    if (sp_tuner_create(method, options, model, &no_source, 3, out)) fail_msg("%s", sp_error());
}

static void create(const char *method, int length, sp_model *model, sp_tuner *out) {
    sp_method_options options = options_of(method, length);
    create_with(method, &options, model, out);
}

static void assert_same_logits(float *a, float *b) {
    assert_memory_equal(a, b, GOLDEN_TOKENS * VOCABULARY * sizeof(float));
    free(a);
    free(b);
}

static void assert_same_ids(const sp_ints *a, const sp_ints *b) {
    assert_int_equal(a->len, b->len);
    for (size_t i = 0; i < a->len; i++) assert_int_equal(a->data[i], b->data[i]);
}

static void write_prompt(const char *path, const sp_soft_prompt *prompt, const sp_model *model) {
    sp_h5 *file = NULL;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_soft_prompt_write(prompt, model, file), SP_OK);
    assert_int_equal(sp_h5_commit(file), SP_OK);
}

static sp_status read_prompt(const char *path, sp_model *model, sp_soft_prompt *out) {
    sp_h5 *file = NULL;
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    sp_status st = sp_soft_prompt_read(file, model, out);
    sp_h5_close(file);
    return st;
}

static void check_options(const char *method, const sp_method_options *options) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model(), *fresh = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_tuner tuner;
    sp_soft_prompt prompt, again;
    create_with(method, options, model, &tuner);
    if (model->embedding->needs_grad) model->embedding->data[40] = 0.5f;
    sp_param *gate = sp_params_find(&tuner.params, "1.adaption_gate");
    if (gate) gate->var.data[0] = -0.7f;
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, " =\n", &prompt), SP_OK);
    assert_same_logits(logits_of_prompt(model, &prompt), logits_of_tuner(&tuner));
    write_prompt(path, &prompt, model);
    if (read_prompt(path, fresh, &again)) fail_msg("%s", sp_error());
    assert_same_logits(logits_of_prompt(fresh, &again), logits_of_tuner(&tuner));
    assert_same_ids(&again.template.before, &prompt.template.before);
    assert_same_ids(&again.template.after, &prompt.template.after);
    assert_int_equal(again.first_position, prompt.first_position);
    assert_int_equal(again.infix, prompt.infix);
    assert_int_equal(sp_soft_prompt_size(&again, fresh) + sp_params_trainable(&model->params),
                     sp_soft_prompt_size(&prompt, model));
    assert_string_equal(again.separator, " =\n");
    sp_soft_prompt_free(&prompt);
    sp_soft_prompt_free(&again);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    sp_model_free(fresh);
    free(path);
    remove_folder(folder);
}

static void check_method(const char *method, int length) {
    sp_method_options options = options_of(method, length);
    check_options(method, &options);
}

static void a_written_prompt_steers_a_fresh_model_to_the_same_bits(void **state) {
    (void)state;
    static const char *const names[] = {"none",     "prefix",    "p-tuning-v2",    "prompt",
                                        "p-tuning", "fine-tune", "adaption-prompt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_method(names[i], 5);
        check_method(names[i], 0);
    }
    sp_method_options options = options_of("p-tuning-v2", 4);
    options.layers = 1;
    check_options("p-tuning-v2", &options);
    snprintf(options.position, SP_OPTION_TEXT, "infix");
    check_options("p-tuning-v2", &options);
    options = options_of("p-tuning", 4);
    options.frozen = false;
    check_options("p-tuning", &options);
}

static void the_size_of_a_gated_prefix_counts_its_gates(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_tuner tuner;
    sp_soft_prompt prompt;
    create("adaption-prompt", 3, model, &tuner);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_OK);
    assert_int_equal(sp_soft_prompt_size(&prompt, model), 2 * 3 * 32 + 1);
    sp_soft_prompt_free(&prompt);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static void a_template_puts_the_prompt_around_the_input(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_tuner tuner;
    sp_soft_prompt prompt;
    create("p-tuning", 3, model, &tuner);
    snprintf(tuner.options.template, SP_OPTION_TEXT, "P x P a");
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_OK);
    sp_ints input = {0}, got = {0};
    sp_ints_append(&input, (int[]){LETTER_B, LETTER_C}, 2);
    sp_template_apply(&prompt.template, &input, &got);
    static const int expected[] = {-1, -2, LETTER_B, LETTER_C, -3, LETTER_SPACE, LETTER_A};
    assert_int_equal(got.len, 7);
    assert_memory_equal(got.data, expected, sizeof expected);
    assert_int_equal(prompt.first_position, 0);
    sp_ints_free(&input);
    sp_ints_free(&got);
    sp_soft_prompt_free(&prompt);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static void a_template_that_cannot_be_parsed_leaves_nothing_to_free(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_tuner tuner;
    sp_soft_prompt prompt;
    create("p-tuning", 3, model, &tuner);
    snprintf(tuner.options.template, SP_OPTION_TEXT, "P x x");
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_ERR_SPEC);
    assert_null(prompt.separator);
    assert_null(prompt.virtual_rows.data);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

/* A model of other sizes than the golden one. */
static sp_model *other_model(int embedding, int layers, int vocabulary) {
    sp_config config;
    sp_model *model = NULL;
    assert_int_equal(sp_config_read(GOLDEN_FOLDER "/config.json", &config), SP_OK);
    config.n_embd = embedding;
    config.n_layer = layers;
    config.vocab_size = vocabulary;
    assert_int_equal(sp_model_new(&config, &model), SP_OK);
    return model;
}

static void check_refused(const char *path, sp_model *other, const char *place) {
    sp_soft_prompt prompt;
    assert_int_equal(read_prompt(path, other, &prompt), SP_ERR_FORMAT);
    if (!strstr(sp_error(), path) || !strstr(sp_error(), place)) fail_msg("%s", sp_error());
    sp_model_free(other);
}

static void a_prompt_of_another_model_is_refused(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    static const char *const names[] = {"p-tuning-v2", "prompt", "fine-tune"};
    static const char *const places[] = {"key", "embeddings", "transformer"};
    for (int i = 0; i < 3; i++) {
        sp_tuner tuner;
        sp_soft_prompt prompt;
        create(names[i], 4, model, &tuner);
        assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_OK);
        write_prompt(path, &prompt, model);
        check_refused(path, other_model(16, 2, VOCABULARY), places[i]);
        if (i == 0) check_refused(path, other_model(32, 1, VOCABULARY), "layers");
        sp_soft_prompt_free(&prompt);
        sp_tuner_free(&tuner);
    }
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    free(path);
    remove_folder(folder);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_prompt_steers_a_fresh_model_to_the_same_bits),
        cmocka_unit_test(the_size_of_a_gated_prefix_counts_its_gates),
        cmocka_unit_test(a_template_puts_the_prompt_around_the_input),
        cmocka_unit_test(a_template_that_cannot_be_parsed_leaves_nothing_to_free),
        cmocka_unit_test(a_prompt_of_another_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
