/* Generation against transformers' generate, and sampling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/decoding.h"
#include "support/feed.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { PROMPTS = 3, END = 0 };

static sp_decode_options defaults(int max_tokens) {
    sp_decode_options options;
    sp_options_default(sp_decode_option_table, &options);
    options.max_tokens = max_tokens;
    return options;
}

static void generate(const sp_model *model, const sp_decode_options *options, const sp_ints *inputs,
                     size_t count, uint64_t seed, sp_ints *out) {
    sp_steering plain = {0};
    memset(out, 0, count * sizeof *out);
    if (sp_generate(model, options, &plain, inputs, count, seed, NULL, NULL, out))
        fail_msg("%s", sp_error());
}

static void free_lists(sp_ints *lists, size_t count) {
    for (size_t i = 0; i < count; i++) sp_ints_free(&lists[i]);
}

static void assert_same_tokens(const sp_ints *got, const sp_ints *expected) {
    assert_int_equal(got->len, expected->len);
    for (size_t i = 0; i < got->len; i++) assert_int_equal(got->data[i], expected->data[i]);
}

static sp_ints golden_tokens(const sp_safetensors *file, const char *name, int prompt) {
    char *full = sp_format("%s.%d", name, prompt);
    sp_ints tokens = golden_ints(file, full);
    free(full);
    return tokens;
}

/* Generates from the three golden prompts together and compares with the vectors of `name`. */
static void check_golden(const sp_decode_options *options, const char *name) {
    sp_model *model = golden_model();
    sp_safetensors *file = golden_open("generation");
    sp_ints inputs[PROMPTS], out[PROMPTS];
    for (int i = 0; i < PROMPTS; i++) inputs[i] = golden_tokens(file, "prompt", i);
    generate(model, options, inputs, PROMPTS, 1, out);
    for (int i = 0; i < PROMPTS; i++) {
        sp_ints expected = golden_tokens(file, name, i);
        if (expected.data[expected.len - 1] == END) expected.len--;
        assert_same_tokens(&out[i], &expected);
        sp_ints_free(&expected);
    }
    free_lists(inputs, PROMPTS);
    free_lists(out, PROMPTS);
    sp_safetensors_close(file);
    sp_model_free(model);
}

static void greedy_tokens_equal_those_of_transformers(void **state) {
    (void)state;
    sp_decode_options options = defaults(10);
    check_golden(&options, "greedy");
}

static void beam_search_tokens_equal_those_of_transformers(void **state) {
    (void)state;
    sp_decode_options options = defaults(10);
    options.beam = 3;
    check_golden(&options, "beam.1.0.late");
    options.length_penalty = 0.6;
    check_golden(&options, "beam.0.6.late");
}

static void a_beam_of_2_steered_by_a_prefix_of_words_continues_the_words(void **state) {
    (void)state;
    sp_model *model = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    sp_steering plain = {0};
    sp_decoder d;
    int words = 5, width = model->config.n_embd;
    sp_decoder_init(&d, model, &plain, 1, words);
    feed(&d, 1, (int[]){0}, &words, b.ids);
    sp_var rows[4];
    for (int i = 0; i < 4; i++) rows[i] = sp_leaf(words, width);
    size_t bytes = (size_t)width * sizeof(float);
    for (int layer = 0; layer < 2; layer++)
        for (int i = 0; i < words; i++) {
            memcpy(rows[2 * layer].data + i * width, sp_cache_key(&d.cache, layer, 0, i), bytes);
            memcpy(rows[2 * layer + 1].data + i * width, sp_cache_value(&d.cache, layer, 0, i),
                   bytes);
        }
    sp_kv prefix[2] = {{.key = &rows[0], .value = &rows[1]}, {.key = &rows[2], .value = &rows[3]}};
    sp_steering steered = {.prefix = prefix, .first_position = words};
    sp_ints whole = {0}, rest = {0}, expected = {0}, got = {0};
    sp_ints_append(&whole, b.ids, 12);
    sp_ints_append(&rest, b.ids + words, 12 - (size_t)words);
    sp_decode_options options = defaults(8);
    options.beam = 2;
    assert_int_equal(sp_generate(model, &options, &plain, &whole, 1, 1, NULL, NULL, &expected),
                     SP_OK);
    assert_int_equal(sp_generate(model, &options, &steered, &rest, 1, 1, NULL, NULL, &got), SP_OK);
    assert_same_tokens(&got, &expected);
    free_lists((sp_ints[]){whole, rest, expected, got}, 4);
    for (int i = 0; i < 4; i++) sp_leaf_free(&rows[i]);
    sp_decoder_free(&d);
    sp_model_free(model);
}

