/* BERT and RoBERTa: files, config.json, precision, and what an encoder refuses. That they equal
 * transformers is shown by tests/tuning/test_bert.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "model/generate.h"
#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { VOCABULARY = 97 };

static const char *const folders[] = {"tests/golden/bert-tiny", "tests/golden/roberta-tiny", NULL};

static sp_model *open_model(const char *folder) {
    return golden_model_in(folder, SP_PRECISION_FP32);
}

/* A copy of what is there, owned by the caller. */
static float *copy_of(const sp_var *v) {
    size_t count = (size_t)(v->rows * v->cols);
    return memcpy(sp_alloc_floats(count), v->data, count * sizeof(float));
}

/* Masked-LM logits [GOLDEN_TOKENS, VOCABULARY] of the golden batch, owned by the caller. */
static float *logits_of(const sp_model *model) {
    golden_batch b = golden_read_batch(0, 0);
    sp_context ctx = golden_context(&b, NULL);
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
    float *logits = copy_of(sp_model_logits(&t, model, hidden, GOLDEN_TOKENS));
    sp_tape_free(&t);
    return logits;
}

/* ---- the pass ---- */

/* The first rows of the sequences [3, n_embd], and the gradient of the embedding for a loss on
 * them; both the caller's. */
static float *first_rows(sp_model *model, bool wanted, bool recompute, float **gradient) {
    golden_batch b = golden_read_batch(0, 0);
    sp_context ctx = golden_context(&b, NULL);
    sp_tape t = {0};
    ctx.recompute = recompute;
    if (wanted) ctx.wanted = b.offsets, ctx.wanted_count = b.sequences;
    sp_params_train(&model->params, true);
    sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
    if (!wanted) hidden = sp_gather_rows(&t, hidden, b.offsets, b.sequences);
    float *rows = copy_of(hidden);
    sp_tape_backward(&t, sp_cross_entropy(&t, hidden, (int[]){3, 1, 2}), 1.0f);
    const sp_var *e = model->embedding;
    size_t count = (size_t)(e->rows * e->cols);
    *gradient = memcpy(sp_alloc_floats(count), e->grad, count * sizeof(float));
    sp_tape_free(&t);
    return rows;
}

static void wanted_rows_and_recomputed_blocks_give_the_same_states_and_gradients(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++) {
        sp_model *all = open_model(*folder), *some = open_model(*folder);
        float *dall, *dsome;
        float *expected = first_rows(all, false, false, &dall);
        float *got = first_rows(some, true, true, &dsome);
        size_t d = (size_t)all->config.n_embd, count = VOCABULARY * d;
        assert_near("state", got, expected, 3 * d, 1e-6);
        assert_near("gradient", dsome, dall, count, 1e-5 * largest_magnitude(dall, count));
        free(expected);
        free(got);
        free(dall);
        free(dsome);
        sp_model_free(all);
        sp_model_free(some);
    }
}

static void a_token_changes_the_states_of_those_before_it(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++) {
        sp_model *model = open_model(*folder);
        float *plain = logits_of(model);
        golden_batch b = golden_read_batch(0, 0);
        b.ids[b.offsets[1] - 1] ^= 1;
        sp_context ctx = golden_context(&b, NULL);
        sp_tape t = {.inference = true};
        sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
        sp_var *logits = sp_model_logits(&t, model, hidden, GOLDEN_TOKENS);
        assert_memory_not_equal(logits->data, plain, VOCABULARY * sizeof(float));
        size_t first = (size_t)b.offsets[1] * VOCABULARY;
        assert_memory_equal(logits->data + first, plain + first,
                            (GOLDEN_TOKENS * VOCABULARY - first) * sizeof(float));
        sp_tape_free(&t);
        free(plain);
        sp_model_free(model);
    }
}

