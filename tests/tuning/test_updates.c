/* Methods that train weights of the model or attach to its linear maps: fine-tuning of the top,
 * BitFit, LoRA, AdaLoRA, adapters; against PEFT and PyTorch, and through the run file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "support/folder.h"
#include "support/letters.h"
#include "support/steered.h"
#include "tensor/gemm.h"
#include "tuning/soft_prompt.h"

#include <stdio.h>

enum { WIDTH = 32, VOCABULARY = 97, MODEL_SIZE = 30624 };

static sp_method_options options_of(const char *method) {
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    return options;
}

static sp_status try_create(const char *method, const sp_method_options *options, sp_model *model,
                            sp_tuner *out) {
    static const sp_init_source no_source = {0};
    return sp_tuner_create(method, options, model, &no_source, 1, out);
}

static void create(const char *method, const sp_method_options *options, sp_model *model,
                   sp_tuner *out) {
    if (try_create(method, options, model, out)) fail_msg("%s", sp_error());
}

/* The options of the golden vectors. */
static sp_method_options golden_options(const char *method) {
    sp_method_options options = options_of(method);
    options.rank = 3;
    options.init_r = 4;
    options.target_r = 2;
    options.size = 6;
    snprintf(options.targets, SP_OPTION_TEXT, "c_attn, *.mlp.c_fc");
    return options;
}

/* Gives the tuner the golden parameters. */
static void load_parameters(sp_tuner *tuner, const sp_safetensors *file) {
    for (size_t i = 0; i < tuner->params.count; i++) {
        sp_param *p = tuner->params.items[i];
        char *name = sp_format("parameter.%s", p->name);
        if (sp_safetensors_read(file, name, p->rank, p->dims, p->var.data))
            fail_msg("%s", sp_error());
        free(name);
    }
}

/* ---- against PEFT and PyTorch ---- */

/* Data loss and the method's own term; back-propagated. */
static float backward(sp_tuner *tuner, sp_tape *t, const golden_batch *b, sp_var **logits) {
    sp_steering steering;
    sp_tuner_inject(tuner, t, &steering);
    sp_context ctx = golden_context(b, &steering);
    sp_var *hidden = sp_model_forward(t, tuner->model, b->ids, &ctx);
    *logits = golden_logits(t, tuner->model, b, hidden);
    sp_var *loss = sp_lm_loss(t, hidden, tuner->model->head, b->targets, NULL);
    sp_var *penalty = sp_tuner_penalty(tuner, t);
    if (penalty) loss = sp_add(t, loss, penalty);
    sp_tape_backward(t, loss, 1.0f);
    return loss->data[0];
}

static golden_difference assert_golden_tuner(sp_tuner *tuner, const sp_safetensors *file) {
    golden_batch b = golden_read_batch(0, 0);
    golden_difference d = {0};
    sp_tape tape = {0};
    sp_var *logits;
    float loss = backward(tuner, &tape, &b, &logits);
    float *expected = golden_floats(file, "logits", NULL);
    d.logits = assert_near("logits", logits->data, expected, GOLDEN_TOKENS * VOCABULARY, 2e-5);
    free(expected);
    expected = golden_floats(file, "loss", NULL);
    d.loss = assert_near("loss", &loss, expected, 1, 1e-5);
    free(expected);
    sp_tape_free(&tape);
    return d;
}

