/* Methods on Llama's type, whose keys and values are narrower than its hidden states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "support/letters.h"
#include "support/parity.h"
#include "support/steered.h"
#include "tensor/gemm.h"
#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

enum { VOCABULARY = 97 };

/* The first without biases, the second with. */
static const char *const folders[] = {"tests/golden/llama-tiny",  "tests/golden/llama-tiny-bias",
                                      "tests/golden/qwen2-tiny",  "tests/golden/mistral-tiny",
                                      "tests/golden/llama3-tiny", "tests/golden/linear-tiny",
                                      "tests/golden/yarn-tiny",   NULL};
/* P-tuning v2 is prefix-tuning with other defaults. */
static const char *const prefixes[] = {"prefix", "p-tuning-v2"};

static void prefix_tuning_with_an_mlp_equals_peft(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        sp_method_options options = options_of(prefixes[i]);
        options.hidden = 16;
        set_text(options.reparametrization, "mlp");
        for (const char *const *folder = folders; *folder; folder++)
            assert_parity(*folder, prefixes[i], &options, "prefix-mlp", NULL);
    }
}

static void prefix_tuning_without_an_mlp_equals_peft(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        sp_method_options options = options_of(prefixes[i]);
        set_text(options.reparametrization, "none");
        for (const char *const *folder = folders; *folder; folder++)
            assert_parity(*folder, prefixes[i], &options, "prefix-embedding", NULL);
    }
}

static void prompt_tuning_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("prompt");
    for (const char *const *folder = folders; *folder; folder++)
        assert_parity(*folder, "prompt", &options, "prompt",
                      (const char *const[]){"prompt_embeddings", "embedding.weight"});
}

static void lora_updates_the_maps_of_peft_and_equals_it(void **state) {
    (void)state;
    sp_method_options options = options_of("lora");
    options.rank = 3;
    for (const char *const *folder = folders; *folder; folder++)
        assert_parity(*folder, "lora", &options, "lora", NULL);
}

static void the_adaption_prompt_equals_peft_and_pytorch(void **state) {
    (void)state;
    sp_method_options options = options_of("adaption-prompt");
    options.layers = GOLDEN_LAYERS;
    for (const char *const *folder = folders; *folder; folder++)
        assert_parity(*folder, "adaption-prompt", &options, "adaption-prompt", NULL);
}

/* Those with vectors of the methods that have nothing to do with a family's variants. */
static const char *const every_method[] = {"tests/golden/llama-tiny", "tests/golden/qwen2-tiny",
                                           "tests/golden/mistral-tiny", "tests/golden/yarn-tiny",
                                           NULL};

static void p_tuning_equals_peft_with_either_encoder(void **state) {
    (void)state;
    sp_method_options lstm = options_of("p-tuning"), mlp = options_of("p-tuning");
    lstm.hidden = 4;
    mlp.hidden = 16;
    set_text(mlp.encoder, "mlp");
    for (const char *const *folder = every_method; *folder; folder++) {
        assert_parity(*folder, "p-tuning", &lstm, "p-tuning-lstm", NULL);
        assert_parity(*folder, "p-tuning", &mlp, "p-tuning-mlp", NULL);
    }
}

static void prefix_tuning_as_infix_equals_pytorch_with_a_mask(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        sp_method_options options = options_of(prefixes[i]);
        set_text(options.reparametrization, "none");
        set_text(options.position, "infix");
        for (const char *const *folder = every_method; *folder; folder++)
            assert_parity(*folder, prefixes[i], &options, "infix", NULL);
    }
}

static void adalora_and_adapters_equal_peft_and_pytorch(void **state) {
    (void)state;
    sp_method_options adalora = options_of("adalora"), adapter = options_of("adapter");
    adalora.init_r = 4;
    adalora.target_r = 2;
    adapter.size = 6;
    for (const char *const *folder = every_method; *folder; folder++) {
        assert_parity(*folder, "adalora", &adalora, "adalora", NULL);
        assert_parity(*folder, "adapter", &adapter, "adapter", NULL);
    }
}

/* What trains of the model has the gradients of fine-tuning. */
static void assert_partial_fine_tuning(const char *folder, const char *method) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, "finetune");
    sp_method_options options = options_of(method);
    sp_tuner tuner;
    options.layers = 1;
    create(method, &options, model, &tuner);
    assert_in_range(sp_params_trainable(&model->params), 1, sp_model_size(model) - 1);
    sp_tape tape = {0};
    golden_batch batch = golden_read_batch(0, 0);
    golden_difference d = assert_golden_pass(&tape, model, &batch, NULL, file);
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_param *p = model->params.items[i];
        if (!p->var.needs_grad) continue;
        char *name = sp_format("gradient.%s", p->name);
        size_t count = (size_t)(p->var.rows * p->var.cols);
        d.gradient = fmax(d.gradient, assert_golden(file, name, p->var.grad, count, 1e-4));
        free(name);
    }
    golden_report(folder, method, "finetune", d);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void bitfit_and_ft_top_have_the_gradients_of_fine_tuning(void **state) {
    (void)state;
    assert_partial_fine_tuning(folders[1], "bitfit");
    assert_partial_fine_tuning("tests/golden/qwen2-tiny", "bitfit");
    for (const char *const *folder = folders; *folder; folder++)
        assert_partial_fine_tuning(*folder, "ft-top");
}