/* ---- many sequences at a time ---- */

enum { INPUTS = 7, LONGEST = 60 };

/* Inputs of 1 to 60 tokens; the longest leaves room for 4 in the context of 64. */
static void make_inputs(sp_ints *inputs) {
    static const int lengths[INPUTS] = {3, LONGEST, 1, 8, 20, 5, 55};
    sp_rng rng = sp_rng_make(5, "inputs");
    for (int i = 0; i < INPUTS; i++) {
        inputs[i] = (sp_ints){0};
        for (int k = 0; k < lengths[i]; k++)
            sp_ints_push(&inputs[i], 1 + (int)sp_rng_below(&rng, 96));
    }
}

static void check_batches(sp_decode_options options) {
    sp_model *model = golden_model();
    sp_ints inputs[INPUTS], one[INPUTS], many[INPUTS];
    make_inputs(inputs);
    options.batch = 1;
    generate(model, &options, inputs, INPUTS, 11, one);
    static const int batches[] = {2, 3, INPUTS, 32};
    for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
        options.batch = batches[k];
        generate(model, &options, inputs, INPUTS, 11, many);
        for (int i = 0; i < INPUTS; i++) assert_same_tokens(&many[i], &one[i]);
        free_lists(many, INPUTS);
    }
    free_lists(inputs, INPUTS);
    free_lists(one, INPUTS);
    sp_model_free(model);
}

static void results_do_not_depend_on_the_batch(void **state) {
    (void)state;
    sp_decode_options greedy = defaults(10), sampled = greedy, beam = greedy;
    sampled.temperature = 1;
    beam.beam = 3;
    check_batches(greedy);
    check_batches(sampled);
    check_batches(beam);
}

/* What sp_generate tells: rising numbers, the last of which is all. */
typedef struct heard {
    size_t calls, last;
} heard;

static void hear(void *user, size_t done) {
    heard *h = user;
    assert_true(done > h->last);
    h->last = done;
    h->calls++;
}

static void the_caller_hears_of_every_input_that_is_done(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_steering plain = {0};
    sp_ints inputs[INPUTS], out[INPUTS] = {{0}};
    make_inputs(inputs);
    sp_decode_options options = defaults(10);
    options.batch = 2;
    heard h = {0};
    assert_int_equal(sp_generate(model, &options, &plain, inputs, INPUTS, 1, hear, &h, out), SP_OK);
    assert_int_equal(h.last, INPUTS);
    assert_true(h.calls > 1);
    assert_int_equal(sp_generate(model, &options, &plain, inputs, 0, 1, hear, &h, out), SP_OK);
    free_lists(inputs, INPUTS);
    free_lists(out, INPUTS);
    sp_model_free(model);
}

/* An infix of two rows per layer, and two virtual rows before the last token of each input. */
static void an_infix_and_virtual_rows_do_not_depend_on_the_batch(void **state) {
    (void)state;
    sp_model *model = golden_model();
    long width = model->config.n_embd;
    sp_rng rng = sp_rng_make(6, "infix");
    sp_var rows[5];
    for (int i = 0; i < 5; i++) {
        rows[i] = sp_leaf(2, width);
        for (long k = 0; k < 2 * width; k++) rows[i].data[k] = sp_rng_normal(&rng);
    }
    sp_kv prefix[2] = {{.key = &rows[0], .value = &rows[1]}, {.key = &rows[2], .value = &rows[3]}};
    sp_steering steering = {
        .virtual_rows = &rows[4], .prefix = prefix, .first_position = 2, .infix = true};
    sp_ints inputs[INPUTS];
    make_inputs(inputs);
    for (int i = 0; i < INPUTS; i++) {
        if (inputs[i].len > 50) inputs[i].len = 50;
        sp_ints_append(&inputs[i], (int[]){-1, -2, 7}, 3);
    }
    for (int beam = 1; beam <= 3; beam += 2) {
        sp_decode_options options = defaults(8);
        options.beam = beam;
        sp_ints alone[INPUTS] = {{0}}, together[INPUTS] = {{0}};
        options.batch = 1;
        assert_int_equal(
            sp_generate(model, &options, &steering, inputs, INPUTS, 1, NULL, NULL, alone), SP_OK);
        options.batch = 3;
        assert_int_equal(
            sp_generate(model, &options, &steering, inputs, INPUTS, 1, NULL, NULL, together),
            SP_OK);
        for (int i = 0; i < INPUTS; i++) assert_same_tokens(&together[i], &alone[i]);
        free_lists(alone, INPUTS);
        free_lists(together, INPUTS);
    }
    free_lists(inputs, INPUTS);
    for (int i = 0; i < 5; i++) sp_leaf_free(&rows[i]);
    sp_model_free(model);
}

