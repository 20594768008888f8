/* The golden vectors of tests/golden/gpt2-tiny and what compares with them. Include after cmocka.
 */
#ifndef SP_TESTS_SUPPORT_GOLDEN_H
#define SP_TESTS_SUPPORT_GOLDEN_H

#include "format/safetensors.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_FOLDER "tests/golden/gpt2-tiny"

enum { GOLDEN_ROWS = 64, GOLDEN_TOKENS = 26, GOLDEN_VIRTUAL = 5 };

static inline sp_safetensors *golden_open_in(const char *folder, const char *name) {
    char *path = sp_format("%s/%s.safetensors", folder, name);
    sp_safetensors *file = NULL;
    if (sp_safetensors_open(path, &file)) fail_msg("%s", sp_error());
    free(path);
    return file;
}

static inline sp_safetensors *golden_open(const char *name) {
    return golden_open_in(GOLDEN_FOLDER, name);
}

/* A tensor's values, owned by the caller. */
static inline float *golden_floats(const sp_safetensors *file, const char *name, size_t *count) {
    const sp_stored_tensor *tensor = sp_safetensors_find(file, name);
    if (!tensor) fail_msg("no golden tensor %s", name);
    float *values = sp_alloc_floats(tensor->count);
    sp_floats_from(tensor->dtype, tensor->data, tensor->count, values);
    if (count) *count = tensor->count;
    return values;
}

static inline sp_ints golden_ints(const sp_safetensors *file, const char *name) {
    size_t count;
    float *values = golden_floats(file, name, &count);
    sp_ints list = {0};
    for (size_t i = 0; i < count; i++) sp_ints_push(&list, (int)values[i]);
    free(values);
    return list;
}

static inline sp_model *golden_model_in(const char *folder, sp_precision precision) {
    sp_model *model = NULL;
    if (sp_model_open(folder, precision, &model)) fail_msg("%s", sp_error());
    return model;
}

static inline sp_model *golden_model(void) {
    return golden_model_in(GOLDEN_FOLDER, SP_PRECISION_FP32);
}

/* The golden batch, each sequence after `virtual_rows` rows of a soft prompt. */
typedef struct golden_batch {
    int sequences, offsets[4];
    int ids[GOLDEN_ROWS], targets[GOLDEN_ROWS], positions[GOLDEN_ROWS];
    int real[GOLDEN_TOKENS]; /* rows of the real tokens */
    int asked[3];            /* index within each sequence of the token that predicts its first
                              * target: the last one of the input */
} golden_batch;

static inline golden_batch golden_read_batch(int virtual_rows, int first_position) {
    sp_safetensors *file = golden_open("batch");
    sp_ints tokens = golden_ints(file, "tokens"), targets = golden_ints(file, "targets");
    sp_ints offsets = golden_ints(file, "offsets");
    golden_batch b = {.sequences = 3};
    int row = 0;
    for (int s = 0; s < 3; s++) {
        int start = row;
        for (int i = 0; i < virtual_rows; i++, row++) {
            b.ids[row] = -1 - i;
            b.targets[row] = -1;
        }
        for (int k = offsets.data[s]; k < offsets.data[s + 1]; k++, row++) {
            b.ids[row] = tokens.data[k];
            b.targets[row] = targets.data[k];
            b.real[k] = row;
        }
        for (int r = start; r < row; r++) b.positions[r] = first_position + r - start;
        b.offsets[s + 1] = row;
        while (b.targets[start + b.asked[s]] < 0) b.asked[s]++;
    }
    sp_ints_free(&tokens);
    sp_ints_free(&targets);
    sp_ints_free(&offsets);
    sp_safetensors_close(file);
    return b;
}

static inline sp_context golden_context(const golden_batch *b, const sp_steering *steering) {
    return (sp_context){.sequences = b->sequences,
                        .offsets = b->offsets,
                        .positions = b->positions,
                        .steering = steering,
                        .prefix_from = steering && steering->infix ? b->asked : NULL};
}

/* Takes the shift from the positions of the tokens that do not see an infix. */
static inline void golden_place_infix(golden_batch *b, int first_position) {
    for (int s = 0; s < b->sequences; s++)
        for (int i = 0; i < b->asked[s]; i++) b->positions[b->offsets[s] + i] -= first_position;
}