static void check_parity(const char *method) {
    sp_model *model = golden_model();
    sp_safetensors *file = golden_open(method);
    sp_method_options options = golden_options(method);
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    load_parameters(&tuner, file);
    golden_difference d = assert_golden_tuner(&tuner, file);
    d.gradient = assert_golden_gradients(&tuner.params, file, NULL);
    golden_report(GOLDEN_FOLDER, method, method, d);
    for (size_t i = 0; i < model->params.count; i++) assert_null(model->params.items[i]->var.grad);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void lora_equals_peft(void **state) {
    (void)state;
    check_parity("lora");
}

static void adalora_equals_peft_with_its_penalty(void **state) {
    (void)state;
    check_parity("adalora");
}

static void an_adapter_equals_pytorch(void **state) {
    (void)state;
    check_parity("adapter");
}

/* What a method trains of the model gets the gradients of fine-tuning, and nothing else gets any.
 */
static long check_part_of_fine_tuning(const char *method, int layers) {
    sp_model *model = golden_model();
    sp_safetensors *file = golden_open("finetune");
    sp_method_options options = options_of(method);
    if (layers) options.layers = layers;
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    golden_difference d = assert_golden_tuner(&tuner, file);
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_param *p = model->params.items[i];
        char *name = sp_format("gradient.%s", p->name);
        size_t count = (size_t)(p->var.rows * p->var.cols);
        if (p->var.needs_grad)
            d.gradient = fmax(d.gradient, assert_golden(file, name, p->var.grad, count, 1e-4));
        else
            assert_null(p->var.grad);
        free(name);
    }
    golden_report(GOLDEN_FOLDER, method, "finetune", d);
    long trained = sp_params_trainable(&model->params);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
    return trained;
}

static void fine_tuning_of_the_top_trains_its_blocks_and_the_last_norm(void **state) {
    (void)state;
    const long block = 12 * WIDTH * WIDTH + 13 * WIDTH;
    assert_int_equal(check_part_of_fine_tuning("ft-top", 1), block + 2 * WIDTH);
    assert_int_equal(check_part_of_fine_tuning("ft-top", 0), 2 * block + 2 * WIDTH);
}

static void bitfit_trains_every_bias_and_nothing_else(void **state) {
    (void)state;
    assert_int_equal(check_part_of_fine_tuning("bitfit", 0), 2 * 11 * WIDTH + WIDTH);
}

/* ---- AdaLoRA's budget ---- */

static void descend(sp_params *params, float rate) {
    for (size_t i = 0; i < params->count; i++) {
        sp_var *v = &params->items[i]->var;
        for (long k = 0; k < v->rows * v->cols; k++) v->data[k] -= rate * v->grad[k];
    }
}

static void assert_ranks(const sp_tuner *tuner, const sp_safetensors *file, int step) {
    char *name = sp_format("ranks.%d", step);
    float *expected = golden_floats(file, name, NULL);
    for (size_t i = 0; i < tuner->params.count / 3; i++) {
        const sp_var *e = &tuner->params.items[3 * i + 1]->var;
        int rank = 0;
        for (long k = 0; k < e->rows; k++) rank += e->data[k] != 0;
        if (rank != (int)expected[i])
            fail_msg("step %d, matrix %zu: rank %d, PEFT has %g", step, i, rank,
                     (double)expected[i]);
    }
    free(expected);
    free(name);
}

static void adalora_allocates_ranks_as_peft_step_by_step(void **state) {
    (void)state;
    enum { STEPS = 10 };
    sp_model *model = golden_model();
    sp_safetensors *start = golden_open("adalora"), *steps = golden_open("adalora-steps");
    sp_method_options options = golden_options("adalora");
    options.tinit = 0.2;
    options.tfinal = 0.3;
    options.delta_t = 2;
    sp_tuner tuner;
    create("adalora", &options, model, &tuner);
    load_parameters(&tuner, start);
    golden_batch b = golden_read_batch(0, 0);
    sp_tape tape = {0};
    for (int step = 1; step <= STEPS; step++) {
        sp_var *logits;
        for (size_t i = 0; i < tuner.params.count; i++)
            tuner.params.items[i]->var.grad_ready = false;
        backward(&tuner, &tape, &b, &logits);
        sp_tape_reset(&tape);
        descend(&tuner.params, 0.05f);
        sp_tuner_after_step(&tuner, step, STEPS);
        assert_ranks(&tuner, steps, step);
    }
    for (size_t i = 0; i < tuner.params.count; i++) {
        const sp_param *p = tuner.params.items[i];
        char *name = sp_format("parameter.%s", p->name);
        assert_golden(steps, name, p->var.data, (size_t)(p->var.rows * p->var.cols), 1e-4);
        free(name);
    }
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_safetensors_close(start);
    sp_safetensors_close(steps);
    sp_model_free(model);
}

