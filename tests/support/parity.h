/* A method on a golden model against PEFT: what it injects, logits, loss and gradients. Include
 * after cmocka. */
#ifndef SP_TESTS_SUPPORT_PARITY_H
#define SP_TESTS_SUPPORT_PARITY_H

#include "support/golden.h"
#include "tuning/method.h"

#include <stdio.h>

enum { GOLDEN_LAYERS = 2 };

static const sp_init_source no_source = {0};

static inline void set_text(char *field, const char *text) {
    snprintf(field, SP_OPTION_TEXT, "%s", text);
}

/* The method's defaults, with GOLDEN_VIRTUAL tokens and a random start. */
static inline sp_method_options options_of(const char *method) {
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = GOLDEN_VIRTUAL;
    set_text(options.init, "random");
    return options;
}

static inline void create(const char *method, const sp_method_options *options, sp_model *model,
                          sp_tuner *out) {
    if (sp_tuner_create(method, options, model, &no_source, 1, out)) fail_msg("%s", sp_error());
}

/* Gives the tuner the golden parameters; `rename` NULL or {ours, golden's}. */
static inline void load_parameters(sp_tuner *tuner, const sp_safetensors *file,
                                   const char *const rename[2]) {
    for (size_t i = 0; i < tuner->params.count; i++) {
        sp_param *p = tuner->params.items[i];
        bool renamed = rename && strcmp(p->name, rename[0]) == 0;
        char *name = sp_format("parameter.%s", renamed ? rename[1] : p->name);
        if (sp_safetensors_read(file, name, p->rank, p->dims, p->var.data))
            fail_msg("%s", sp_error());
        free(name);
    }
}

/* The prefix as one matrix [length, 2 * layers * width], owned by the caller. */
static inline float *joined_prefix(const sp_kv *prefix, long length) {
    long width = prefix[0].key->cols, columns = 2 * GOLDEN_LAYERS * width;
    size_t bytes = (size_t)width * sizeof(float);
    float *out = sp_alloc_floats((size_t)(length * columns));
    for (long r = 0; r < length; r++)
        for (int layer = 0; layer < GOLDEN_LAYERS; layer++) {
            float *target = out + r * columns + 2L * layer * width;
            const sp_var *key = prefix[layer].key, *value = prefix[layer].value;
            memcpy(target, key->data + r * key->ld, bytes);
            memcpy(target + width, value->data + r * value->ld, bytes);
        }
    return out;
}

static inline void assert_golden_injection(const sp_steering *injection,
                                           const sp_safetensors *file) {
    if (!sp_safetensors_find(file, "virtual")) return;
    if (injection->virtual_rows) {
        assert_null(injection->prefix);
        assert_golden(file, "virtual", injection->virtual_rows->data,
                      (size_t)(GOLDEN_VIRTUAL * injection->virtual_rows->cols), 1e-6);
        return;
    }
    float *prefix = joined_prefix(injection->prefix, GOLDEN_VIRTUAL);
    long columns = 2 * GOLDEN_LAYERS * injection->prefix[0].key->cols;
    assert_golden(file, "virtual", prefix, (size_t)(GOLDEN_VIRTUAL * columns), 1e-6);
    free(prefix);
}

/* The golden batch with positions that the injection asks for. */
static inline golden_batch batch_for(const sp_steering *injection) {
    if (injection->virtual_rows) return golden_read_batch(GOLDEN_VIRTUAL, 0);
    golden_batch batch = golden_read_batch(0, injection->first_position);
    if (injection->infix) golden_place_infix(&batch, injection->first_position);
    return batch;
}

/* `method` on the model of a golden folder equals the vectors `golden` there. */
static inline void assert_parity(const char *folder, const char *method,
                                 const sp_method_options *options, const char *golden,
                                 const char *const rename[2]) {
    sp_model *model = golden_model_in(folder, SP_PRECISION_FP32);
    sp_safetensors *file = golden_open_in(folder, golden);
    sp_tuner tuner;
    create(method, options, model, &tuner);
    load_parameters(&tuner, file, rename);
    sp_tape tape = {0};
    sp_steering injection;
    sp_tuner_inject(&tuner, &tape, &injection);
    assert_golden_injection(&injection, file);
    golden_batch batch = batch_for(&injection);
    golden_difference d = assert_golden_pass(&tape, model, &batch, &injection, file);
    d.gradient = assert_golden_gradients(&tuner.params, file, rename);
    golden_report(folder, method, golden, d);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_safetensors_close(file);
    sp_model_free(model);
}

#endif
