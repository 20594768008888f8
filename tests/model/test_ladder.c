/* The committed ladder models give the same logits here as in transformers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/golden.h"
#include "tensor/gemm.h"

/* The parity the project promises for fp32. */
static const double LARGEST_DIFFERENCE = 2e-4;

static void check_model(const sp_safetensors *file, const char *name) {
    char *tokens_name = sp_format("%s.tokens", name), *logits_name = sp_format("%s.logits", name);
    sp_ints ids = golden_ints(file, tokens_name);
    size_t count;
    float *expected = golden_floats(file, logits_name, &count);
    sp_model *model;
    assert_int_equal(sp_model_open(name, SP_PRECISION_FP32, &model), SP_OK);
    assert_int_equal(count, model->config.vocab_size);
    int n = (int)ids.len, last = n - 1, positions[64];
    assert_in_range(n, 1, 64);
    for (int i = 0; i < n; i++) positions[i] = i;
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, n},
                      .positions = positions,
                      .wanted = &last,
                      .wanted_count = 1};
    sp_tape tape = {.inference = true};
    sp_var *hidden = sp_model_forward(&tape, model, ids.data, &ctx);
    const sp_var *logits = sp_model_logits(&tape, model, hidden, 1);
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)logits->data[i] - (double)expected[i]));
    print_message("%s: largest difference of a logit %.1e\n", name, largest);
    assert_true(largest <= LARGEST_DIFFERENCE);
    sp_tape_free(&tape);
    sp_model_free(model);
    sp_ints_free(&ids);
    free(expected);
    free(tokens_name);
    free(logits_name);
}

static void ladder_logits_equal_those_of_transformers(void **state) {
    (void)state;
    sp_safetensors *file = NULL;
    assert_int_equal(sp_safetensors_open("tests/golden/ladder.safetensors", &file), SP_OK);
    check_model(file, "gpt2-1m");
    check_model(file, "gpt2-4m");
    check_model(file, "gpt2-12m");
    sp_safetensors_close(file);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(ladder_logits_equal_those_of_transformers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