static void set_singular_values(sp_tuner *tuner, float value) {
    for (size_t i = 1; i < tuner->params.count; i += 3) {
        sp_var *e = &tuner->params.items[i]->var;
        for (long k = 0; k < e->rows; k++) e->data[k] = value;
    }
}

static long total_rank(const sp_tuner *tuner) {
    long rank = 0;
    for (size_t i = 1; i < tuner->params.count; i += 3) {
        const sp_var *e = &tuner->params.items[i]->var;
        for (long k = 0; k < e->rows; k++) rank += e->data[k] != 0;
    }
    return rank;
}

/* A training of two steps is final after the first one, before any importance was measured. */
static void adalora_meets_its_budget_where_all_are_equally_important(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = golden_options("adalora");
    sp_tuner tuner;
    create("adalora", &options, model, &tuner);
    set_singular_values(&tuner, 1);
    sp_tuner_after_step(&tuner, 1, 2);
    assert_int_equal(total_rank(&tuner), options.target_r * (int)(tuner.params.count / 3));
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void adalora_refuses_smoothing_that_leaves_no_importance(void **state) {
    (void)state;
    static const char *const names[] = {"importance_beta1", "importance_beta2"};
    const sp_option *table = sp_method_find("adalora")->options;
    sp_method_options options = options_of("adalora");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sp_options_set(table, &options, names[i], "0"), SP_ERR_SPEC);
        assert_int_equal(sp_options_set(table, &options, names[i], "1"), SP_ERR_SPEC);
        assert_int_equal(sp_options_set(table, &options, names[i], "0.5"), SP_OK);
    }
}

/* ---- where training starts ---- */

static double largest_difference(const float *a, const float *b) {
    double largest = 0;
    for (int i = 0; i < GOLDEN_TOKENS * VOCABULARY; i++)
        largest = fmax(largest, fabs((double)a[i] - (double)b[i]));
    return largest;
}

/* How far the untrained method moves the model's logits. */
static double distance_at_start(const char *method) {
    sp_model *model = golden_model();
    sp_method_options options = options_of(method);
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    float *plain = steered_logits(model, NULL), *steered = logits_of_tuner(&tuner);
    double distance = largest_difference(plain, steered);
    free(plain);
    free(steered);
    sp_tuner_free(&tuner);
    sp_model_free(model);
    return distance;
}

static void updates_start_at_the_model_itself_and_adapters_near_it(void **state) {
    (void)state;
    assert_true(distance_at_start("lora") == 0);
    assert_true(distance_at_start("adalora") == 0);
    double adapters = distance_at_start("adapter");
    assert_true(adapters > 0 && adapters < 0.1);
}

