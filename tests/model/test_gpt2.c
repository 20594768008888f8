/* GPT-2 against transformers, the invariants of packing, caching and prefixes, and model files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "model/decoding.h"
#include "support/feed.h"
#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { LAYERS = 2, WIDTH = 32, VOCABULARY = 97 };

/* ---- parity ---- */

static void logits_loss_and_every_gradient_equal_those_of_transformers(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_safetensors *file = golden_open("finetune");
    golden_batch batch = golden_read_batch(0, 0);
    sp_params_train(&model->params, true);
    sp_tape tape = {0};
    golden_difference d = assert_golden_pass(&tape, model, &batch, NULL, file);
    d.gradient = assert_golden_gradients(&model->params, file, NULL);
    golden_report(GOLDEN_FOLDER, "fine-tune", "finetune", d);
    sp_tape_free(&tape);
    sp_safetensors_close(file);
    sp_model_free(model);
}

/* ---- invariants ---- */

/* Logits [tokens, VOCABULARY] of one sequence, owned by the caller. */
static float *logits_of(const sp_model *model, const int *ids, int tokens, int first_position,
                        const sp_kv *prefix) {
    sp_tape tape = {.inference = true};
    int positions[GOLDEN_ROWS];
    for (int i = 0; i < tokens; i++) positions[i] = first_position + i;
    sp_steering steering = {.prefix = prefix};
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, tokens},
                      .positions = positions,
                      .steering = &steering};
    sp_var *hidden = sp_model_forward(&tape, model, ids, &ctx);
    sp_var *logits = sp_model_logits(&tape, model, hidden, tokens);
    size_t count = (size_t)tokens * VOCABULARY;
    float *copy = memcpy(sp_alloc_floats(count), logits->data, count * sizeof(float));
    sp_tape_free(&tape);
    return copy;
}

static void a_packed_example_has_the_same_logits_as_alone(void **state) {
    (void)state;
    sp_model *model = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    sp_tape tape = {.inference = true};
    sp_context ctx = golden_context(&b, NULL);
    sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
    sp_var *packed = golden_logits(&tape, model, &b, hidden);
    for (int s = 0; s < b.sequences; s++) {
        int first = b.offsets[s], tokens = b.offsets[s + 1] - first;
        float *alone = logits_of(model, b.ids + first, tokens, 0, NULL);
        assert_near("logits", packed->data + first * packed->ld, alone, (size_t)tokens * VOCABULARY,
                    1e-5);
        free(alone);
    }
    sp_tape_free(&tape);
    sp_model_free(model);
}

/* A prefix of `length` random keys and values for every layer. */
typedef struct random_prefix {
    sp_var rows[2 * LAYERS];
    sp_kv kv[LAYERS];
} random_prefix;

static void make_prefix(random_prefix *p, int length) {
    sp_rng rng = sp_rng_make(3, "prefix");
    for (int i = 0; i < 2 * LAYERS; i++) {
        p->rows[i] = sp_leaf(length, WIDTH);
        for (long k = 0; k < p->rows[i].rows * WIDTH; k++) p->rows[i].data[k] = sp_rng_normal(&rng);
    }
    for (int i = 0; i < LAYERS; i++)
        p->kv[i] = (sp_kv){.key = &p->rows[2 * i], .value = &p->rows[2 * i + 1]};
}

static void free_prefix(random_prefix *p) {
    for (int i = 0; i < 2 * LAYERS; i++) sp_leaf_free(&p->rows[i]);
}

/* Feeds the third golden sequence in pieces (the last size repeats) and compares each piece's last
 * logits with those of one full pass. */
static void check_pieces(const sp_model *model, const sp_steering *steering, const int *sizes,
                         int size_count) {
    golden_batch b = golden_read_batch(0, 0);
    const int *ids = b.ids + b.offsets[2];
    int tokens = b.offsets[3] - b.offsets[2];
    float *full = logits_of(model, ids, tokens, steering->first_position, steering->prefix);
    sp_decoder d;
    sp_decoder_init(&d, model, steering, 2, tokens);
    for (int done = 0, piece = 0; done < tokens; piece++) {
        int count = sizes[piece < size_count ? piece : size_count - 1];
        const float *logits = feed(&d, 1, (int[]){1}, &count, ids + done);
        done += count;
        assert_near("logits", logits, full + (done - 1) * VOCABULARY, VOCABULARY, 1e-5);
    }
    sp_decoder_free(&d);
    free(full);
}

