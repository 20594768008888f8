/* Every method against PEFT: what it injects, logits, loss and gradients; and what it trains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/decoding.h"
#include "support/feed.h"
#include "support/golden.h"
#include "support/letters.h"
#include "support/parity.h"
#include "tensor/gemm.h"
#include "tuning/init.h"
#include "tuning/kv_prefix.h"

#include <stdio.h>

enum { LAYERS = 2, WIDTH = 32, COLUMNS = 2 * LAYERS * WIDTH };

static void check_parity(const char *method, const sp_method_options *options, const char *golden,
                         const char *const rename[2]) {
    assert_parity(GOLDEN_FOLDER, method, options, golden, rename);
}

static void prefix_tuning_with_an_mlp_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("prefix");
    options.hidden = 16;
    check_parity("prefix", &options, "prefix-mlp", NULL);
    set_text(options.reparametrization, "mlp");
    check_parity("p-tuning-v2", &options, "prefix-mlp", NULL);
}

static void prefix_tuning_without_an_mlp_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("prefix");
    set_text(options.reparametrization, "none");
    check_parity("prefix", &options, "prefix-embedding", NULL);
}

static void p_tuning_v2_equals_prefix_tuning_without_an_mlp(void **state) {
    (void)state;
    sp_method_options options = options_of("p-tuning-v2");
    check_parity("p-tuning-v2", &options, "prefix-embedding", NULL);
}

static void prompt_tuning_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("prompt");
    check_parity("prompt", &options, "prompt",
                 (const char *const[]){"prompt_embeddings", "embedding.weight"});
}

static void p_tuning_with_an_lstm_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("p-tuning");
    options.hidden = 4;
    check_parity("p-tuning", &options, "p-tuning-lstm", NULL);
}

static void p_tuning_with_an_mlp_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("p-tuning");
    options.hidden = 16;
    set_text(options.encoder, "mlp");
    check_parity("p-tuning", &options, "p-tuning-mlp", NULL);
}

static void prefix_tuning_as_infix_equals_pytorch_with_a_mask(void **state) {
    (void)state;
    sp_method_options options = options_of("prefix");
    set_text(options.reparametrization, "none");
    set_text(options.position, "infix");
    check_parity("prefix", &options, "infix", NULL);
    check_parity("p-tuning-v2", &options, "infix", NULL);
}

static void the_adaption_prompt_equals_pytorch_and_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("adaption-prompt");
    options.layers = LAYERS;
    check_parity("adaption-prompt", &options, "adaption-prompt", NULL);
}

/* ---- what trains ---- */