static void lora_starts_with_a_kaiming_uniform_and_b_zero(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = options_of("lora");
    sp_tuner tuner;
    create("lora", &options, model, &tuner);
    assert_int_equal(tuner.params.count, 4);
    assert_string_equal(tuner.params.items[0]->name, "transformer.h.0.attn.c_attn.lora_A.weight");
    assert_string_equal(tuner.params.items[3]->name, "transformer.h.1.attn.c_attn.lora_B.weight");
    const sp_var *a = &tuner.params.items[0]->var, *b = &tuner.params.items[1]->var;
    double bound = 1 / sqrt(WIDTH), largest = largest_magnitude(a->data, 8 * WIDTH);
    assert_true(largest <= bound && largest > 0.95 * bound);
    assert_true(largest_magnitude(b->data, (size_t)(b->rows * b->cols)) == 0);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

/* Parameters of the adapters that may take `count` parameters. */
static long adapters_for(double count) {
    sp_model *model = golden_model();
    assert_int_equal(sp_model_size(model), MODEL_SIZE);
    sp_method_options options = options_of("adapter");
    options.share = 100 * count / MODEL_SIZE;
    sp_tuner tuner;
    create("adapter", &options, model, &tuner);
    long parameters = sp_params_trainable(&tuner.params);
    sp_tuner_free(&tuner);
    sp_model_free(model);
    return parameters;
}

static void the_share_of_an_adapter_sets_the_largest_size_that_fits_but_at_least_1(void **state) {
    (void)state;
    const long size_1 = 4 * (2 * WIDTH + 1 + WIDTH), size_2 = 4 * (4 * WIDTH + 2 + WIDTH);
    assert_int_equal(adapters_for(size_2 + 1), size_2);
    assert_int_equal(adapters_for(size_2 - 1), size_1);
    assert_int_equal(adapters_for(0.51 * (double)size_1), size_1);
}

/* ---- after training ---- */

/* Random values, as if trained; of AdaLoRA some singular values are pruned. */
static void pretend_training(sp_tuner *tuner) {
    sp_rng rng = sp_rng_make(9, "trained");
    sp_param **params;
    size_t count = sp_tuner_trainable(tuner, &params);
    for (size_t i = 0; i < count; i++) {
        sp_var *v = &params[i]->var;
        for (long k = 0; k < v->rows * v->cols; k++) v->data[k] += 0.1f * sp_rng_normal(&rng);
        if (strstr(params[i]->name, "lora_E")) v->data[0] = v->data[2] = 0;
    }
    sp_param *pruned = sp_params_find(&tuner->params, "transformer.h.1.attn.c_attn.lora_E");
    if (pruned) memset(pruned->var.data, 0, (size_t)pruned->var.rows * sizeof(float));
    free(params);
}

static void write_and_read(const char *path, const sp_soft_prompt *prompt, const sp_model *model,
                           sp_model *fresh, sp_soft_prompt *out) {
    sp_h5 *file = NULL;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    if (sp_h5_finish(file, sp_soft_prompt_write(prompt, model, file))) fail_msg("%s", sp_error());
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    if (sp_soft_prompt_read(file, fresh, out)) fail_msg("%s", sp_error());
    sp_h5_close(file);
}

static void check_round_trip(const char *method, long kept) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model(), *fresh = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_method_options options = golden_options(method);
    if (strcmp(method, "ft-top") == 0) options.layers = 1;
    sp_tuner tuner;
    sp_soft_prompt prompt, again;
    create(method, &options, model, &tuner);
    pretend_training(&tuner);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "\n", &prompt), SP_OK);
    assert_int_equal(sp_soft_prompt_size(&prompt, model), kept);
    write_and_read(path, &prompt, model, fresh, &again);
    float *trained = logits_of_tuner(&tuner), *kept_logits = logits_of_prompt(model, &prompt);
    float *read = logits_of_prompt(fresh, &again);
    double tolerance = 1e-4 * largest_magnitude(trained, GOLDEN_TOKENS * VOCABULARY);
    assert_true(largest_difference(trained, kept_logits) <= tolerance);
    assert_true(largest_difference(trained, read) <= tolerance);
    free(trained);
    free(kept_logits);
    free(read);
    sp_soft_prompt_free(&prompt);
    sp_soft_prompt_free(&again);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    sp_model_free(fresh);
    free(path);
    remove_folder(folder);
}

static void what_a_method_leaves_steers_a_fresh_model_to_the_same_logits(void **state) {
    (void)state;
    const long lora = 2 * 3 * (WIDTH + 3 * WIDTH) + 2 * 3 * (WIDTH + 4 * WIDTH);
    /* of four singular values two are pruned, in the second c_attn all */
    const long adalora = 2 * (WIDTH + 3 * WIDTH) + 2 * 2 * (WIDTH + 4 * WIDTH);
    check_round_trip("lora", lora);
    check_round_trip("adalora", adalora);
    check_round_trip("adapter", 4 * (2 * 6 * WIDTH + 6 + WIDTH));
    check_round_trip("bitfit", 2 * 11 * WIDTH + WIDTH);
    check_round_trip("ft-top", 12 * WIDTH * WIDTH + 15 * WIDTH);
}