static void cached_decoding_gives_the_logits_of_the_full_pass(void **state) {
    (void)state;
    sp_model *model = golden_model();
    random_prefix prefix;
    make_prefix(&prefix, 4);
    sp_steering plain = {0}, steered = {.prefix = prefix.kv, .first_position = 4};
    check_pieces(model, &plain, (int[]){1}, 1);
    check_pieces(model, &plain, (int[]){5, 3, 4}, 3);
    check_pieces(model, &steered, (int[]){1}, 1);
    check_pieces(model, &steered, (int[]){7, 5}, 2);
    free_prefix(&prefix);
    sp_model_free(model);
}

static void cached_sequences_of_a_group_do_not_mix(void **state) {
    (void)state;
    sp_model *model = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    sp_steering plain = {0};
    sp_decoder d;
    sp_decoder_init(&d, model, &plain, 3, 16);
    int slots[3] = {2, 0, 1}, counts[3], ones[3] = {1, 1, 1}, last[3], ids[GOLDEN_TOKENS], n = 0;
    for (int s = 0; s < 3; s++) {
        counts[s] = b.offsets[s + 1] - b.offsets[s] - 1;
        for (int i = 0; i < counts[s]; i++) ids[n++] = b.ids[b.offsets[s] + i];
        last[s] = b.ids[b.offsets[s + 1] - 1];
    }
    feed(&d, 3, slots, counts, ids);
    const float *logits = feed(&d, 3, slots, ones, last);
    for (int s = 0; s < 3; s++) {
        float *full = logits_of(model, b.ids + b.offsets[s], counts[s] + 1, 0, NULL);
        assert_near("logits", logits + s * VOCABULARY, full + counts[s] * VOCABULARY, VOCABULARY,
                    1e-5);
        free(full);
    }
    sp_decoder_free(&d);
    sp_model_free(model);
}

static void a_prefix_of_length_0_changes_nothing_to_the_bit(void **state) {
    (void)state;
    sp_model *model = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    random_prefix empty;
    make_prefix(&empty, 0);
    sp_kv none[LAYERS] = {{0}};
    float *plain = logits_of(model, b.ids, 12, 0, NULL);
    float *with_empty = logits_of(model, b.ids, 12, 0, empty.kv);
    float *with_none = logits_of(model, b.ids, 12, 0, none);
    assert_memory_equal(plain, with_empty, 12 * VOCABULARY * sizeof(float));
    assert_memory_equal(plain, with_none, 12 * VOCABULARY * sizeof(float));
    free(plain);
    free(with_empty);
    free(with_none);
    free_prefix(&empty);
    sp_model_free(model);
}

/* Keys and values that the model computes for `words` [count]. */
static void prefix_from_words(const sp_model *model, const int *words, int count,
                              random_prefix *p) {
    sp_steering plain = {0};
    sp_decoder d;
    make_prefix(p, count);
    sp_decoder_init(&d, model, &plain, 1, count);
    feed(&d, 1, (int[]){0}, &count, words);
    size_t bytes = WIDTH * sizeof(float);
    for (int layer = 0; layer < LAYERS; layer++)
        for (int i = 0; i < count; i++) {
            memcpy(p->kv[layer].key->data + i * WIDTH, sp_cache_key(&d.cache, layer, 0, i), bytes);
            memcpy(p->kv[layer].value->data + i * WIDTH, sp_cache_value(&d.cache, layer, 0, i),
                   bytes);
        }
    sp_decoder_free(&d);
}

static void a_prefix_equals_the_concatenated_sequence_with_those_keys_and_values(void **state) {
    (void)state;
    sp_model *model = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    random_prefix prefix;
    prefix_from_words(model, b.ids, 5, &prefix);
    float *whole = logits_of(model, b.ids, 14, 0, NULL);
    float *after = logits_of(model, b.ids + 5, 9, 5, prefix.kv);
    assert_near("logits", after, whole + 5 * VOCABULARY, 9 * VOCABULARY, 1e-5);
    free(whole);
    free(after);
    free_prefix(&prefix);
    sp_model_free(model);
}

