/* Several prompts on one model: they answer as each does alone, in one batch where they can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/golden.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/ensemble.h"

#include <stdio.h>

enum { VOTERS = 4, LABELS = 3, EXAMPLES = 12, END = 0 };

/* ---- counting ---- */

static int passes, most_sequences;
static const sp_family *counted_family;

/* Every forward pass begins with the embedding of its tokens. */
static sp_var *count_embed(sp_tape *t, const sp_model *model, const int *ids,
                           const sp_context *ctx) {
    passes++;
    if (ctx->sequences > most_sequences) most_sequences = ctx->sequences;
    return counted_family->embed(t, model, ids, ctx);
}

/* ---- a team ---- */

typedef struct team {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_family family;
    sp_examples examples;
    sp_soft_prompt prompts[VOTERS];
    sp_class_head heads[VOTERS];
    sp_ensemble ensemble;
} team;

static sp_examples make_examples(const sp_tokenizer *tokenizer, sp_output output) {
    static const char *const inputs[EXAMPLES] = {"xa",  "xb",  "xc",  "bxa", "cxb", "axc",
                                                 "cca", "aab", "bbc", "xxa", "x",   "xxcab"};
    sp_split split = {0};
    sp_examples examples;
    for (int i = 0; i < EXAMPLES; i++) {
        sp_example *e = sp_split_add(&split);
        e->input = sp_strdup(inputs[i]);
        e->label = i % LABELS;
        sp_strings_push(&e->references, "x");
    }
    if (sp_examples_encode(&split, output, " ", tokenizer, END, &examples))
        fail_msg("%s", sp_error());
    sp_split_free(&split);
    return examples;
}

static sp_class_head make_head(sp_output output, const team *t, uint64_t seed) {
    static const char *const words[] = {"a", "b", "c"};
    static char *names[] = {"one", "two", "three"};
    sp_label labels[LABELS] = {{.name = names[0]}, {.name = names[1]}, {.name = names[2]}};
    sp_class_head head;
    for (int i = 0; i < LABELS; i++) sp_strings_push(&labels[i].words, words[i]);
    if (sp_class_head_create(output, labels, LABELS, t->tokenizer, t->model, seed, &head))
        fail_msg("%s", sp_error());
    for (int i = 0; i < LABELS; i++) sp_strings_free(&labels[i].words);
    return head;
}

/* A prompt of the method as it begins, with weights drawn by `seed`. */
static sp_soft_prompt make_prompt(const team *t, const char *method, int length,
                                  const char *template, uint64_t seed) {
    static const sp_init_source no_source = {0};
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = length;
    snprintf(options.init, sizeof options.init, "random");
    snprintf(options.template, sizeof options.template, "%s", template);
    sp_tuner tuner;
    sp_soft_prompt prompt;
    if (sp_tuner_create(method, &options, t->model, &no_source, seed, &tuner)) abort();
    sp_rng rng = sp_rng_make(seed, "test");
    for (size_t i = 0; i < tuner.params.count; i++) /* updates of low rank begin at nothing */
        for (long k = 0; k < tuner.params.items[i]->var.rows * tuner.params.items[i]->var.cols; k++)
            tuner.params.items[i]->var.data[k] += 0.3f * sp_rng_normal(&rng);
    if (sp_soft_prompt_from(&tuner, t->tokenizer, " ", &prompt)) fail_msg("%s", sp_error());
    sp_tuner_free(&tuner);
    return prompt;
}

static void open_team(team *t, const char *method, sp_output output) {
    *t = (team){.tokenizer = letters(), .model = golden_model()};
    t->examples = make_examples(t->tokenizer, output);
    for (int v = 0; v < VOTERS; v++) {
        t->prompts[v] = make_prompt(t, method, 3 + v, v == 2 ? "P x P" : "P x", (uint64_t)v + 1);
        if (output != SP_OUTPUT_TEXT) t->heads[v] = make_head(output, t, (uint64_t)v + 1);
    }
    counted_family = t->model->family;
    t->family = *counted_family;
    t->family.embed = count_embed;
    t->model->family = &t->family;
    if (sp_ensemble_make(t->model, t->prompts, t->heads, VOTERS, &t->ensemble))
        fail_msg("%s", sp_error());
    passes = most_sequences = 0;
}