static void bitfit_needs_biases_and_ft_top_leaves_a_head_of_its_own_frozen(void **state) {
    (void)state;
    sp_model *plain = golden_model_in(folders[0], SP_PRECISION_FP32);
    sp_model *biased = golden_model_in(folders[1], SP_PRECISION_FP32);
    sp_method_options options = options_of("bitfit");
    sp_tuner tuner;
    assert_int_equal(sp_tuner_create("bitfit", &options, plain, &no_source, 1, &tuner),
                     SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "no biases"));
    create("bitfit", &options, biased, &tuner);
    assert_int_equal(sp_params_trainable(&biased->params), 2 * (48 + 2 * 12 + 32 + 2 * 48 + 32));
    sp_tuner_free(&tuner);
    options = options_of("ft-top");
    options.layers = 1;
    create("ft-top", &options, biased, &tuner);
    assert_false(biased->head->needs_grad);
    assert_true(sp_params_find(&biased->params, "model.norm.weight")->var.needs_grad);
    sp_tuner_free(&tuner);
    sp_model_free(plain);
    sp_model_free(biased);
}

static void assert_same(float *a, float *b) {
    assert_memory_equal(a, b, GOLDEN_TOKENS * VOCABULARY * sizeof(float));
    free(a);
    free(b);
}

static void check_round_trip(const char *folder, sp_precision precision, const char *method) {
    char *work = make_folder(), *path = sp_path_join(work, "run.h5");
    sp_model *model = golden_model_in(folder, precision);
    sp_model *fresh = golden_model_in(folder, precision);
    sp_tokenizer *tokenizer = letters();
    sp_method_options options = options_of(method);
    sp_tuner tuner;
    sp_soft_prompt prompt, again;
    sp_h5 *file;
    create(method, &options, model, &tuner);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_OK);
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_soft_prompt_write(&prompt, model, file), SP_OK);
    assert_int_equal(sp_h5_commit(file), SP_OK);
    assert_int_equal(sp_h5_open(path, &file), SP_OK);
    if (sp_soft_prompt_read(file, fresh, &again)) fail_msg("%s", sp_error());
    sp_h5_close(file);
    assert_same(logits_of_prompt(fresh, &again), logits_of_tuner(&tuner));
    sp_soft_prompt_free(&prompt);
    sp_soft_prompt_free(&again);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
    sp_model_free(fresh);
    free(path);
    remove_folder(work);
}