/* Multiplies the columns of the queries in a layer's c_attn. */
static void scale_queries(const sp_model *model, int layer, float factor) {
    static const char *const parts[] = {"weight", "bias"};
    for (int k = 0; k < 2; k++) {
        char *name = sp_format("transformer.h.%d.attn.c_attn.%s", layer, parts[k]);
        const sp_var *v = &sp_params_find(&model->params, name)->var;
        for (long r = 0; r < v->rows; r++)
            for (long c = 0; c < WIDTH; c++) v->data[r * v->ld + c] *= factor;
        free(name);
    }
}

/* As in GPT2Attention of transformers: scores / sqrt(8) unless scale_attn_weights is false, and
 * divided by the layer's number with scale_attn_by_inverse_layer_idx. */
static void variants_of_the_scores_equal_scaled_queries(void **state) {
    (void)state;
    for (int k = 1; k < 4; k++) {
        sp_model *variant = golden_model(), *plain = golden_model();
        golden_batch b = golden_read_batch(0, 0);
        variant->config.unscaled_scores = k & 1;
        variant->config.scores_by_layer = k & 2;
        for (int layer = 0; layer < LAYERS; layer++)
            scale_queries(plain, layer, (k & 1 ? sqrtf(8) : 1) / (float)(k & 2 ? layer + 1 : 1));
        float *expected = logits_of(plain, b.ids, 14, 0, NULL);
        float *got = logits_of(variant, b.ids, 14, 0, NULL);
        assert_near("logits", got, expected, 14 * VOCABULARY, 1e-5);
        free(expected);
        free(got);
        sp_model_free(variant);
        sp_model_free(plain);
    }
}

/* ---- files ---- */

/* As the files on the hub are: names without "transformer.", the causal mask and its value saved
 * among the weights; gpt2's and distilgpt2's keys, without n_inner. */
static void a_checkpoint_of_the_bare_model_with_stray_buffers_opens(void **state) {
    (void)state;
    static const char config[] =
        "{\"activation_function\": \"gelu_new\", \"architectures\": [\"GPT2LMHeadModel\"], "
        "\"attn_pdrop\": 0.1, \"bos_token_id\": 0, \"embd_pdrop\": 0.1, \"eos_token_id\": 0, "
        "\"id2label\": {\"0\": \"LABEL_0\"}, \"initializer_range\": 0.02, "
        "\"layer_norm_epsilon\": 1e-05, \"model_type\": \"gpt2\", \"n_ctx\": 64, \"n_embd\": 32, "
        "\"n_head\": 4, \"n_inner\": null, \"n_layer\": 2, \"n_positions\": 64, "
        "\"reorder_and_upcast_attn\": false, \"resid_pdrop\": 0.1, \"scale_attn_weights\": true, "
        "\"summary_first_dropout\": 0.1, \"summary_type\": \"cls_index\", "
        "\"task_specific_params\": {\"text-generation\": {\"do_sample\": true}}, "
        "\"vocab_size\": 97}";
    sp_model *model = golden_model(), *again = NULL;
    char *folder = make_folder(), *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    size_t count = model->params.count;
    sp_named_tensor *tensors = sp_alloc(count + 2, sizeof *tensors);
    float mask[64 * 64] = {0}, masked = -1e4f;
    for (size_t i = 0; i < count; i++) {
        const sp_param *p = model->params.items[i];
        tensors[i] = (sp_named_tensor){.name = p->name + strlen("transformer."),
                                       .dtype = SP_F32,
                                       .rank = p->rank,
                                       .dims = {p->dims[0], p->dims[1]},
                                       .data = p->var.data};
    }
    tensors[count] = (sp_named_tensor){
        .name = "h.0.attn.bias", .dtype = SP_F32, .rank = 4, .dims = {1, 1, 64, 64}, .data = mask};
    tensors[count + 1] = (sp_named_tensor){
        .name = "h.0.attn.masked_bias", .dtype = SP_F32, .rank = 1, .dims = {1}, .data = &masked};
    assert_int_equal(sp_safetensors_write(weights_path, tensors, count + 2), SP_OK);
    assert_int_equal(sp_write_file(config_path, config, strlen(config)), SP_OK);
    if (sp_model_open(folder, SP_PRECISION_FP32, &again)) fail_msg("%s", sp_error());
    assert_int_equal(again->config.n_inner, 128);
    for (size_t i = 0; i < count; i++) {
        const sp_var *a = &model->params.items[i]->var, *b = &again->params.items[i]->var;
        assert_memory_equal(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float));
    }
    sp_model_free(model);
    sp_model_free(again);
    free(tensors);
    free(config_path);
    free(weights_path);
    remove_folder(folder);
}