/* max |got - expected| <= tolerance, NaN failing; returns that maximum. */
static inline double assert_near(const char *what, const float *got, const float *expected,
                                 size_t count, double tolerance) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)got[i] - (double)expected[i]);
        if (!(difference <= tolerance))
            fail_msg("%s[%zu] is %.9g, expected %.9g within %g", what, i, (double)got[i],
                     (double)expected[i], tolerance);
        largest = fmax(largest, difference);
    }
    return largest;
}

static inline double largest_magnitude(const float *x, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)x[i]));
    return largest;
}

/* `got` equals the golden tensor within `tolerance` times that tensor's largest value; returns the
 * largest difference in this unit. */
static inline double assert_golden(const sp_safetensors *file, const char *name, const float *got,
                                   size_t count, double tolerance) {
    size_t expected_count;
    float *expected = golden_floats(file, name, &expected_count);
    assert_int_equal(count, expected_count);
    double unit = largest_magnitude(expected, count);
    double difference = assert_near(name, got, expected, count, tolerance * unit);
    free(expected);
    return unit > 0 ? difference / unit : 0;
}

/* Largest differences from golden vectors: of logits and loss absolute, of a gradient in units of
 * that tensor's largest value. */
typedef struct golden_difference {
    double logits, loss, gradient;
} golden_difference;

/* Appends "MODEL <tab> method <tab> vectors <tab> logits <tab> loss <tab> gradient" to the file
 * that SOFTPROMPT_PARITY names, for `make parity`; nothing where it is not set. */
static inline void golden_report(const char *folder, const char *method, const char *vectors,
                                 golden_difference d) {
    const char *path = getenv("SOFTPROMPT_PARITY");
    if (!path) return;
    FILE *out = fopen(path, "a");
    if (!out) fail_msg("cannot append to %s (SOFTPROMPT_PARITY)", path);
    fprintf(out, "%s\t%s\t%s\t%.2e\t%.2e\t%.2e\n", strrchr(folder, '/') + 1, method, vectors,
            d.logits, d.loss, d.gradient);
    fclose(out);
}

/* Logits of the batch's real tokens [GOLDEN_TOKENS, vocabulary]. */
static inline sp_var *golden_logits(sp_tape *t, const sp_model *model, const golden_batch *b,
                                    sp_var *hidden) {
    return sp_model_logits(t, model, sp_gather_rows(t, hidden, b->real, GOLDEN_TOKENS),
                           GOLDEN_TOKENS);
}

/* Runs the batch and compares logits and loss; then back-propagates. The tape is not reset. */
static inline golden_difference assert_golden_pass(sp_tape *t, const sp_model *model,
                                                   const golden_batch *b,
                                                   const sp_steering *steering,
                                                   const sp_safetensors *file) {
    golden_difference d = {0};
    sp_context ctx = golden_context(b, steering);
    sp_var *hidden = sp_model_forward(t, model, b->ids, &ctx);
    sp_var *logits = golden_logits(t, model, b, hidden);
    float *expected = golden_floats(file, "logits", NULL);
    d.logits =
        assert_near("logits", logits->data, expected, (size_t)(logits->rows * logits->cols), 2e-5);
    free(expected);
    sp_var *loss = sp_lm_loss(t, hidden, model->head, b->targets, NULL);
    expected = golden_floats(file, "loss", NULL);
    d.loss = assert_near("loss", loss->data, expected, 1, 1e-5);
    free(expected);
    if (loss->needs_grad) sp_tape_backward(t, loss, 1.0f);
    return d;
}

/* The gradient of every parameter equals gradient.NAME; `rename` NULL or {ours, golden's}. Returns
 * the largest difference. */
static inline double assert_golden_gradients(const sp_params *params, const sp_safetensors *file,
                                             const char *const rename[2]) {
    double largest = 0;
    for (size_t i = 0; i < params->count; i++) {
        const sp_param *p = params->items[i];
        bool renamed = rename && strcmp(p->name, rename[0]) == 0;
        char *name = sp_format("gradient.%s", renamed ? rename[1] : p->name);
        size_t count = (size_t)(p->var.rows * p->var.cols);
        assert_true(p->var.grad_ready);
        largest = fmax(largest, assert_golden(file, name, p->var.grad, count, 1e-4));
        free(name);
    }
    return largest;
}

#endif
