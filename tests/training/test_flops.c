/* Operations counted from shapes, against counts by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "training/flops.h"

#include <stdlib.h>
#include <string.h>

static const sp_config config = {.vocab_size = 50,
                                 .n_positions = 32,
                                 .n_embd = 8,
                                 .n_layer = 2,
                                 .n_head = 2,
                                 .n_inner = 32,
                                 .model_type = "gpt2"};

/* The operations of a step of a GPT-2 of two layers equal those counted by hand. */
static void operations_equal_a_count_by_hand(void **state) {
    (void)state;
    sp_model *model;
    assert_int_equal(sp_model_new(&config, &model), SP_OK);
    sp_method_options options = {0};
    sp_options_default(sp_method_find("prefix")->options, &options);
    options.length = 3;
    options.hidden = 5;
    sp_init_source source = {0};
    sp_tuner tuner;
    assert_int_equal(sp_tuner_create("prefix", &options, model, &source, 1, &tuner), SP_OK);
    sp_packed batch = {0};
    sp_packed_clear(&batch);
    const int ids[] = {1, 2, 3, 4, 5};
    sp_packed_add(&batch, ids, 5, 3); /* feeds 4 tokens and scores 2 of them */
    assert_int_equal(sp_packed_scored(&batch), 2);
    double n = 4, s = 2, d = 8, in = 3 * d * d, behind = d * d + 2 * d * 32, keys = 3 * 4 + 10;
    double expected = 2 * n * in + 4 * n * behind   /* first block */
                      + 4 * n * in + 4 * s * behind /* last block */
                      + 4 * s * 50 * d              /* head */
                      + d * (2 * 4 + 8) * keys + 6 * d * n * 3 + 6 * 3 * (d * 5 + 5 * 4 * d);
    assert_true(sp_step_flops(model, &tuner, &batch) == expected);
    sp_packed_free(&batch);
    sp_tuner_free(&tuner);
    sp_model_free(model);
}

/* One new token of a GPT-2 of two layers behind 9 cached ones and a prefix of 3 in one layer, with
 * an update of rank 2 beside the first map. */
static void a_generated_token_equals_a_count_by_hand(void **state) {
    (void)state;
    sp_model *model;
    assert_int_equal(sp_model_declare(&config, &model), SP_OK);
    double *added = sp_alloc((size_t)model->projection_count, sizeof *added);
    added[0] = 2 * (8 + 24);
    sp_inference pass = {.tokens = 1,
                         .cached = 9,
                         .prefix = 3,
                         .prefix_layers = 1,
                         .prefix_queries = 1,
                         .wanted = 1,
                         .answers = 50,
                         .added = added};
    double maps = 2 * (8 * 24 + 8 * 8 + 2 * 8 * 32), keys = 2 * (9 + 1) + 3;
    double expected = 2 * (maps + 2 * (8 + 24)) + 4 * 8 * keys + 2 * 50 * 8;
    assert_true(sp_inference_flops(model, &pass) == expected);
    free(added);
    sp_model_free(model);
}

/* A text of 5 tokens, labelled: behind the attention of the last block only its last token goes on,
 * and only the labels are scored. */
static void a_labelled_text_equals_a_count_by_hand(void **state) {
    (void)state;
    sp_model *model;
    assert_int_equal(sp_model_declare(&config, &model), SP_OK);
    sp_inference pass = {.tokens = 5, .wanted = 1, .answers = 4};
    double in = 8 * 24, behind = 8 * 8 + 2 * 8 * 32;
    double expected = 2 * (5 * in + 5 * behind + 5 * in + 1 * behind) + 4 * 8 * 2 * 15 + 2 * 4 * 8;
    assert_true(sp_inference_flops(model, &pass) == expected);
    sp_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(operations_equal_a_count_by_hand),
                                       cmocka_unit_test(a_generated_token_equals_a_count_by_hand),
                                       cmocka_unit_test(a_labelled_text_equals_a_count_by_hand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
