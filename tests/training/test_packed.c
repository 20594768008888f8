/* Packed batches: what is scored, where tokens stand, what sees an infix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/decoding.h"
#include "support/feed.h"
#include "support/golden.h"
#include "tensor/gemm.h"
#include "training/packed.h"
#include "tuning/method.h"

#include <stdio.h>

static void a_packed_batch_scores_from_the_first_scored_token_on(void **state) {
    (void)state;
    sp_packed p = {0};
    sp_packed_clear(&p);
    sp_packed_add(&p, (int[]){10, 11, 12, 13}, 4, 2);
    sp_packed_add(&p, (int[]){-1, 20, 21}, 3, 2);
    static const int ids[] = {10, 11, 12, -1, 20};
    static const int targets[] = {12, 13, 21}, wanted[] = {1, 2, 4}, offsets[] = {0, 3, 5};
    assert_int_equal(sp_packed_tokens(&p), 5);
    assert_int_equal(sp_packed_sequences(&p), 2);
    assert_int_equal(sp_packed_scored(&p), 3);
    assert_memory_equal(p.ids.data, ids, sizeof ids);
    assert_memory_equal(p.targets.data, targets, sizeof targets);
    assert_memory_equal(p.wanted.data, wanted, sizeof wanted);
    assert_memory_equal(p.offsets.data, offsets, sizeof offsets);
    sp_packed_clear(&p);
    assert_int_equal(sp_packed_sequences(&p), 0);
    sp_packed_free(&p);
}

static void assert_positions(const sp_context *ctx, const int *expected) {
    for (int i = 0; i < ctx->offsets[ctx->sequences]; i++)
        assert_int_equal(ctx->positions[i], expected[i]);
}

static void only_tokens_behind_an_infix_are_shifted_and_see_it(void **state) {
    (void)state;
    sp_packed p = {0};
    sp_steering prefix = {.first_position = 5}, infix = {.first_position = 5, .infix = true};
    sp_packed_clear(&p);
    sp_packed_add(&p, (int[]){10, 11, 12, 13, 14}, 5, 3);
    sp_packed_add(&p, (int[]){20, 21, 22}, 3, 1);
    sp_context ctx = sp_packed_context(&p, NULL);
    assert_positions(&ctx, (int[]){0, 1, 2, 3, 0, 1});
    assert_null(ctx.prefix_from);
    ctx = sp_packed_context(&p, &prefix);
    assert_positions(&ctx, (int[]){5, 6, 7, 8, 5, 6});
    assert_null(ctx.prefix_from);
    ctx = sp_packed_context(&p, &infix);
    assert_positions(&ctx, (int[]){0, 1, 7, 8, 5, 6});
    assert_int_equal(ctx.prefix_from[0], 2);
    assert_int_equal(ctx.prefix_from[1], 0);
    sp_packed_free(&p);
}

/* A tuner of p-tuning-v2 as an infix of 4. */
static void create_infix(sp_model *model, bool shift, sp_tuner *out) {
    static const sp_init_source no_source = {0};
    sp_method_options options = {0};
    sp_options_default(sp_method_find("p-tuning-v2")->options, &options);
    options.length = 4;
    options.shift_positions = shift;
    snprintf(options.init, SP_OPTION_TEXT, "random");
    snprintf(options.position, SP_OPTION_TEXT, "infix");
    if (sp_tuner_create("p-tuning-v2", &options, model, &no_source, 1, out))
        fail_msg("%s", sp_error());
}

/* Log-probabilities of the targets of a packed sequence equal those of decoding it. */
static void check_infix(bool shift) {
    enum { INPUT = 3, TOTAL = 7, VOCABULARY = 97 };
    static const int other[] = {80, 12, 44, 9}, ids[TOTAL] = {7, 21, 90, 4, 33, 62, 11};
    sp_model *model = golden_model();
    sp_tuner tuner;
    create_infix(model, shift, &tuner);
    sp_tape tape = {.inference = true};
    sp_steering steering;
    sp_tuner_inject(&tuner, &tape, &steering);
    sp_packed batch = {0};
    sp_packed_clear(&batch);
    sp_packed_add(&batch, other, 4, 1);
    sp_packed_add(&batch, ids, TOTAL, INPUT);
    sp_context ctx = sp_packed_context(&batch, &steering);
    sp_var *hidden = sp_model_forward(&tape, model, batch.ids.data, &ctx);
    float trained[3 + TOTAL - INPUT];
    sp_lm_loss(&tape, hidden, model->head, batch.targets.data, trained);

    sp_decoder d;
    sp_decoder_init(&d, model, &steering, 1, TOTAL);
    for (int done = 0; done < TOTAL - 1;) {
        int count = done ? 1 : INPUT;
        const float *logits = feed(&d, 1, (int[]){0}, &count, ids + done);
        done += count;
        double sum = 0;
        for (int i = 0; i < VOCABULARY; i++) sum += exp((double)logits[i]);
        float decoded = (float)((double)logits[ids[done]] - log(sum));
        assert_near("log p", &trained[3 + done - INPUT], &decoded, 1, 2e-5);
    }
    sp_decoder_free(&d);
    sp_packed_free(&batch);
    sp_tape_free(&tape);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

static void an_infix_is_trained_on_as_it_is_decoded_with(void **state) {
    (void)state;
    check_infix(true);
    check_infix(false);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_batch_scores_from_the_first_scored_token_on),
        cmocka_unit_test(only_tokens_behind_an_infix_are_shifted_and_see_it),
        cmocka_unit_test(an_infix_is_trained_on_as_it_is_decoded_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
