/* Encoders: every method on BERT and RoBERTa against transformers and PEFT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/parity.h"
#include "tensor/gemm.h"
#include "tuning/class_head.h"

enum { LABELS = 3 };

static const char *const folders[] = {"tests/golden/bert-tiny", "tests/golden/roberta-tiny", NULL};

/* ---- the golden class heads ---- */

static void copy_golden(const sp_safetensors *file, const char *name, sp_var *out) {
    size_t count;
    float *values = golden_floats(file, name, &count);
    assert_int_equal(count, out->rows * out->cols);
    memcpy(out->data, values, count * sizeof(float));
    free(values);
}

typedef struct golden_heads {
    sp_class_head linear, verbalizer;
    sp_ints labels;
} golden_heads;

static golden_heads open_heads(const char *folder, const sp_model *model) {
    static char *names[] = {"one", "two", "three"};
    const sp_label labels[LABELS] = {{.name = names[0]}, {.name = names[1]}, {.name = names[2]}};
    sp_safetensors *file = golden_open_in(folder, "class");
    golden_heads h = {.verbalizer = {.output = SP_OUTPUT_VERBALIZER}};
    if (sp_class_head_create(SP_OUTPUT_LINEAR, labels, LABELS, NULL, model, 1, &h.linear))
        fail_msg("%s", sp_error());
    copy_golden(file, "weight", h.linear.weight);
    copy_golden(file, "bias", h.linear.bias);
    assert_int_equal(h.linear.dense_weight != NULL, strcmp(model->config.model_type, "bert") != 0);
    if (h.linear.dense_weight) {
        copy_golden(file, "dense_weight", h.linear.dense_weight);
        copy_golden(file, "dense_bias", h.linear.dense_bias);
    }
    for (int i = 0; i < LABELS; i++) sp_strings_push(&h.verbalizer.labels, names[i]);
    h.verbalizer.words = golden_ints(file, "words");
    h.verbalizer.label_of = golden_ints(file, "label_of");
    h.labels = golden_ints(file, "labels");
    sp_safetensors_close(file);
    return h;
}

static void close_heads(golden_heads *h) {
    sp_class_head_free(&h->linear);
    sp_class_head_free(&h->verbalizer);
    sp_ints_free(&h->labels);
}

/* ---- one pass ---- */

static double difference(const sp_safetensors *file, const char *name, const sp_var *got) {
    size_t count;
    float *expected = golden_floats(file, name, &count);
    assert_int_equal(count, got->rows * got->cols);
    double largest = assert_near(name, got->data, expected, count, 2e-5);
    free(expected);
    return largest;
}

/* Largest differences of one pass; logits of the two class heads apart. */
typedef struct pass_difference {
    double linear, verbalizer, lm, loss, head_gradient;
} pass_difference;

/* Hidden states, logits of both heads and the sum of their losses, which is back-propagated. */
static pass_difference check_pass(sp_tape *t, const char *folder, const sp_model *model,
                                  const sp_steering *steering, const sp_safetensors *file) {
    pass_difference d = {0};
    golden_heads heads = open_heads(folder, model);
    golden_batch b = batch_for(steering);
    sp_context ctx = golden_context(&b, steering);
    sp_var *hidden = sp_model_forward(t, model, b.ids, &ctx);
    difference(file, "hidden", sp_gather_rows(t, hidden, b.real, GOLDEN_TOKENS));
    int cls[LABELS], mask[LABELS];
    for (int s = 0; s < LABELS; s++) {
        int rows = steering->virtual_rows ? GOLDEN_VIRTUAL : 0;
        cls[s] = b.offsets[s] + rows;
        mask[s] = b.offsets[s + 1] - 2;
    }
    sp_var *linear =
        sp_class_logits(t, &heads.linear, model, sp_gather_rows(t, hidden, cls, LABELS));
    sp_var *words =
        sp_class_logits(t, &heads.verbalizer, model, sp_gather_rows(t, hidden, mask, LABELS));
    d.linear = difference(file, "linear", linear);
    d.verbalizer = difference(file, "verbalizer", words);
    sp_var *loss = sp_add(t, sp_cross_entropy(t, linear, heads.labels.data),
                          sp_cross_entropy(t, words, heads.labels.data));
    d.loss = difference(file, "loss", loss);
    sp_tape_backward(t, loss, 1.0f);
    if (sp_safetensors_find(file, "logits"))
        d.lm = difference(file, "logits", golden_logits(t, model, &b, hidden));
    if (sp_safetensors_find(file, "gradient.score.weight"))
        d.head_gradient = assert_golden_gradients(&heads.linear.params, file, NULL);
    close_heads(&heads);
    return d;
}

static void report(const char *folder, const char *method, const char *vectors, pass_difference d,
                   double gradient) {
    double logits = fmax(fmax(d.linear, d.verbalizer), d.lm);
    golden_report(folder, method, vectors, (golden_difference){logits, d.loss, gradient});
}

/* ---- methods ---- */

typedef struct method_case {
    const char *method, *golden;
    int hidden;
    const char *encoder, *reparametrization;
    const char *rename[2];
} method_case;

static const method_case cases[] = {
    {"prefix", "prefix-mlp", 16, NULL, "mlp", {0}},
    {"prefix", "prefix-embedding", 0, NULL, "none", {0}},
    {"p-tuning-v2", "prefix-embedding", 0, NULL, NULL, {0}},
    {"p-tuning-v2", "prefix-mlp", 16, NULL, "mlp", {0}},
    {"prompt", "prompt", 0, NULL, NULL, {"prompt_embeddings", "embedding.weight"}},
    {"p-tuning", "p-tuning-lstm", 4, NULL, NULL, {0}},
    {"p-tuning", "p-tuning-mlp", 16, "mlp", NULL, {0}},
    {"lora", "lora", 0, NULL, NULL, {0}},
    {"adalora", "adalora", 0, NULL, NULL, {0}},
    {"adapter", "adapter", 0, NULL, NULL, {0}},
    {"adaption-prompt", "adaption-prompt", 0, NULL, NULL, {0}},
};