static void close_team(team *t) {
    sp_ensemble_free(&t->ensemble);
    for (int v = 0; v < VOTERS; v++) {
        sp_soft_prompt_free(&t->prompts[v]);
        sp_class_head_free(&t->heads[v]);
    }
    sp_examples_free(&t->examples);
    t->model->family = counted_family;
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

/* Labels are those of each prompt alone, and the logarithms of probabilities near; returns the
 * number of passes that the ensemble took. */
static int check_labels(team *t, int batch) {
    int labels[VOTERS * EXAMPLES], alone[EXAMPLES];
    float shares[VOTERS * EXAMPLES * LABELS], own[EXAMPLES * LABELS];
    bool differ = false;
    passes = most_sequences = 0;
    if (sp_ensemble_classify(&t->ensemble, &t->examples, EXAMPLES, batch, labels, shares))
        fail_msg("%s", sp_error());
    int taken = passes;
    for (int v = 0; v < VOTERS; v++) {
        sp_classify_job job = {.model = t->model,
                               .head = &t->heads[v],
                               .prompt = &t->prompts[v],
                               .examples = &t->examples,
                               .count = EXAMPLES,
                               .batch = 5};
        sp_soft_prompt_merge(&t->prompts[v], t->model);
        assert_int_equal(sp_classify(&job, alone, own), SP_OK);
        sp_soft_prompt_unmerge(&t->prompts[v], t->model);
        assert_memory_equal(alone, labels + v * EXAMPLES, sizeof alone);
        for (int i = 0; i < EXAMPLES * LABELS; i++)
            assert_float_equal(logf(own[i]), logf(shares[v * EXAMPLES * LABELS + i]), 1e-4);
        differ = differ || fabsf(own[0] - shares[0]) > 1e-3f;
    }
    assert_true(differ); /* else every prompt says the same, and nothing was tested */
    return taken;
}

static void prompts_in_one_batch_label_as_each_does_alone(void **state) {
    (void)state;
    static const sp_output outputs[] = {SP_OUTPUT_VERBALIZER, SP_OUTPUT_LINEAR};
    for (int i = 0; i < 2; i++) {
        team t;
        open_team(&t, "prompt", outputs[i]);
        assert_true(t.ensemble.together);
        assert_int_equal(check_labels(&t, EXAMPLES), 1); /* all of them in one forward pass */
        passes = most_sequences = 0;
        int labels[VOTERS * EXAMPLES];
        float shares[VOTERS * EXAMPLES * LABELS];
        assert_int_equal(
            sp_ensemble_classify(&t.ensemble, &t.examples, EXAMPLES, EXAMPLES, labels, shares), 0);
        assert_int_equal(most_sequences, VOTERS * EXAMPLES);
        assert_int_equal(check_labels(&t, 5), 3);
        close_team(&t);
    }
}

static void other_methods_take_turns_on_the_same_model(void **state) {
    (void)state;
    static const char *const methods[] = {"p-tuning-v2", "lora", "adapter"};
    for (int i = 0; i < 3; i++) {
        team t;
        open_team(&t, methods[i], SP_OUTPUT_LINEAR);
        assert_false(t.ensemble.together);
        assert_int_equal(check_labels(&t, EXAMPLES), VOTERS);
        close_team(&t);
    }
}

static void prompts_in_one_batch_write_what_each_does_alone(void **state) {
    (void)state;
    team t;
    sp_strings together[VOTERS] = {0};
    sp_decode_options decode;
    sp_options_default(sp_decode_option_table, &decode);
    decode.max_tokens = 6;
    open_team(&t, "prompt", SP_OUTPUT_TEXT);
    if (sp_ensemble_predict(&t.ensemble, t.tokenizer, &decode, &t.examples, EXAMPLES, together))
        fail_msg("%s", sp_error());
    assert_int_equal(passes, 6); /* the inputs, then a token each of the 48 texts */
    for (int v = 0; v < VOTERS; v++) {
        sp_strings alone = {0};
        if (sp_predict(t.model, &t.prompts[v], t.tokenizer, &decode, &t.examples, EXAMPLES, 0, NULL,
                       NULL, &alone))
            fail_msg("%s", sp_error());
        for (int i = 0; i < EXAMPLES; i++) assert_string_equal(alone.data[i], together[v].data[i]);
        sp_strings_free(&alone);
        sp_strings_free(&together[v]);
    }
    close_team(&t);
}

static void prompts_of_different_questions_are_refused(void **state) {
    (void)state;
    team t;
    sp_ensemble mixed;
    open_team(&t, "prompt", SP_OUTPUT_LINEAR);
    free(t.heads[2].labels.data[1]);
    t.heads[2].labels.data[1] = sp_strdup("four");
    assert_int_equal(sp_ensemble_make(t.model, t.prompts, t.heads, VOTERS, &mixed), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "prompts 1 and 3 have different labels"));
    sp_ensemble_free(&mixed);
    t.heads[2].output = SP_OUTPUT_VERBALIZER;
    assert_int_equal(sp_ensemble_make(t.model, t.prompts, t.heads, VOTERS, &mixed), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "are linear, those of prompt 3 are verbalizer"));
    sp_ensemble_free(&mixed);
    t.heads[2].output = SP_OUTPUT_LINEAR;
    t.prompts[1].separator[0] = '\n';
    assert_int_equal(sp_ensemble_make(t.model, t.prompts, t.heads, VOTERS, &mixed), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "prompts 1 and 2 were trained with different separators"));
    sp_ensemble_free(&mixed);
    close_team(&t);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_in_one_batch_label_as_each_does_alone),
        cmocka_unit_test(other_methods_take_turns_on_the_same_model),
        cmocka_unit_test(prompts_in_one_batch_write_what_each_does_alone),
        cmocka_unit_test(prompts_of_different_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