static void fine_tuning_trains_every_weight_and_none_trains_nothing(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_tuner tuner;
    sp_param **params;
    sp_method_options options = options_of("fine-tune");
    create("fine-tune", &options, model, &tuner);
    assert_int_equal(sp_tuner_trainable(&tuner, &params), model->params.count);
    assert_int_equal(sp_params_trainable(&model->params), sp_model_size(model));
    free(params);
    sp_tuner_free(&tuner);
    options = options_of("none");
    create("none", &options, model, &tuner);
    assert_int_equal(sp_tuner_trainable(&tuner, &params), 0);
    assert_int_equal(sp_params_trainable(&model->params), 0);
    free(params);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    assert_null(injection.virtual_rows);
    assert_null(injection.prefix);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

/* Runs one pass with gradients and checks that the model neither got nor lost anything. */
static void check_frozen(const char *method) {
    sp_model *model = golden_model(), *fresh = golden_model();
    sp_params_train(&model->params, true); /* left over from another tuner */
    sp_method_options options = options_of(method);
    options.hidden = 8;
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    sp_param **params;
    assert_int_equal(sp_tuner_trainable(&tuner, &params), tuner.params.count);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    golden_batch b = batch_for(&injection);
    sp_context ctx = golden_context(&b, &injection);
    sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
    sp_tape_backward(&tape, sp_lm_loss(&tape, hidden, model->head, b.targets, NULL), 1.0f);
    for (size_t i = 0; i < tuner.params.count; i++) assert_true(params[i]->var.grad_ready);
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_var *v = &model->params.items[i]->var;
        assert_null(v->grad);
        assert_memory_equal(v->data, fresh->params.items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
    free(params);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_model_free(model);
    sp_model_free(fresh);
}

static void a_soft_prompt_leaves_the_frozen_model_without_gradients_and_unchanged(void **state) {
    (void)state;
    static const char *const names[] = {"prefix", "p-tuning-v2", "prompt", "p-tuning",
                                        "adaption-prompt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_frozen(names[i]);
}

static void check_layers(const char *method, int layers, const char *from, int first, int count) {
    sp_model *model = golden_model();
    sp_method_options options = options_of(method);
    options.layers = layers;
    set_text(options.layers_from, from);
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    for (int i = 0; i < LAYERS; i++) {
        bool used = i >= first && i < first + count;
        assert_int_equal(injection.prefix[i].key != NULL, used);
        assert_int_equal(injection.prefix[i].value != NULL, used);
        if (used) assert_int_equal(injection.prefix[i].key->rows, GOLDEN_VIRTUAL);
    }
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void the_prefix_is_in_the_top_or_bottom_layers_that_were_asked_for(void **state) {
    (void)state;
    static const char *const names[] = {"p-tuning-v2", "prefix"};
    for (int i = 0; i < 2; i++) {
        check_layers(names[i], 0, "top", 0, LAYERS);
        check_layers(names[i], 1, "top", 1, 1);
        check_layers(names[i], 1, "bottom", 0, 1);
        check_layers(names[i], LAYERS, "bottom", 0, LAYERS);
    }
    check_layers("adaption-prompt", 0, "", 1, 1); /* half of the layers */
    check_layers("adaption-prompt", 1, "", 1, 1);
}

static void only_used_layers_have_parameters(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = options_of("p-tuning-v2");
    sp_tuner tuner;
    options.layers = 1;
    create("p-tuning-v2", &options, model, &tuner);
    assert_int_equal(sp_params_trainable(&tuner.params), GOLDEN_VIRTUAL * 2 * WIDTH);
    sp_tuner_free(&tuner);
    options.hidden = 8;
    set_text(options.reparametrization, "mlp");
    create("p-tuning-v2", &options, model, &tuner);
    assert_int_equal(sp_params_find(&tuner.params, "transform.2.weight")->var.rows, 2 * WIDTH);
    sp_tuner_free(&tuner);
    options = options_of("adaption-prompt");
    create("adaption-prompt", &options, model, &tuner);
    assert_int_equal(sp_params_trainable(&tuner.params), GOLDEN_VIRTUAL * WIDTH + 1);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void a_fresh_adaption_prompt_changes_nothing_and_its_gate_has_a_gradient(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = options_of("adaption-prompt");
    sp_tuner tuner;
    create("adaption-prompt", &options, model, &tuner);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    golden_batch b = golden_read_batch(0, 0);
    sp_context steered = golden_context(&b, &injection), plain = golden_context(&b, NULL);
    sp_var *with = sp_model_forward(&tape, model, b.ids, &steered);
    sp_var *without = sp_model_forward(&tape, model, b.ids, &plain);
    assert_memory_equal(with->data, without->data, GOLDEN_TOKENS * WIDTH * sizeof(float));
    sp_tape_backward(&tape, sp_lm_loss(&tape, with, model->head, b.targets, NULL), 1.0f);
    assert_true(sp_params_find(&tuner.params, "1.adaption_gate")->var.grad[0] != 0);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void an_unfrozen_method_trains_the_model_along(void **state) {
    (void)state;
    static const char *const names[] = {"p-tuning", "prompt", "prefix", "p-tuning-v2"};
    sp_model *model = golden_model();
    for (int i = 0; i < 4; i++) {
        sp_method_options options = options_of(names[i]);
        options.hidden = 8;
        options.frozen = false;
        sp_tuner tuner;
        sp_param **params;
        create(names[i], &options, model, &tuner);
        assert_int_equal(sp_tuner_trainable(&tuner, &params),
                         tuner.params.count + model->params.count);
        assert_int_equal(sp_params_trainable(&model->params), sp_model_size(model));
        free(params);
        sp_tuner_free(&tuner);
    }
    sp_model_free(model);
}

/* The logits of a sequence of 8 fed to a cache, the first 5 as the input; and of one pass. */
static void check_cached(const sp_tuner *tuner) {
    enum { INPUT = 5, TOTAL = 8, VOCABULARY = 97 };
    static const int ids[TOTAL] = {7, 21, 90, 4, 33, 62, 11, 50};
    sp_tape tape = {.inference = true};
    sp_steering s;
    sp_tuner_inject(tuner, &tape, &s);
    int positions[TOTAL], from = INPUT - 1;
    for (int i = 0; i < TOTAL; i++) positions[i] = s.infix && i < from ? i : s.first_position + i;
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, TOTAL},
                      .positions = positions,
                      .steering = &s,
                      .prefix_from = s.infix ? &from : NULL};
    sp_var *hidden = sp_model_forward(&tape, tuner->model, ids, &ctx);
    const float *whole = sp_model_logits(&tape, tuner->model, hidden, TOTAL)->data;
    sp_decoder d;
    sp_decoder_init(&d, tuner->model, &s, 1, TOTAL);
    for (int done = 0; done < TOTAL;) {
        int count = done ? 1 : INPUT;
        const float *logits = feed(&d, 1, (int[]){0}, &count, ids + done);
        done += count;
        assert_near("logits", logits, whole + (done - 1) * VOCABULARY, VOCABULARY, 2e-5);
    }
    sp_decoder_free(&d);
    sp_tape_free(&tape);
}

static void cached_passes_of_an_infix_and_of_gates_equal_one_pass(void **state) {
    (void)state;
    sp_model *model = golden_model();
    for (int shift = 0; shift < 2; shift++) {
        sp_method_options options = options_of("p-tuning-v2");
        set_text(options.position, "infix");
        options.shift_positions = shift;
        sp_tuner tuner;
        create("p-tuning-v2", &options, model, &tuner);
        check_cached(&tuner);
        sp_tuner_free(&tuner);
    }
    sp_method_options options = options_of("adaption-prompt");
    sp_tuner tuner;
    create("adaption-prompt", &options, model, &tuner);
    sp_params_find(&tuner.params, "1.adaption_gate")->var.data[0] = 0.8f;
    check_cached(&tuner);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void length_0_injects_nothing(void **state) {
    (void)state;
    sp_model *model = golden_model();
    static const char *const names[] = {"prefix", "p-tuning-v2", "prompt", "p-tuning",
                                        "adaption-prompt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sp_method_options options = options_of(names[i]);
        options.length = 0;
        sp_tuner tuner;
        create(names[i], &options, model, &tuner);
        sp_tape tape = {0};
        sp_steering injection;
        sp_tuner_inject(&tuner, &tape, &injection);
        assert_null(injection.virtual_rows);
        assert_null(injection.prefix);
        sp_tape_free(&tape);
        sp_tuner_free(&tuner);
    }
    sp_model_free(model);
}

static void the_same_seed_gives_the_same_start_and_another_seed_another(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = options_of("p-tuning");
    sp_tuner a, b, c;
    assert_int_equal(sp_tuner_create("p-tuning", &options, model, &no_source, 1, &a), SP_OK);
    assert_int_equal(sp_tuner_create("p-tuning", &options, model, &no_source, 1, &b), SP_OK);
    assert_int_equal(sp_tuner_create("p-tuning", &options, model, &no_source, 2, &c), SP_OK);
    for (size_t i = 0; i < a.params.count; i++) {
        const sp_var *v = &a.params.items[i]->var;
        size_t bytes = (size_t)(v->rows * v->cols) * sizeof(float);
        assert_memory_equal(v->data, b.params.items[i]->var.data, bytes);
        assert_memory_not_equal(v->data, c.params.items[i]->var.data, bytes);
    }
    sp_tuner_free(&a);
    sp_tuner_free(&b);
    sp_tuner_free(&c);
    sp_model_free(model);
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_tuner tuner;
    sp_method_options options = options_of("p-tuning-v2");
    assert_int_equal(sp_tuner_create("lora7", &options, model, &no_source, 1, &tuner), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "lora7"));
    static const char *const names[] = {"p-tuning-v2", "prefix", "adaption-prompt"};
    for (int i = 0; i < 3; i++) {
        options = options_of(names[i]);
        options.layers = LAYERS + 1;
        assert_int_equal(sp_tuner_create(names[i], &options, model, &no_source, 1, &tuner),
                         SP_ERR_SPEC);
        assert_non_null(strstr(sp_error(), "layers is 3, but the model has 2"));
    }
    options = options_of("prompt");
    set_text(options.init, "activations");
    assert_int_equal(sp_tuner_create("prompt", &options, model, &no_source, 1, &tuner),
                     SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "activations"));
    set_text(options.init, "vocab");
    assert_int_equal(sp_tuner_create("prompt", &options, model, &no_source, 1, &tuner),
                     SP_ERR_SPEC);
    sp_model_free(model);
}

/* ---- initialisations ---- */

enum { FREQUENT = 4, MANY = 400 };
static const int frequent[FREQUENT] = {17, 3, 88, 42};

/* Rows [MANY, WIDTH] by the strategy `init`. */
static sp_var initialised_rows(sp_model *model, const char *init, int top) {
    sp_method_options options = options_of("prompt");
    set_text(options.init, init);
    options.init_top = top;
    sp_init_source source = {.frequent = frequent, .frequent_count = FREQUENT};
    sp_rng rng = sp_rng_make(1, "init");
    sp_var rows = sp_leaf(MANY, WIDTH);
    sp_init_args args = {model, &source, &options, &rng};
    assert_int_equal(sp_init_rows(&args, &rows), SP_OK);
    return rows;
}

static void random_rows_are_uniform_between_minus_and_plus_a_half(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_var rows = initialised_rows(model, "random", 1);
    double sum = 0, squares = 0;
    for (long i = 0; i < MANY * WIDTH; i++) {
        assert_true(fabsf(rows.data[i]) <= 0.5f);
        sum += rows.data[i];
        squares += (double)rows.data[i] * rows.data[i];
    }
    assert_true(fabs(sum / (MANY * WIDTH)) < 0.01);
    assert_true(fabs(squares / (MANY * WIDTH) - 1.0 / 12) < 0.003);
    sp_leaf_free(&rows);
    sp_model_free(model);
}

static void normal_rows_have_the_deviation_of_the_model(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_var rows = initialised_rows(model, "normal", 1);
    double squares = 0;
    for (long i = 0; i < MANY * WIDTH; i++) squares += (double)rows.data[i] * rows.data[i];
    double deviation = sqrt(squares / (MANY * WIDTH));
    assert_true(fabs(deviation / model->config.initializer_range - 1) < 0.03);
    sp_leaf_free(&rows);
    sp_model_free(model);
}

static void zero_rows_are_zero(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_var rows = initialised_rows(model, "zero", 1);
    for (long i = 0; i < MANY * WIDTH; i++) assert_true(rows.data[i] == 0);
    sp_leaf_free(&rows);
    sp_model_free(model);
}

static void vocabulary_rows_are_embeddings_of_the_most_frequent_tokens(void **state) {
    (void)state;
    sp_model *model = golden_model();
    enum { TOP = 3 };
    int drawn[FREQUENT] = {0};
    sp_var rows = initialised_rows(model, "vocab", TOP);
    for (long r = 0; r < MANY; r++)
        for (int k = 0; k < FREQUENT; k++)
            drawn[k] += !memcmp(rows.data + r * rows.ld,
                                model->embedding->data + frequent[k] * model->embedding->ld,
                                WIDTH * sizeof(float));
    for (int k = 0; k < TOP; k++) assert_in_range(drawn[k], MANY / 4, MANY / 2);
    assert_int_equal(drawn[0] + drawn[1] + drawn[2], MANY);
    assert_int_equal(drawn[3], 0);
    sp_leaf_free(&rows);
    sp_model_free(model);
}

static void text_rows_are_the_embeddings_of_the_words_in_order_and_again(void **state) {
    (void)state;
    static const int ids[4] = {LETTER_A, LETTER_B, LETTER_SPACE, LETTER_C};
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_init_source source = {.tokenizer = tokenizer};
    sp_method_options options = options_of("prompt");
    options.length = 7;
    set_text(options.init, "text");
    set_text(options.init_text, "ab c");
    sp_tuner tuner;
    assert_int_equal(sp_tuner_create("prompt", &options, model, &source, 1, &tuner), SP_OK);
    const sp_var *rows = &tuner.params.items[0]->var;
    for (int r = 0; r < 7; r++)
        assert_memory_equal(rows->data + r * rows->ld,
                            model->embedding->data + ids[r % 4] * model->embedding->ld,
                            WIDTH * sizeof(float));
    sp_tuner_free(&tuner);
    set_text(options.init_text, "");
    assert_int_equal(sp_tuner_create("prompt", &options, model, &source, 1, &tuner), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "init_text"));
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

/* Row r of the prompt is the mean embedding of these tokens. */
static void assert_mean_row(const sp_tuner *tuner, long r, const int *ids, int count) {
    const sp_var *rows = &tuner->params.items[0]->var, *table = tuner->model->embedding;
    for (int c = 0; c < WIDTH; c++) {
        double mean = 0;
        for (int i = 0; i < count; i++) mean += (double)table->data[ids[i] * table->ld + c] / count;
        assert_true(fabs((double)rows->data[r * rows->ld + c] - mean) < 1e-6);
    }
}

static sp_status create_from_labels(const char *method, int length, const sp_ints *labels,
                                    size_t count, sp_model *model, sp_tuner *out) {
    sp_init_source source = {
        .frequent = frequent, .frequent_count = 1, .label_tokens = labels, .label_count = count};
    sp_method_options options = options_of(method);
    options.length = length;
    set_text(options.reparametrization, "none");
    set_text(options.init, "class-label");
    return sp_tuner_create(method, &options, model, &source, 1, out);
}

static void class_label_rows_are_mean_embeddings_of_the_labels_then_vocabulary(void **state) {
    (void)state;
    static int first[] = {5, 9, 60}, second[] = {71};
    const sp_ints labels[] = {{.data = first, .len = 3}, {.data = second, .len = 1}};
    sp_model *model = golden_model();
    sp_tuner tuner;
    assert_int_equal(create_from_labels("prompt", 4, labels, 2, model, &tuner), SP_OK);
    assert_mean_row(&tuner, 0, first, 3);
    assert_mean_row(&tuner, 1, second, 1);
    assert_mean_row(&tuner, 2, frequent, 1);
    assert_mean_row(&tuner, 3, frequent, 1);
    sp_tuner_free(&tuner);
    assert_int_equal(create_from_labels("prompt", 1, labels, 2, model, &tuner), SP_OK);
    assert_mean_row(&tuner, 0, first, 3);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

/* Keys and values of a row depend on the tokens up to it: equal starts give equal rows. */
static void a_class_label_prefix_has_the_activations_of_the_label_words(void **state) {
    (void)state;
    static int first[] = {LETTER_A, LETTER_B}, second[] = {LETTER_SPACE, LETTER_C};
    const sp_ints labels[] = {{.data = first, .len = 2}, {.data = second, .len = 2}};
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_init_source source = {.tokenizer = tokenizer};
    sp_method_options options = options_of("p-tuning-v2");
    options.length = 4;
    set_text(options.init, "activations");
    set_text(options.init_text, "ab c");
    sp_tuner expected, got;
    assert_int_equal(sp_tuner_create("p-tuning-v2", &options, model, &source, 1, &expected), SP_OK);
    assert_int_equal(create_from_labels("p-tuning-v2", 6, labels, 2, model, &got), SP_OK);
    assert_near("prefix", got.params.items[0]->var.data, expected.params.items[0]->var.data,
                4 * COLUMNS, 1e-5);
    sp_tuner_free(&expected);
    sp_tuner_free(&got);
    options.layers = 1;
    assert_int_equal(sp_tuner_create("p-tuning-v2", &options, model, &source, 1, &expected), SP_OK);
    assert_int_equal(create_from_labels("p-tuning-v2", 4, labels, 2, model, &got), SP_OK);
    for (int r = 0; r < 4; r++) /* the top layer alone has that layer's columns */
        assert_near("top", expected.params.items[0]->var.data + r * 2 * WIDTH,
                    got.params.items[0]->var.data + r * COLUMNS + 2 * WIDTH, 2 * WIDTH, 1e-5);
    sp_tuner_free(&expected);
    sp_tuner_free(&got);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static void class_label_without_labels_or_words_is_refused(void **state) {
    (void)state;
    static int word[] = {5};
    const sp_ints labels[] = {{.data = word, .len = 1}, {0}};
    static const char *const names[] = {"prompt", "p-tuning", "prefix", "p-tuning-v2"};
    sp_model *model = golden_model();
    sp_tuner tuner;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(create_from_labels(names[i], 4, NULL, 0, model, &tuner), SP_ERR_SPEC);
        assert_non_null(strstr(sp_error(), "the data set has no labels"));
        assert_int_equal(create_from_labels(names[i], 4, labels, 2, model, &tuner), SP_ERR_SPEC);
        assert_non_null(strstr(sp_error(), "label 2 has no word"));
    }
    sp_model_free(model);
}

/* The untrained prefix of `method` against keys and values of "ab c". */
static void check_activations(const char *method, const char *reparametrization) {
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_init_source source = {.tokenizer = tokenizer};
    sp_method_options options = options_of(method);
    options.length = 4;
    options.hidden = 8;
    set_text(options.reparametrization, reparametrization);
    set_text(options.init, "activations");
    set_text(options.init_text, "ab c");
    sp_tuner tuner;
    assert_int_equal(sp_tuner_create(method, &options, model, &source, 1, &tuner), SP_OK);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    float *prefix = joined_prefix(injection.prefix, 4);

    sp_steering plain = {0};
    sp_decoder d;
    sp_decoder_init(&d, model, &plain, 1, 4);
    feed(&d, 1, (int[]){0}, (int[]){4}, (int[]){LETTER_A, LETTER_B, LETTER_SPACE, LETTER_C});
    for (int layer = 0; layer < LAYERS; layer++)
        for (int r = 0; r < 4; r++) {
            const float *got = prefix + r * COLUMNS + 2 * layer * WIDTH;
            assert_near("key", got, d.cache.key + (layer * 4 + r) * WIDTH, WIDTH, 1e-6);
            assert_near("value", got + WIDTH, d.cache.value + (layer * 4 + r) * WIDTH, WIDTH, 1e-6);
        }
    sp_decoder_free(&d);
    free(prefix);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static void a_prefix_from_activations_starts_as_the_keys_and_values_of_the_words(void **state) {
    (void)state;
    check_activations("prefix", "none");
    check_activations("prefix", "mlp");
    check_activations("p-tuning-v2", "none");
}

static void a_prefix_of_words_longer_than_the_context_is_refused(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_init_source source = {.frequent = frequent, .frequent_count = FREQUENT};
    sp_method_options options = options_of("prefix");
    set_text(options.init, "vocab");
    options.length = 65;
    sp_tuner tuner;
    assert_int_equal(sp_tuner_create("prefix", &options, model, &source, 1, &tuner), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "64"));
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_tuning_with_an_mlp_equals_peft),
        cmocka_unit_test(prefix_tuning_without_an_mlp_equals_peft),
        cmocka_unit_test(p_tuning_v2_equals_prefix_tuning_without_an_mlp),
        cmocka_unit_test(prompt_tuning_equals_peft),
        cmocka_unit_test(p_tuning_with_an_lstm_equals_peft),
        cmocka_unit_test(p_tuning_with_an_mlp_equals_peft),
        cmocka_unit_test(prefix_tuning_as_infix_equals_pytorch_with_a_mask),
        cmocka_unit_test(the_adaption_prompt_equals_pytorch_and_peft),
        cmocka_unit_test(fine_tuning_trains_every_weight_and_none_trains_nothing),
        cmocka_unit_test(a_soft_prompt_leaves_the_frozen_model_without_gradients_and_unchanged),
        cmocka_unit_test(the_prefix_is_in_the_top_or_bottom_layers_that_were_asked_for),
        cmocka_unit_test(only_used_layers_have_parameters),
        cmocka_unit_test(a_fresh_adaption_prompt_changes_nothing_and_its_gate_has_a_gradient),
        cmocka_unit_test(an_unfrozen_method_trains_the_model_along),
        cmocka_unit_test(cached_passes_of_an_infix_and_of_gates_equal_one_pass),
        cmocka_unit_test(length_0_injects_nothing),
        cmocka_unit_test(the_same_seed_gives_the_same_start_and_another_seed_another),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(random_rows_are_uniform_between_minus_and_plus_a_half),
        cmocka_unit_test(normal_rows_have_the_deviation_of_the_model),
        cmocka_unit_test(zero_rows_are_zero),
        cmocka_unit_test(vocabulary_rows_are_embeddings_of_the_most_frequent_tokens),
        cmocka_unit_test(text_rows_are_the_embeddings_of_the_words_in_order_and_again),
        cmocka_unit_test(class_label_rows_are_mean_embeddings_of_the_labels_then_vocabulary),
        cmocka_unit_test(a_class_label_prefix_has_the_activations_of_the_label_words),
        cmocka_unit_test(class_label_without_labels_or_words_is_refused),
        cmocka_unit_test(a_prefix_from_activations_starts_as_the_keys_and_values_of_the_words),
        cmocka_unit_test(a_prefix_of_words_longer_than_the_context_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