static void logits_in_bf16_are_near_those_in_fp32(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++) {
        sp_model *full = open_model(*folder), *half = golden_model_in(*folder, SP_PRECISION_BF16);
        float *expected = logits_of(full), *got = logits_of(half);
        size_t count = GOLDEN_TOKENS * VOCABULARY;
        double scale = largest_magnitude(expected, count);
        assert_memory_not_equal(got, expected, count * sizeof(float));
        assert_near("logits", got, expected, count, 3e-2 * scale);
        for (int i = 0; i < half->projection_count; i++)
            assert_non_null(half->projections[i].map.weight->weight);
        assert_non_null(half->embedding->weight);
        assert_non_null(half->head_bias->data);
        free(expected);
        free(got);
        sp_model_free(full);
        sp_model_free(half);
    }
}

/* ---- files ---- */

static void a_saved_model_is_read_back_the_same(void **state) {
    (void)state;
    for (const char *const *folder = folders; *folder; folder++) {
        char *copy = make_folder();
        sp_model *model = open_model(*folder);
        assert_int_equal(sp_model_save(model, copy, SP_F32), SP_OK);
        sp_model *again = open_model(copy);
        assert_int_equal(again->config.position_offset, model->config.position_offset);
        assert_int_equal(again->config.n_positions, 40);
        float *a = logits_of(model), *b = logits_of(again);
        assert_memory_equal(a, b, GOLDEN_TOKENS * VOCABULARY * sizeof(float));
        free(a);
        free(b);
        sp_model_free(model);
        sp_model_free(again);
        remove_folder(copy);
    }
}

/* Writes bert-tiny under the names of a bare model, without its optional parts but for `kept`. */
static char *write_bare(const char *kept) {
    char *folder = make_folder(), *path = sp_path_join(folder, "model.safetensors");
    char *config = sp_path_join(folder, "config.json");
    sp_model *m = open_model(folders[0]);
    sp_named_tensor *tensors = sp_alloc(m->params.count, sizeof *tensors);
    size_t count = 0;
    for (size_t i = 0; i < m->params.count; i++) {
        const sp_param *p = m->params.items[i];
        if (p->part != SP_PART_BODY && strcmp(p->name, kept) != 0) continue;
        const char *name = strncmp(p->name, "bert.", 5) == 0 ? p->name + 5 : p->name;
        tensors[count++] = (sp_named_tensor){.name = name,
                                             .dtype = SP_F32,
                                             .rank = p->rank,
                                             .dims = {p->dims[0], p->dims[1]},
                                             .data = p->var.data};
    }
    assert_int_equal(sp_safetensors_write(path, tensors, count), SP_OK);
    assert_int_equal(sp_config_write(config, &m->config), SP_OK);
    sp_model_free(m);
    free(tensors);
    free(path);
    free(config);
    return folder;
}

static void a_checkpoint_may_lack_pooler_and_masked_lm_head_but_not_half_of_one(void **state) {
    (void)state;
    char *bare = write_bare(""), *half = write_bare("bert.pooler.dense.bias");
    sp_model *model = open_model(bare), *whole = open_model(folders[0]), *none = NULL;
    assert_false(sp_model_has(model, SP_PART_POOLER));
    assert_false(sp_model_has(model, SP_PART_PREDICTOR));
    assert_null(model->head_bias);
    assert_int_equal(sp_model_size(model), (long)model->family->size(&model->config));
    assert_true(sp_model_has(whole, SP_PART_POOLER) && sp_model_has(whole, SP_PART_PREDICTOR));
    sp_var rows = {.rows = 1, .cols = 24, .ld = 24};
    assert_ptr_equal(sp_model_pool(NULL, model, &rows), &rows);
    float *a, *b, *x = first_rows(model, true, false, &a), *y = first_rows(whole, true, false, &b);
    assert_memory_equal(x, y, 3 * 24 * sizeof(float));
    free(a);
    free(b);
    free(x);
    free(y);
    assert_int_equal(sp_model_open(half, SP_PRECISION_FP32, &none), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "pooler.dense.weight"));
    sp_model_free(model);
    sp_model_free(whole);
    remove_folder(bare);
    remove_folder(half);
}

/* ---- config.json ---- */

#define SIZES                                                                                      \
    "\"vocab_size\": 97, \"max_position_embeddings\": 42, \"hidden_size\": 24, "                   \
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 3, \"intermediate_size\": 32"