static sp_method_options options_for(const method_case *c) {
    sp_method_options options = options_of(c->method);
    if (c->hidden) options.hidden = c->hidden;
    if (c->encoder) set_text(options.encoder, c->encoder);
    if (c->reparametrization) set_text(options.reparametrization, c->reparametrization);
    options.rank = 3;
    options.init_r = 4;
    options.target_r = 2;
    options.size = 6;
    options.share = 0;
    options.layers = strcmp(c->method, "adaption-prompt") == 0 ? GOLDEN_LAYERS : 0;
    return options;
}

static void check_method(const char *folder, const method_case *c) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, c->golden);
    const char *const *rename = c->rename[0] ? c->rename : NULL;
    sp_method_options options = options_for(c);
    sp_tuner tuner;
    create(c->method, &options, model, &tuner);
    load_parameters(&tuner, file, rename);
    sp_tape tape = {0};
    sp_steering steering;
    sp_tuner_inject(&tuner, &tape, &steering);
    assert_golden_injection(&steering, file);
    pass_difference d = check_pass(&tape, folder, model, &steering, file);
    report(folder, c->method, c->golden, d, assert_golden_gradients(&tuner.params, file, rename));
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void methods_equal_peft_and_pytorch(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_method(*folder, &cases[i]);
}

/* A key's bias adds the same to all scores of a query: its gradient is nothing but rounding. */
static double check_gradient(const sp_safetensors *file, const sp_param *p) {
    size_t count = (size_t)(p->var.rows * p->var.cols);
    if (strstr(p->name, "key.bias")) {
        assert_true(largest_magnitude(p->var.grad, count) < 1e-6);
        return 0;
    }
    char *name = sp_format("gradient.%s", p->name);
    double largest = assert_golden(file, name, p->var.grad, count, 1e-4);
    free(name);
    return largest;
}

/* What trains of the model has the gradients of fine-tuning, the rest none. */
static void check_own_weights(const char *folder, const char *method, const char *inside) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, "finetune");
    sp_method_options options = options_of(method);
    options.layers = 1;
    sp_tuner tuner;
    create(method, &options, model, &tuner);
    sp_tape tape = {0};
    sp_steering steering;
    sp_tuner_inject(&tuner, &tape, &steering);
    pass_difference d = check_pass(&tape, folder, model, &steering, file);
    double gradient = 0;
    size_t trained = 0;
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_param *p = model->params.items[i];
        assert_int_equal(p->var.grad_ready, p->var.needs_grad);
        if (!p->var.needs_grad) continue;
        trained++;
        assert_true(strstr(p->name, inside) || p->layer == GOLDEN_LAYERS);
        gradient = fmax(gradient, check_gradient(file, p));
    }
    report(folder, method, "finetune", d, gradient);
    if (!*inside) { /* everything trains: the two heads on their own */
        golden_difference linear = {d.linear, d.loss, fmax(gradient, d.head_gradient)};
        golden_report(folder, "linear", "finetune", linear);
        golden_report(folder, "verbalizer", "finetune",
                      (golden_difference){d.verbalizer, d.loss, gradient});
    }
    assert_in_range(trained, 1, model->params.count);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void methods_that_train_the_models_weights_have_the_gradients_of_transformers(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++) {
        check_own_weights(*folder, "fine-tune", "");
        check_own_weights(*folder, "bitfit", ".bias");
        check_own_weights(*folder, "ft-top", "layer.1.");
    }
}

/* ---- what encoders refuse ---- */

static void an_encoder_has_no_infix(void **state) {
    (void)state;
    static const char *const names[] = {"prefix", "p-tuning-v2"};
    sp_model *model = golden_model_in(folders[0], SP_PRECISION_FP32);
    for (int i = 0; i < 2; i++) {
        sp_method_options options = options_of(names[i]);
        set_text(options.position, "infix");
        sp_tuner tuner;
        assert_int_equal(sp_tuner_create(names[i], &options, model, &no_source, 1, &tuner),
                         SP_ERR_SPEC);
        assert_non_null(strstr(sp_error(), "use position prefix"));
    }
    sp_model_free(model);
}

static void a_head_trains_only_the_parts_that_it_reads(void **state) {
    (void)state;
    sp_model *model = golden_model_in(folders[0], SP_PRECISION_FP32);
    golden_heads heads = open_heads(folders[0], model);
    const sp_class_head *all[] = {&heads.linear, &heads.verbalizer};
    for (int i = 0; i < 2; i++) {
        sp_params_train(&model->params, true);
        sp_class_head_freeze_rest(all[i], model);
        const sp_param *pooler = sp_params_find(&model->params, "bert.pooler.dense.weight");
        assert_int_equal(pooler->var.needs_grad, i == 0);
        assert_int_equal(model->head_bias->needs_grad, i == 1);
        assert_true(model->embedding->needs_grad);
    }
    close_heads(&heads);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_equal_peft_and_pytorch),
        cmocka_unit_test(methods_that_train_the_models_weights_have_the_gradients_of_transformers),
        cmocka_unit_test(an_encoder_has_no_infix),
        cmocka_unit_test(a_head_trains_only_the_parts_that_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