static void generation_stops_at_the_end_of_the_context(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_ints inputs[INPUTS], out[INPUTS];
    make_inputs(inputs);
    for (int beam = 1; beam <= 2; beam++) {
        sp_decode_options options = defaults(1000);
        options.beam = beam;
        model->config.eos_token_id = -1;
        generate(model, &options, inputs, INPUTS, 1, out);
        for (int i = 0; i < INPUTS; i++)
            assert_int_equal(inputs[i].len + out[i].len, model->config.n_positions);
        free_lists(out, INPUTS);
    }
    free_lists(inputs, INPUTS);
    sp_model_free(model);
}

static void an_input_that_leaves_no_room_is_refused(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_decode_options options = defaults(10);
    sp_ints input = {0}, out = {0};
    sp_steering plain = {0}, late = {.first_position = 10};
    for (int i = 0; i < 64; i++) sp_ints_push(&input, 1);
    assert_int_equal(sp_generate(model, &options, &plain, &input, 1, 1, NULL, NULL, &out),
                     SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "64"));
    input.len = 54;
    assert_int_equal(sp_generate(model, &options, &late, &input, 1, 1, NULL, NULL, &out),
                     SP_ERR_DATA);
    assert_int_equal(out.len, 0);
    sp_ints_free(&input);
    sp_model_free(model);
}

/* ---- sampling ---- */

static void check_equals_greedy(sp_decode_options options) {
    sp_model *model = golden_model();
    sp_ints inputs[INPUTS], got[INPUTS], expected[INPUTS];
    make_inputs(inputs);
    sp_decode_options greedy = defaults(options.max_tokens);
    generate(model, &greedy, inputs, INPUTS, 1, expected);
    generate(model, &options, inputs, INPUTS, 1, got);
    for (int i = 0; i < INPUTS; i++) assert_same_tokens(&got[i], &expected[i]);
    free_lists(inputs, INPUTS);
    free_lists(got, INPUTS);
    free_lists(expected, INPUTS);
    sp_model_free(model);
}

static void sampling_among_the_single_likeliest_token_is_greedy(void **state) {
    (void)state;
    sp_decode_options options = defaults(10);
    options.temperature = 1;
    options.top_k = 1;
    check_equals_greedy(options);
    options.top_k = 0;
    options.top_p = 1e-6;
    check_equals_greedy(options);
}

static void top_k_of_the_whole_vocabulary_samples_as_without_top_k(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_ints inputs[INPUTS], all[INPUTS], listed[INPUTS];
    make_inputs(inputs);
    sp_decode_options options = defaults(10);
    options.temperature = 1.5;
    generate(model, &options, inputs, INPUTS, 4, all);
    options.top_k = model->config.vocab_size;
    generate(model, &options, inputs, INPUTS, 4, listed);
    for (int i = 0; i < INPUTS; i++) assert_same_tokens(&listed[i], &all[i]);
    free_lists(inputs, INPUTS);
    free_lists(all, INPUTS);
    free_lists(listed, INPUTS);
    sp_model_free(model);
}

static void the_same_seed_gives_the_same_tokens_and_another_seed_others(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_ints inputs[INPUTS], a[INPUTS], b[INPUTS], c[INPUTS];
    make_inputs(inputs);
    sp_decode_options options = defaults(10);
    options.temperature = 1.5;
    generate(model, &options, inputs, INPUTS, 4, a);
    generate(model, &options, inputs, INPUTS, 4, b);
    generate(model, &options, inputs, INPUTS, 5, c);
    int different = 0;
    for (int i = 0; i < INPUTS; i++) {
        assert_same_tokens(&a[i], &b[i]);
        different +=
            a[i].len != c[i].len || memcmp(a[i].data, c[i].data, a[i].len * sizeof(int)) != 0;
    }
    assert_true(different > 3);
    free_lists(inputs, INPUTS);
    free_lists(a, INPUTS);
    free_lists(b, INPUTS);
    free_lists(c, INPUTS);
    sp_model_free(model);
}