static void a_written_prompt_steers_a_fresh_model_to_the_same_bits(void **state) {
    (void)state;
    static const char *const methods[] = {"prefix", "prompt", "adaption-prompt", "fine-tune"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        for (const char *const *folder = folders; *folder; folder++)
            check_round_trip(*folder, SP_PRECISION_FP32, methods[i]);
}

/* ---- bf16 ---- */

/* (Fine-tuning would leave rounded weights in fp32.) */
static void a_written_prompt_steers_a_fresh_bf16_model_to_the_same_bits(void **state) {
    (void)state;
    static const char *const methods[] = {"prefix", "prompt", "adaption-prompt", "adapter"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        check_round_trip(folders[0], SP_PRECISION_BF16, methods[i]);
}

static void a_merge_leaves_a_bf16_model_as_it_was(void **state) {
    (void)state;
    sp_model *model = golden_model_in(folders[1], SP_PRECISION_BF16);
    sp_safetensors *golden = golden_open_in(folders[1], "lora");
    sp_tokenizer *tokenizer = letters();
    sp_method_options options = options_of("lora");
    sp_tuner tuner;
    sp_soft_prompt prompt;
    options.rank = 3;
    create("lora", &options, model, &tuner);
    load_parameters(&tuner, golden, NULL);
    assert_int_equal(sp_soft_prompt_from(&tuner, tokenizer, "", &prompt), SP_OK);
    const sp_var *weight = model->projections[0].map.weight;
    const struct sp_weight *half = weight->weight;
    assert_non_null(half);
    float *plain = steered_logits(model, NULL), *unmerged = logits_of_prompt(model, &prompt);
    sp_soft_prompt_merge(&prompt, model);
    assert_true(weight->data && !weight->weight);
    float *merged = logits_of_prompt(model, &prompt);
    assert_near("merged", merged, unmerged, GOLDEN_TOKENS * VOCABULARY,
                1e-2 * largest_magnitude(unmerged, GOLDEN_TOKENS * VOCABULARY));
    sp_soft_prompt_unmerge(&prompt, model);
    assert_true(!weight->data && weight->weight == half);
    assert_same(steered_logits(model, NULL), plain);
    free(unmerged);
    free(merged);
    sp_soft_prompt_free(&prompt);
    sp_tuner_free(&tuner);
    sp_tokenizer_free(tokenizer);
    sp_safetensors_close(golden);
    sp_model_free(model);
}

/* The loss of the golden batch with the golden prefix; its gradient is left in the tuner. */
static float prefix_loss(sp_model *model, sp_tuner *tuner) {
    sp_method_options options = options_of("p-tuning-v2");
    sp_safetensors *golden = golden_open_in(folders[0], "prefix-embedding");
    create("p-tuning-v2", &options, model, tuner);
    load_parameters(tuner, golden, NULL);
    sp_tape t = {0};
    sp_steering s;
    sp_tuner_inject(tuner, &t, &s);
    golden_batch b = batch_for(&s);
    sp_context ctx = golden_context(&b, &s);
    sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
    sp_var *loss = sp_lm_loss(&t, hidden, model->head, b.targets, NULL);
    float value = loss->data[0];
    sp_tape_backward(&t, loss, 1.0f);
    sp_tape_free(&t);
    sp_safetensors_close(golden);
    return value;
}

static void a_prefix_trains_in_fp32_on_a_model_that_stays_bf16(void **state) {
    (void)state;
    sp_model *full = golden_model_in(folders[0], SP_PRECISION_FP32);
    sp_model *half = golden_model_in(folders[0], SP_PRECISION_BF16);
    sp_tuner a, b;
    float expected = prefix_loss(full, &a), got = prefix_loss(half, &b);
    assert_true(fabsf(got - expected) > 0 && fabsf(got - expected) < 0.02f * expected);
    const sp_var *x = &a.params.items[0]->var, *y = &b.params.items[0]->var;
    size_t count = (size_t)(x->rows * x->cols);
    assert_true(y->data && !y->weight);
    assert_near("gradient", y->grad, x->grad, count, 0.1 * largest_magnitude(x->grad, count));
    for (int i = 0; i < half->projection_count; i++)
        assert_true(half->projections[i].map.weight->weight &&
                    !half->projections[i].map.weight->grad);
    sp_tuner_free(&a);
    sp_tuner_free(&b);
    sp_model_free(full);
    sp_model_free(half);
}

static void label_words_are_read_from_a_bf16_head(void **state) {
    (void)state;
    static char *words[] = {"a", "b"};
    const sp_label labels[] = {{.name = words[0], .words = {words, 1, 1}},
                               {.name = words[1], .words = {words + 1, 1, 1}}};
    sp_tokenizer *tokenizer = letters();
    sp_model *model = golden_model_in(folders[1], SP_PRECISION_BF16);
    sp_class_head head;
    if (sp_class_head_create(SP_OUTPUT_VERBALIZER, labels, 2, tokenizer, model, 1, &head))
        fail_msg("%s", sp_error());
    golden_batch b = golden_read_batch(0, 0);
    sp_context ctx = golden_context(&b, NULL);
    ctx.wanted = (int[]){b.offsets[1] - 1, b.offsets[2] - 1, b.offsets[3] - 1};
    ctx.wanted_count = 3;
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
    sp_var *all = sp_model_logits(&t, model, hidden, 3);
    sp_var *got = sp_class_logits(&t, &head, model, hidden);
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 2; i++)
            assert_near("logit", got->data + r * got->ld + i,
                        all->data + r * all->ld + head.words.data[i], 1, 2e-2);
    sp_tape_free(&t);
    sp_class_head_free(&head);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_tuning_with_an_mlp_equals_peft),
        cmocka_unit_test(prefix_tuning_without_an_mlp_equals_peft),
        cmocka_unit_test(prompt_tuning_equals_peft),
        cmocka_unit_test(lora_updates_the_maps_of_peft_and_equals_it),
        cmocka_unit_test(the_adaption_prompt_equals_peft_and_pytorch),
        cmocka_unit_test(p_tuning_equals_peft_with_either_encoder),
        cmocka_unit_test(prefix_tuning_as_infix_equals_pytorch_with_a_mask),
        cmocka_unit_test(adalora_and_adapters_equal_peft_and_pytorch),
        cmocka_unit_test(bitfit_and_ft_top_have_the_gradients_of_fine_tuning),
        cmocka_unit_test(bitfit_needs_biases_and_ft_top_leaves_a_head_of_its_own_frozen),
        cmocka_unit_test(a_written_prompt_steers_a_fresh_model_to_the_same_bits),
        cmocka_unit_test(a_written_prompt_steers_a_fresh_bf16_model_to_the_same_bits),
        cmocka_unit_test(a_merge_leaves_a_bf16_model_as_it_was),
        cmocka_unit_test(a_prefix_trains_in_fp32_on_a_model_that_stays_bf16),
        cmocka_unit_test(label_words_are_read_from_a_bf16_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