static void merged_equals_unmerged_and_the_model_comes_back_to_the_bit(void **state) {
    (void)state;
    static const char *const names[] = {"lora", "adalora"};
    for (size_t i = 0; i < 2; i++) {
        sp_model *model = golden_model(), *fresh = golden_model();
        sp_tokenizer *tokenizer = letters();
        sp_method_options options = golden_options(names[i]);
        sp_tuner tuner;
        sp_soft_prompt prompt;
        create(names[i], &options, model, &tuner);
        pretend_training(&tuner);
        assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "\n", &prompt), SP_OK);
        float *plain = steered_logits(model, NULL), *unmerged = logits_of_prompt(model, &prompt);
        sp_soft_prompt_merge(&prompt, model);
        assert_null(sp_soft_prompt_steering(&prompt).low_rank);
        float *merged = logits_of_prompt(model, &prompt);
        double largest = largest_magnitude(unmerged, GOLDEN_TOKENS * VOCABULARY);
        assert_true(largest_difference(merged, unmerged) <= 1e-4 * largest);
        assert_true(largest_difference(plain, unmerged) > 1e-2 * largest);
        sp_soft_prompt_unmerge(&prompt, model);
        assert_non_null(sp_soft_prompt_steering(&prompt).low_rank);
        for (size_t k = 0; k < model->params.count; k++) {
            const sp_var *v = &model->params.items[k]->var;
            assert_memory_equal(v->data, fresh->params.items[k]->var.data,
                                (size_t)(v->rows * v->cols) * sizeof(float));
        }
        free(plain);
        free(unmerged);
        free(merged);
        sp_soft_prompt_free(&prompt);
        sp_tuner_free(&tuner);
        sp_tokenizer_free(tokenizer);
        sp_model_free(model);
        sp_model_free(fresh);
    }
}

/* ---- files that do not fit ---- */

typedef sp_status (*spoil)(sp_h5 *file);

static sp_status unknown_projection(sp_h5 *file) {
    return sp_h5_set_real(file, "/prompt/low_rank/transformer.h.7.attn.c_attn", "scale", 1);
}

static sp_status wrong_width(sp_h5 *file) {
    float values[2 * WIDTH] = {0};
    return sp_h5_write_floats(file, "/prompt/low_rank/transformer.h.0.attn.c_attn/B", 2,
                              (size_t[]){WIDTH, 2}, values);
}

static sp_status wrong_rank(sp_h5 *file) {
    float value = 0;
    return sp_h5_write_floats(file, "/prompt/low_rank/transformer.h.0.attn.c_attn/A", 0, NULL,
                              &value);
}

static sp_status half_an_adapter(sp_h5 *file) {
    float values[WIDTH] = {0};
    return sp_h5_write_floats(file, "/prompt/bottleneck/transformer.h.0.mlp.c_proj/down.weight", 2,
                              (size_t[]){1, WIDTH}, values);
}

static void check_refused(spoil change, const char *word) {
    char *folder = make_folder(), *path = sp_path_join(folder, "run.h5");
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = letters();
    sp_method_options options = options_of("lora");
    sp_tuner tuner;
    sp_soft_prompt prompt, again;
    create("lora", &options, model, &tuner);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "\n", &prompt), SP_OK);
    sp_h5 *file = NULL;
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_soft_prompt_write(&prompt, model, file), SP_OK);
    assert_int_equal(sp_h5_finish(file, change(file)), SP_OK);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    assert_int_equal(sp_soft_prompt_read(file, model, &again), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), word));
    sp_h5_close(file);
    sp_soft_prompt_free(&prompt);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    free(path);
    remove_folder(folder);
}

static void updates_that_do_not_fit_the_model_are_refused(void **state) {
    (void)state;
    check_refused(unknown_projection, "transformer.h.7.attn.c_attn does not fit");
    check_refused(wrong_width, "c_attn/B does not fit");
    check_refused(wrong_rank, "c_attn/A does not fit");
    check_refused(half_an_adapter, "down.bias");
}