static void check_round_trip(sp_dtype dtype, double relative) {
    sp_model *model = golden_model(), *again = NULL;
    char *folder = make_folder();
    assert_int_equal(sp_model_save(model, folder, dtype), SP_OK);
    assert_int_equal(sp_model_open(folder, SP_PRECISION_FP32, &again), SP_OK);
    assert_memory_equal(&model->config, &again->config, sizeof model->config);
    assert_int_equal(again->params.count, model->params.count);
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_param *a = model->params.items[i], *b = again->params.items[i];
        assert_string_equal(a->name, b->name);
        for (long k = 0; k < a->var.rows * a->var.cols; k++)
            assert_near(a->name, &b->var.data[k], &a->var.data[k], 1,
                        relative * fmax(fabs((double)a->var.data[k]), 6e-5));
    }
    sp_model_free(model);
    sp_model_free(again);
    remove_folder(folder);
}

static void a_saved_model_opens_with_the_same_values_in_f32(void **state) {
    (void)state;
    check_round_trip(SP_F32, 0);
}

static void a_model_saved_in_f16_opens_within_rounding(void **state) {
    (void)state;
    check_round_trip(SP_F16, 0x1p-11);
}

/* A copy of the golden model whose config.json has `from` replaced by `to`, and whose weights are
 * cut to `share` of their bytes. */
static char *damaged_model(const char *from, const char *to, double share) {
    char *folder = make_folder();
    sp_buf config = {0}, weights = {0}, changed = {0};
    assert_int_equal(sp_read_file(GOLDEN_FOLDER "/config.json", &config), SP_OK);
    assert_int_equal(sp_read_file(GOLDEN_FOLDER "/model.safetensors", &weights), SP_OK);
    char *at = strstr(config.data, from);
    assert_non_null(at);
    sp_buf_append(&changed, config.data, (size_t)(at - config.data));
    sp_buf_puts(&changed, to);
    sp_buf_puts(&changed, at + strlen(from));
    char *config_path = sp_path_join(folder, "config.json");
    char *weights_path = sp_path_join(folder, "model.safetensors");
    size_t kept = (size_t)(share * (double)weights.len);
    assert_int_equal(sp_write_file(config_path, changed.data, changed.len), SP_OK);
    assert_int_equal(sp_write_file(weights_path, weights.data, kept), SP_OK);
    free(config_path);
    free(weights_path);
    sp_buf_free(&config);
    sp_buf_free(&weights);
    sp_buf_free(&changed);
    return folder;
}

static void assert_message_has(const char *what) {
    if (!strstr(sp_error(), what)) fail_msg("'%s' is not in: %s", what, sp_error());
}

typedef struct damage {
    const char *from, *to;
    double share;
    const char *file, *place; /* what the message must name */
} damage;

