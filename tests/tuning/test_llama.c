/* Methods on Llama, whose keys and values are narrower than its hidden states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/parity.h"
#include "tensor/gemm.h"

static const char *const folders[] = {"tests/golden/llama-tiny", "tests/golden/llama-tiny-bias",
                                      NULL};

static void prefix_tuning_with_an_mlp_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("prefix");
    options.hidden = 16;
    for (const char *const *folder = folders; *folder; folder++)
        assert_parity(*folder, "prefix", &options, "prefix-mlp", NULL);
}

static void prefix_tuning_without_an_mlp_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("p-tuning-v2");
    for (const char *const *folder = folders; *folder; folder++)
        assert_parity(*folder, "p-tuning-v2", &options, "prefix-embedding", NULL);
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

static void the_adaption_prompt_equals_peft(void **state) {
    (void)state;
    sp_method_options options = options_of("adaption-prompt");
    options.layers = GOLDEN_LAYERS;
    assert_parity(folders[0], "adaption-prompt", &options, "adaption-prompt", NULL);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_tuning_with_an_mlp_equals_peft),
        cmocka_unit_test(prefix_tuning_without_an_mlp_equals_peft),
        cmocka_unit_test(prompt_tuning_equals_peft),
        cmocka_unit_test(lora_updates_the_maps_of_peft_and_equals_it),
        cmocka_unit_test(the_adaption_prompt_equals_peft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
