/* Logits of the golden batch under a steering, a tuner or what is left of one; include cmocka.h
 * first. */
#ifndef SP_TESTS_STEERED_H
#define SP_TESTS_STEERED_H

#include "support/golden.h"
#include "tuning/soft_prompt.h"

/* [GOLDEN_TOKENS, vocabulary] under a steering (NULL: none) whose virtual rows stand first; caller
 * owns. */
static inline float *steered_logits(const sp_model *model, const sp_steering *s) {
    sp_steering where = s ? *s : (sp_steering){0};
    int rows = where.virtual_rows ? (int)where.virtual_rows->rows : 0;
    golden_batch b = golden_read_batch(rows, where.first_position);
    if (where.infix) golden_place_infix(&b, where.first_position);
    sp_tape tape = {.inference = true};
    sp_context ctx = golden_context(&b, s);
    sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
    sp_var *logits = golden_logits(&tape, model, &b, hidden);
    size_t count = (size_t)(logits->rows * logits->cols);
    float *copy = memcpy(sp_alloc_floats(count), logits->data, count * sizeof(float));
    sp_tape_free(&tape);
    return copy;
}

static inline float *logits_of_tuner(const sp_tuner *tuner) {
    sp_tape tape = {.inference = true};
    sp_steering steering;
    sp_tuner_inject(tuner, &tape, &steering);
    float *logits = steered_logits(tuner->model, &steering);
    sp_tape_free(&tape);
    return logits;
}

static inline float *logits_of_prompt(const sp_model *model, sp_soft_prompt *prompt) {
    sp_steering s = sp_soft_prompt_steering(prompt);
    return steered_logits(model, &s);
}

#endif