static sp_status read_config(const char *type, const char *more, sp_config *out) {
    char *folder = make_folder(), *path = sp_path_join(folder, "config.json");
    char *text = sp_format("{\"model_type\": \"%s\", " SIZES "%s}", type, more);
    assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
    sp_status st = sp_config_read(path, out);
    free(text);
    free(path);
    remove_folder(folder);
    return st;
}

static void what_config_json_leaves_out_is_as_in_transformers(void **state) {
    (void)state;
    sp_config c;
    assert_int_equal(read_config("bert", "", &c), SP_OK);
    assert_true(c.layer_norm_epsilon == 1e-12 && c.activation == SP_GELU_EXACT);
    assert_int_equal(c.n_positions, 42);
    assert_int_equal(c.type_vocab_size, 2);
    assert_int_equal(read_config("roberta", "", &c), SP_OK);
    assert_int_equal(c.position_offset, 2);
    assert_int_equal(c.n_positions, 40);
    assert_int_equal(read_config("roberta", ", \"pad_token_id\": 4", &c), SP_OK);
    assert_int_equal(c.n_positions, 37);
}

static void activations_are_read_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name;
        sp_activation kind;
    } cases[] = {{"gelu", SP_GELU_EXACT},
                 {"gelu_new", SP_GELU_NEW},
                 {"gelu_pytorch_tanh", SP_GELU_NEW},
                 {"relu", SP_RELU}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *more = sp_format(", \"hidden_act\": \"%s\"", cases[i].name);
        sp_config c;
        assert_int_equal(read_config("bert", more, &c), SP_OK);
        assert_int_equal(c.activation, cases[i].kind);
        free(more);
    }
}

static void a_variant_that_is_not_supported_is_refused_by_its_key(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"bert", ", \"hidden_act\": \"silu\"", "hidden_act"},
        {"bert", ", \"hidden_act\": 3", "hidden_act"},
        {"bert", ", \"is_decoder\": true", "is_decoder"},
        {"bert", ", \"add_cross_attention\": true", "add_cross_attention"},
        {"bert", ", \"position_embedding_type\": \"relative_key\"", "position_embedding_type"},
        {"bert", ", \"tie_word_embeddings\": false", "tie_word_embeddings"},
        {"bert", ", \"type_vocab_size\": 0", "type_vocab_size"},
        {"roberta", ", \"pad_token_id\": 97", "pad_token_id"},
        {"roberta", ", \"pad_token_id\": 60", "max_position_embeddings"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_config c;
        assert_int_equal(read_config(cases[i][0], cases[i][1], &c), SP_ERR_FORMAT);
        if (!strstr(sp_error(), "config.json") || !strstr(sp_error(), cases[i][2]))
            fail_msg("%s: %s", cases[i][1], sp_error());
    }
}

/* ---- refusals ---- */

static void an_encoder_generates_no_text(void **state) {
    (void)state;
    sp_model *model = open_model(folders[0]);
    sp_decode_options options;
    sp_options_default(sp_decode_option_table, &options);
    sp_steering plain = {0};
    sp_ints input = {0}, output = {0};
    sp_ints_push(&input, 5);
    assert_int_equal(sp_generate(model, &options, &plain, &input, 1, 1, NULL, NULL, &output),
                     SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "is an encoder (bert)"));
    sp_ints_free(&input);
    sp_ints_free(&output);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_rows_and_recomputed_blocks_give_the_same_states_and_gradients),
        cmocka_unit_test(a_token_changes_the_states_of_those_before_it),
        cmocka_unit_test(logits_in_bf16_are_near_those_in_fp32),
        cmocka_unit_test(a_saved_model_is_read_back_the_same),
        cmocka_unit_test(a_checkpoint_may_lack_pooler_and_masked_lm_head_but_not_half_of_one),
        cmocka_unit_test(what_config_json_leaves_out_is_as_in_transformers),
        cmocka_unit_test(activations_are_read_by_name),
        cmocka_unit_test(a_variant_that_is_not_supported_is_refused_by_its_key),
        cmocka_unit_test(an_encoder_generates_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