/* ---- impossible options ---- */

static void expect_refusal(const char *method, const sp_method_options *options, const char *word) {
    sp_model *model = golden_model();
    sp_tuner tuner;
    assert_int_equal(try_create(method, options, model, &tuner), SP_ERR_SPEC);
    if (!strstr(sp_error(), word)) fail_msg("'%s' lacks '%s'", sp_error(), word);
    assert_null(strchr(sp_error(), '\n'));
    sp_model_free(model);
}

static void impossible_options_are_refused_in_one_line(void **state) {
    (void)state;
    sp_method_options options = options_of("lora");
    snprintf(options.targets, SP_OPTION_TEXT, "c_attn,q_proj");
    expect_refusal("lora", &options, "'q_proj'");
    expect_refusal("adalora", &options, "transformer.h.0.attn.c_attn, transformer.h.0.attn.c_proj");
    snprintf(options.targets, SP_OPTION_TEXT, "%s", "");
    expect_refusal("lora", &options, "''");
    options = options_of("adalora");
    options.target_r = 13;
    expect_refusal("adalora", &options, "target_r is 13, but init_r is 12");
    options = options_of("adalora");
    options.tinit = 0.7;
    expect_refusal("adalora", &options, "tinit 0.7 and tfinal 0.3");
    options = options_of("ft-top");
    options.layers = 3;
    expect_refusal("ft-top", &options, "layers is 3, but the model has 2");
    options = options_of("adapter");
    options.share = 0.1;
    expect_refusal("adapter", &options, "size 1 take 1.27 %");
}

static void blanks_around_the_commas_of_targets_do_not_count(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_method_options options = options_of("lora");
    snprintf(options.targets, SP_OPTION_TEXT, " c_attn , *.c_fc ");
    sp_tuner tuner;
    create("lora", &options, model, &tuner);
    assert_int_equal(tuner.params.count, 8);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void a_rank_of_zero_is_refused(void **state) {
    (void)state;
    sp_method_options options;
    assert_int_equal(sp_options_set(sp_method_find("lora")->options, &options, "rank", "0"),
                     SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "rank"));
    assert_int_equal(sp_options_set(sp_method_find("adalora")->options, &options, "target_r", "0"),
                     SP_ERR_SPEC);
    assert_int_equal(sp_options_set(sp_method_find("adapter")->options, &options, "size", "0"),
                     SP_ERR_SPEC);
    assert_int_equal(sp_options_set(sp_method_find("ft-top")->options, &options, "layers", "0"),
                     SP_ERR_SPEC);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lora_equals_peft),
        cmocka_unit_test(adalora_equals_peft_with_its_penalty),
        cmocka_unit_test(an_adapter_equals_pytorch),
        cmocka_unit_test(fine_tuning_of_the_top_trains_its_blocks_and_the_last_norm),
        cmocka_unit_test(bitfit_trains_every_bias_and_nothing_else),
        cmocka_unit_test(adalora_allocates_ranks_as_peft_step_by_step),
        cmocka_unit_test(updates_start_at_the_model_itself_and_adapters_near_it),
        cmocka_unit_test(lora_starts_with_a_kaiming_uniform_and_b_zero),
        cmocka_unit_test(the_share_of_an_adapter_sets_the_largest_size_that_fits_but_at_least_1),
        cmocka_unit_test(what_a_method_leaves_steers_a_fresh_model_to_the_same_logits),
        cmocka_unit_test(merged_equals_unmerged_and_the_model_comes_back_to_the_bit),
        cmocka_unit_test(updates_that_do_not_fit_the_model_are_refused),
        cmocka_unit_test(impossible_options_are_refused_in_one_line),
        cmocka_unit_test(adalora_meets_its_budget_where_all_are_equally_important),
        cmocka_unit_test(adalora_refuses_smoothing_that_leaves_no_importance),
        cmocka_unit_test(blanks_around_the_commas_of_targets_do_not_count),
        cmocka_unit_test(a_rank_of_zero_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