static void damaged_models_are_refused_with_file_and_place(void **state) {
    (void)state;
    static const damage damages[] = {
        {"\"gpt2\"", "\"gpt7\"", 1, "config.json", "gpt7"},
        {"\"n_layer\"", "\"layers\"", 1, "config.json", "n_layer"},
        {"\"n_embd\": 32", "\"n_embd\": 30", 1, "config.json", "n_embd 30"},
        {"\"n_embd\": 32", "\"n_embd\": \"32\"", 1, "config.json", "n_embd"},
        {"\"n_head\": 4", "\"n_head\": -4", 1, "config.json", "n_head"},
        {"\"gelu_new\"", "\"swish\"", 1, "config.json", "swish"},
        {"{", "[", 1, "config.json:", "JSON"},
        {"\"n_positions\": 64", "\"n_positions\": 60", 1, "model.safetensors", "wpe.weight"},
        {"\"n_layer\": 2", "\"n_layer\": 1000000", 1, "model.safetensors", "truncated"},
        {"\"n_layer\": 2", "\"n_layer\": 2", 0.5, "model.safetensors", "truncated"},
        {"\"n_layer\": 2", "\"n_layer\": 2", 0.9, "model.safetensors", "truncated"},
        {"\"n_layer\": 2", "\"n_layer\": 2", 0, "model.safetensors", "truncated"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const damage *d = &damages[i];
        char *folder = damaged_model(d->from, d->to, d->share);
        sp_model *model = NULL;
        sp_status st = sp_model_open(folder, SP_PRECISION_FP32, &model);
        if (st != SP_ERR_FORMAT) fail_msg("%s -> %s, %g: status %d", d->from, d->to, d->share, st);
        assert_null(model);
        assert_message_has(folder);
        assert_message_has(d->file);
        assert_message_has(d->place);
        remove_folder(folder);
    }
}

static void a_missing_model_or_file_is_named(void **state) {
    (void)state;
    sp_model *model = NULL;
    assert_int_equal(sp_model_open("tests/golden/gpt2-absent", SP_PRECISION_FP32, &model),
                     SP_ERR_MISSING);
    assert_message_has("tests/golden/gpt2-absent");
    assert_int_equal(sp_model_open("gpt2-absent", SP_PRECISION_FP32, &model), SP_ERR_MISSING);
    assert_message_has("gpt2-absent");
    char *folder = damaged_model("{", "{", 1);
    char *weights = sp_path_join(folder, "model.safetensors");
    remove(weights);
    assert_int_equal(sp_model_open(folder, SP_PRECISION_FP32, &model), SP_ERR_MISSING);
    assert_message_has(weights);
    free(weights);
    remove_folder(folder);
    assert_null(model);
}

static void assert_deviation(const sp_model *model, const char *name, double expected) {
    const sp_var *v = &sp_params_find(&model->params, name)->var;
    double squares = 0;
    for (long i = 0; i < v->rows * v->cols; i++) squares += (double)v->data[i] * v->data[i];
    double deviation = sqrt(squares / (double)(v->rows * v->cols));
    if (fabs(deviation - expected) > 0.1 * expected)
        fail_msg("%s: deviation %g, expected %g", name, deviation, expected);
}

static void only_projections_into_the_residual_stream_start_scaled_down(void **state) {
    (void)state;
    sp_model *model = golden_model();
    model->config.initializer_range = 0.02;
    sp_model_initialise(model, 3);
    const double residual = 0.02 / sqrt(2.0 * LAYERS);
    assert_deviation(model, "transformer.wte.weight", 0.02);
    assert_deviation(model, "transformer.h.0.attn.c_attn.weight", 0.02);
    assert_deviation(model, "transformer.h.1.mlp.c_fc.weight", 0.02);
    assert_deviation(model, "transformer.h.0.attn.c_proj.weight", residual);
    assert_deviation(model, "transformer.h.1.mlp.c_proj.weight", residual);
    assert_deviation(model, "transformer.h.0.attn.c_attn.bias", 0);
    assert_deviation(model, "transformer.ln_f.weight", 1);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_loss_and_every_gradient_equal_those_of_transformers),
        cmocka_unit_test(only_projections_into_the_residual_stream_start_scaled_down),
        cmocka_unit_test(a_packed_example_has_the_same_logits_as_alone),
        cmocka_unit_test(cached_decoding_gives_the_logits_of_the_full_pass),
        cmocka_unit_test(cached_sequences_of_a_group_do_not_mix),
        cmocka_unit_test(a_prefix_of_length_0_changes_nothing_to_the_bit),
        cmocka_unit_test(a_prefix_equals_the_concatenated_sequence_with_those_keys_and_values),
        cmocka_unit_test(variants_of_the_scores_equal_scaled_queries),
        cmocka_unit_test(a_checkpoint_of_the_bare_model_with_stray_buffers_opens),
        cmocka_unit_test(a_saved_model_opens_with_the_same_values_in_f32),
        cmocka_unit_test(a_model_saved_in_f16_opens_within_rounding),
        cmocka_unit_test(damaged_models_are_refused_with_file_and_place),
        cmocka_unit_test(a_missing_model_or_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