enum { TOKENS = 6, DRAWS = 40000 };
static const float fixed_logits[TOKENS] = {1.0f, 3.0f, -2.0f, 2.0f, 2.5f, 0.0f};

/* Draws from fixed_logits and compares frequencies with `expected` (four standard errors). */
static void check_frequencies(const sp_decode_options *options, const double *expected) {
    int counts[TOKENS] = {0};
    sp_rng rng = sp_rng_make(9, "draws");
    for (int i = 0; i < DRAWS; i++) {
        sp_candidate candidates[TOKENS];
        for (int k = 0; k < TOKENS; k++) candidates[k] = (sp_candidate){fixed_logits[k], k};
        counts[sp_sample_token(options, candidates, TOKENS, &rng)]++;
    }
    for (int i = 0; i < TOKENS; i++) {
        double p = expected[i], got = (double)counts[i] / DRAWS;
        if (fabs(got - p) > 4 * sqrt(p * (1 - p) / DRAWS))
            fail_msg("token %d drawn with frequency %.4f, expected %.4f", i, got, p);
    }
}

/* Softmax of fixed_logits / temperature over the tokens of the bit set `kept`. */
static void softmax_of(double temperature, unsigned kept, double *p) {
    double sum = 0;
    for (int i = 0; i < TOKENS; i++) {
        p[i] = kept >> i & 1 ? exp((double)fixed_logits[i] / temperature) : 0;
        sum += p[i];
    }
    for (int i = 0; i < TOKENS; i++) p[i] /= sum;
}

static void frequencies_follow_the_softmax_of_the_tokens_kept(void **state) {
    (void)state;
    double p[TOKENS];
    sp_decode_options options = defaults(1);
    options.temperature = 1;
    softmax_of(1, 0x3f, p);
    check_frequencies(&options, p);
    options.temperature = 2;
    softmax_of(2, 0x3f, p);
    check_frequencies(&options, p);
    options.top_k = 3; /* tokens 1, 4, 3 */
    softmax_of(2, 0x1a, p);
    check_frequencies(&options, p);
    options.top_p = 0.6; /* of these, 1 and 4 have more than 0.6 together, 1 alone less */
    softmax_of(2, 0x12, p);
    check_frequencies(&options, p);
}

static void weights_that_are_not_numbers_are_refused_and_not_decoded(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_param *p = sp_params_find(&model->params, "transformer.h.1.mlp.c_proj.bias");
    p->var.data[3] = NAN;
    sp_ints input = {0}, out = {0};
    sp_ints_push(&input, 5);
    sp_steering plain = {0};
    for (int beam = 1; beam <= 2; beam++) {
        sp_decode_options options = defaults(4);
        options.beam = beam;
        assert_int_equal(sp_generate(model, &options, &plain, &input, 1, 1, NULL, NULL, &out),
                         SP_ERR_NUMERIC);
        assert_int_equal(out.len, 0);
    }
    free_lists((sp_ints[]){input, out}, 2);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_tokens_equal_those_of_transformers),
        cmocka_unit_test(beam_search_tokens_equal_those_of_transformers),
        cmocka_unit_test(a_beam_of_2_steered_by_a_prefix_of_words_continues_the_words),
        cmocka_unit_test(results_do_not_depend_on_the_batch),
        cmocka_unit_test(the_caller_hears_of_every_input_that_is_done),
        cmocka_unit_test(an_infix_and_virtual_rows_do_not_depend_on_the_batch),
        cmocka_unit_test(generation_stops_at_the_end_of_the_context),
        cmocka_unit_test(an_input_that_leaves_no_room_is_refused),
        cmocka_unit_test(weights_that_are_not_numbers_are_refused_and_not_decoded),
        cmocka_unit_test(sampling_among_the_single_likeliest_token_is_greedy),
        cmocka_unit_test(top_k_of_the_whole_vocabulary_samples_as_without_top_k),
        cmocka_unit_test(the_same_seed_gives_the_same_tokens_and_another_seed_others),
        cmocka_unit_test(frequencies_follow_the_softmax_of_the_tokens_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
