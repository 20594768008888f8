/* Llama's type against transformers, its config.json, and what holds for every family. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/random.h"
#include "model/decoding.h"
#include "model/rotations.h"
#include "support/feed.h"
#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { VOCABULARY = 97 };

/* What each is, says make_llama.py. */
#define LLAMA_TYPE                                                                                 \
    "tests/golden/llama-tiny", "tests/golden/llama-tiny-bias", "tests/golden/qwen2-tiny",          \
        "tests/golden/mistral-tiny", "tests/golden/llama3-tiny", "tests/golden/linear-tiny",       \
        "tests/golden/yarn-tiny"
static const char *const llamas[] = {LLAMA_TYPE, NULL};
static const char *const families[] = {LLAMA_TYPE, GOLDEN_FOLDER, NULL};

static sp_model *open_model(const char *folder) {
    return golden_model_in(folder, SP_PRECISION_FP32);
}

static void logits_loss_and_every_gradient_equal_those_of_transformers(void **state) {
    (void)state;
    for (const char *const *folder = llamas; *folder; folder++) {
        sp_model *model = open_model(*folder);
        sp_safetensors *file = golden_open_in(*folder, "finetune");
        golden_batch batch = golden_read_batch(0, 0);
        sp_params_train(&model->params, true);
        sp_tape tape = {0};
        golden_difference d = assert_golden_pass(&tape, model, &batch, NULL, file);
        d.gradient = assert_golden_gradients(&model->params, file, NULL);
        golden_report(*folder, "fine-tune", "finetune", d);
        sp_tape_free(&tape);
        sp_safetensors_close(file);
        sp_model_free(model);
    }
}

static void cached_decoding_gives_the_logits_of_the_full_pass(void **state) {
    (void)state;
    for (const char *const *folder = llamas; *folder; folder++) {
        sp_model *model = open_model(*folder);
        golden_batch b = golden_read_batch(0, 0);
        int tokens = b.offsets[1];
        sp_context ctx = {.sequences = 1, .offsets = (int[]){0, tokens}, .positions = b.positions};
        sp_tape tape = {.inference = true};
        sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
        sp_var *whole = sp_model_logits(&tape, model, hidden, tokens);
        sp_steering plain = {0};
        sp_decoder d;
        sp_decoder_init(&d, model, &plain, 1, tokens);
        for (int done = 0; done < tokens;) {
            int count = done ? 1 : 3;
            const float *logits = feed(&d, 1, (int[]){0}, &count, b.ids + done);
            done += count;
            assert_near("logits", logits, whole->data + (done - 1) * VOCABULARY, VOCABULARY, 1e-5);
        }
        sp_decoder_free(&d);
        sp_tape_free(&tape);
        sp_model_free(model);
    }
}

/* ---- every family ---- */

/* Hidden states [wanted, n_embd] and the gradients of all weights, of the mean loss of the golden
 * targets. */
static sp_var *train_pass(sp_tape *t, sp_model *m, const golden_batch *b, const sp_context *ctx,
                          const int *targets) {
    sp_params_train(&m->params, true);
    sp_var *hidden = sp_model_forward(t, m, b->ids, ctx);
    sp_var *copy = sp_var_new(t, hidden->rows, hidden->cols, false);
    memcpy(copy->data, hidden->data, (size_t)(hidden->rows * hidden->cols) * sizeof(float));
    sp_tape_backward(t, sp_lm_loss(t, hidden, m->head, targets, NULL), 1.0f);
    return copy;
}

static void assert_same_gradients(const sp_model *a, const sp_model *b, double tolerance) {
    for (size_t i = 0; i < a->params.count; i++) {
        const sp_var *x = &a->params.items[i]->var, *y = &b->params.items[i]->var;
        size_t count = (size_t)(x->rows * x->cols);
        assert_true(x->grad_ready && y->grad_ready);
        assert_near(a->params.items[i]->name, x->grad, y->grad, count,
                    tolerance * largest_magnitude(y->grad, count));
    }
}

static void wanted_rows_have_the_states_and_gradients_of_all_rows(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *all = open_model(*folder), *some = open_model(*folder);
        golden_batch b = golden_read_batch(0, 0);
        int wanted[GOLDEN_TOKENS], targets[GOLDEN_TOKENS], count = 0;
        for (int i = 0; i < GOLDEN_TOKENS; i++) {
            if (b.targets[i] < 0) continue;
            wanted[count] = i;
            targets[count++] = b.targets[i];
        }
        assert_in_range(count, 1, GOLDEN_TOKENS - 1);
        sp_tape t = {0};
        sp_context ctx = golden_context(&b, NULL);
        sp_var *whole = train_pass(&t, all, &b, &ctx, b.targets);
        ctx.wanted = wanted;
        ctx.wanted_count = count;
        sp_var *rows = train_pass(&t, some, &b, &ctx, targets);
        assert_int_equal(rows->rows, count);
        for (int i = 0; i < count; i++)
            assert_near("state", rows->data + i * rows->ld, whole->data + wanted[i] * whole->ld,
                        (size_t)rows->cols, 1e-5);
        assert_same_gradients(some, all, 1e-5);
        sp_tape_free(&t);
        sp_model_free(all);
        sp_model_free(some);
    }
}

static void recomputed_blocks_give_the_same_gradients(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *kept = open_model(*folder), *again = open_model(*folder);
        golden_batch b = golden_read_batch(0, 0);
        sp_tape t = {0};
        sp_context ctx = golden_context(&b, NULL);
        sp_var *expected = train_pass(&t, kept, &b, &ctx, b.targets);
        ctx.recompute = true;
        sp_var *got = train_pass(&t, again, &b, &ctx, b.targets);
        assert_memory_equal(got->data, expected->data,
                            (size_t)(got->rows * got->cols) * sizeof(float));
        assert_same_gradients(again, kept, 1e-6);
        sp_tape_free(&t);
        sp_model_free(kept);
        sp_model_free(again);
    }
}

static void a_config_knows_the_number_of_parameters(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *model = open_model(*folder);
        assert_true(model->family->size(&model->config) == (double)sp_model_size(model));
        sp_model_free(model);
    }
}

static void a_saved_model_is_read_back_the_same(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        char *copy = make_folder();
        sp_model *model = open_model(*folder);
        assert_int_equal(sp_model_save(model, copy, SP_F32), SP_OK);
        sp_model *again = open_model(copy);
        assert_int_equal(again->params.count, model->params.count);
        for (size_t i = 0; i < model->params.count; i++) {
            const sp_var *a = &model->params.items[i]->var, *b = &again->params.items[i]->var;
            assert_memory_equal(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float));
        }
        assert_memory_equal(&model->config, &again->config, sizeof model->config);
        sp_model_free(model);
        sp_model_free(again);
        remove_folder(copy);
    }
}

/* ---- bf16 ---- */

/* Largest difference of a logit, relative to the largest logit, that rounding every weight to 8
 * bits of mantissa makes in models of this depth. */
static const double HALF_TOLERANCE = 2e-2;

static float *all_logits(const sp_model *model, size_t *count) {
    golden_batch b = golden_read_batch(0, 0);
    sp_context ctx = golden_context(&b, NULL);
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, model, b.ids, &ctx);
    sp_var *logits = sp_model_logits(&t, model, hidden, GOLDEN_TOKENS);
    *count = (size_t)(logits->rows * logits->cols);
    float *copy = memcpy(sp_alloc_floats(*count), logits->data, *count * sizeof(float));
    sp_tape_free(&t);
    return copy;
}

static void logits_in_bf16_are_near_those_in_fp32(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *full = open_model(*folder), *half = golden_model_in(*folder, SP_PRECISION_BF16);
        size_t count;
        float *expected = all_logits(full, &count), *got = all_logits(half, &count);
        double largest = 0, scale = largest_magnitude(expected, count);
        for (size_t i = 0; i < count; i++)
            largest = fmax(largest, fabs((double)got[i] - (double)expected[i]));
        print_message("%s: largest difference %.1e of the largest logit\n", *folder,
                      largest / scale);
        assert_true(largest > 0);
        assert_true(largest <= HALF_TOLERANCE * scale);
        free(expected);
        free(got);
        sp_model_free(full);
        sp_model_free(half);
    }
}

static void bf16_keeps_matrices_of_linear_maps_and_embeddings_and_nothing_else(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *m = golden_model_in(*folder, SP_PRECISION_BF16);
        for (size_t i = 0; i < m->params.count; i++) {
            const sp_param *p = m->params.items[i];
            bool half = p->rank == 2 && !strstr(p->name, "wpe");
            assert_true((p->var.weight != NULL) == half);
            assert_true((p->var.data == NULL) == half);
        }
        sp_model_free(m);
    }
}

static void what_trains_of_a_bf16_model_is_fp32(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        sp_model *m = golden_model_in(*folder, SP_PRECISION_BF16);
        golden_batch b = golden_read_batch(0, 0);
        sp_context ctx = golden_context(&b, NULL);
        sp_tape t = {0};
        train_pass(&t, m, &b, &ctx, b.targets);
        for (size_t i = 0; i < m->params.count; i++) {
            const sp_var *v = &m->params.items[i]->var;
            assert_true(v->data && !v->weight && v->grad_ready);
        }
        sp_tape_free(&t);
        sp_model_free(m);
    }
}

static void a_bf16_model_is_saved_as_it_is(void **state) {
    (void)state;
    for (const char *const *folder = families; *folder; folder++) {
        char *copy = make_folder();
        sp_model *m = golden_model_in(*folder, SP_PRECISION_BF16);
        assert_int_equal(sp_model_save(m, copy, SP_BF16), SP_OK);
        sp_model *again = golden_model_in(copy, SP_PRECISION_BF16);
        for (size_t i = 0; i < m->params.count; i++) {
            const sp_var *a = &m->params.items[i]->var, *b = &again->params.items[i]->var;
            if (!a->weight) continue;
            float x[128], y[128];
            assert_in_range(a->cols, 1, 128);
            for (long r = 0; r < a->rows; r++) {
                sp_var_row(a, r, x);
                sp_var_row(b, r, y);
                assert_memory_equal(x, y, (size_t)a->cols * sizeof(float));
            }
        }
        sp_model_free(m);
        sp_model_free(again);
        remove_folder(copy);
    }
}

/* ---- config.json ---- */

#define SIZES                                                                                      \
    "\"vocab_size\": 97, \"max_position_embeddings\": 64, \"hidden_size\": 32, "                   \
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"intermediate_size\": 48"

/* `more` starts with ", "; without a model_type in it, it is Llama's. */
static sp_status read_config(const char *more, sp_config *out) {
    char *folder = make_folder(), *path = sp_path_join(folder, "config.json");
    const char *type = strstr(more, "model_type") ? "" : ", \"model_type\": \"llama\"";
    char *text = sp_format("{" SIZES "%s%s}", type, more);
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
    assert_int_equal(read_config("", &c), SP_OK);
    assert_int_equal(c.n_kv_head, 4);
    assert_int_equal(c.head_size, 8);
    assert_true(c.rope_theta == 10000 && c.layer_norm_epsilon == 1e-6);
    assert_true(!c.tie_word_embeddings && !c.attention_bias && !c.mlp_bias);
    assert_int_equal(sp_config_kv_width(&c), 32);
}

static void keys_of_transformers_4_and_5_are_read(void **state) {
    (void)state;
    sp_config c;
    assert_int_equal(
        read_config(", \"rope_theta\": 5e5, \"rope_scaling\": null, \"head_dim\": null, "
                    "\"num_key_value_heads\": 2, \"eos_token_id\": [5, 6]",
                    &c),
        SP_OK);
    assert_true(c.rope_theta == 5e5);
    assert_int_equal(c.eos_token_id, 5);
    assert_int_equal(sp_config_kv_width(&c), 16);
    assert_int_equal(read_config(", \"head_dim\": 6, \"rope_parameters\": "
                                 "{\"rope_theta\": 7e4, \"rope_type\": \"default\"}",
                                 &c),
                     SP_OK);
    assert_true(c.rope_theta == 7e4);
    assert_int_equal(c.head_size, 6);
}

static void scaled_rotary_positions_are_read_from_the_keys_of_both_versions(void **state) {
    (void)state;
    sp_config c;
    const sp_rope_scaling *r = &c.rope_scaling;
    assert_int_equal(
        read_config(
            ", \"rope_theta\": 5e5, \"rope_scaling\": {\"factor\": 8.0, \"low_freq_factor\": "
            "1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192, "
            "\"rope_type\": \"llama3\"}",
            &c),
        SP_OK);
    assert_true(r->type == SP_ROPE_LLAMA3 && r->factor == 8 && c.rope_theta == 5e5);
    assert_int_equal(r->original_max_position_embeddings, 8192);
    assert_int_equal(read_config(", \"rope_parameters\": {\"rope_theta\": 1e6, \"rope_type\": "
                                 "\"yarn\", \"factor\": 4}",
                                 &c),
                     SP_OK);
    assert_true(r->type == SP_ROPE_YARN && c.rope_theta == 1e6);
    assert_int_equal(r->original_max_position_embeddings, 64);
    assert_true(r->beta_fast == 32 && r->beta_slow == 1 && r->truncate);
    assert_int_equal(read_config(", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}", &c),
                     SP_OK);
    assert_true(r->type == SP_ROPE_DYNAMIC);
}

static void a_window_is_read_as_transformers_reads_it(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int window, from, kv_heads;
    } cases[] = {
        {", \"model_type\": \"mistral\", \"num_key_value_heads\": 2", 4096, 0, 2},
        {", \"model_type\": \"mistral\", \"num_key_value_heads\": null, \"sliding_window\": null",
         0, 0, 4},
        {", \"model_type\": \"mistral\", \"num_key_value_heads\": 2, \"sliding_window\": 7", 7, 0,
         2},
        {", \"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"sliding_window\": 7, "
         "\"use_sliding_window\": false, \"max_window_layers\": 1",
         0, 0, 2},
        {", \"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"sliding_window\": 7, "
         "\"use_sliding_window\": true, \"max_window_layers\": 0",
         7, 0, 2},
        {", \"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"sliding_window\": 7, "
         "\"use_sliding_window\": true, \"max_window_layers\": 2, \"layer_types\": "
         "[\"full_attention\", \"sliding_attention\"]",
         7, 1, 2},
        {", \"num_key_value_heads\": 2, \"sliding_window\": 7", 0, 0, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_config c;
        if (read_config(cases[i].json, &c)) fail_msg("%s", sp_error());
        assert_int_equal(c.sliding_window, cases[i].window);
        assert_int_equal(c.window_from, cases[i].from);
        assert_int_equal(c.n_kv_head, cases[i].kv_heads);
    }
}

/* The logits of the last token of a text, without a cache. */
static void last_logits(const sp_model *model, const sp_ints *ids, float *logits) {
    int positions[64];
    for (int i = 0; i < (int)ids->len; i++) positions[i] = i;
    sp_context ctx = {.sequences = 1, .offsets = (int[]){0, (int)ids->len}, .positions = positions};
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, model, ids->data, &ctx);
    sp_var *all = sp_model_logits(&t, model, hidden, (long)ids->len);
    memcpy(logits, all->data + (ids->len - 1) * VOCABULARY, VOCABULARY * sizeof(float));
    sp_tape_free(&t);
}

static int likeliest(const float *logits) {
    int best = 0;
    for (int i = 1; i < VOCABULARY; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

/* The window is 4; eos (0) is made unlikely by not asking for it: the search stops there only. */
static void
greedy_search_with_a_cache_writes_the_tokens_of_the_full_pass_beyond_a_window(void **s) {
    (void)s;
    static const char *const windowed[] = {"tests/golden/mistral-tiny", "tests/golden/qwen2-tiny"};
    for (int m = 0; m < 2; m++) {
        sp_model *model = open_model(windowed[m]);
        sp_steering plain = {0};
        sp_decode_options options;
        sp_options_default(sp_decode_option_table, &options);
        options.max_tokens = 40;
        model->config.eos_token_id = -1;
        sp_ints text = {0}, out = {0};
        float logits[VOCABULARY];
        for (int i = 0; i < 7; i++) sp_ints_push(&text, 3 + 11 * i);
        assert_int_equal(sp_generate(model, &options, &plain, &text, 1, 1, NULL, NULL, &out),
                         SP_OK);
        assert_int_equal(out.len, 40);
        for (size_t i = 0; i < out.len; i++) {
            last_logits(model, &text, logits);
            assert_int_equal(out.data[i], likeliest(logits));
            sp_ints_push(&text, out.data[i]);
        }
        sp_ints_free(&text);
        sp_ints_free(&out);
        sp_model_free(model);
    }
}

/* Positions from 4096 on are not in the table; a rotation depends on differences only. */
static void positions_beyond_the_table_turn_like_those_in_it(void **state) {
    (void)state;
    sp_config c = {.n_positions = 131072, .head_size = 8, .rope_theta = 5e5};
    sp_arena memory = {0};
    sp_rotations r;
    sp_rotations_make(&c, &memory, &r);
    assert_int_equal(r.tabled, 4096);
    sp_var x = sp_leaf(2, 16);
    sp_rng rng = sp_rng_make(1, "rope");
    for (int i = 0; i < 32; i++) x.data[i] = sp_rng_normal(&rng);
    sp_tape t = {.inference = true};
    double products[2] = {0};
    for (int far = 0; far < 2; far++) {
        int first = far ? 131000 : 5;
        sp_var *y = sp_rope(&t, &x, (int[]){first, first + 60}, &r);
        for (int i = 0; i < 16; i++) products[far] += (double)y->data[i] * y->data[16 + i];
    }
    assert_true(fabs(products[0] - products[1]) < 1e-4);
    sp_tape_free(&t);
    sp_leaf_free(&x);
    sp_arena_free(&memory);
}

static void a_variant_that_is_not_supported_is_refused_by_its_key(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {", \"hidden_act\": \"gelu\"", "hidden_act"},
        {", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}", "low_freq_factor"},
        {", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 4, "
         "\"high_freq_factor\": 4}",
         "high_freq_factor"},
        {", \"rope_scaling\": {\"type\": \"linear\"}", "factor"},
        {", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}", "factor"},
        {", \"rope_scaling\": {\"type\": 2}", "type"},
        {", \"rope_parameters\": {\"rope_type\": \"longrope\", \"rope_theta\": 1e4}", "longrope"},
        {", \"rope_parameters\": {\"partial_rotary_factor\": 0.5}", "partial_rotary_factor"},
        {", \"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 4, \"mscale\": 1}",
         "mscale"},
        {", \"rope_theta\": 1, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}",
         "rope_theta"},
        {", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, "
         "\"original_max_position_embeddings\": 0}",
         "original_max_position_embeddings"},
        {", \"model_type\": \"mistral\", \"layer_types\": []", "layer_types"},
        {", \"model_type\": \"mistral\", \"sliding_window\": 0", "sliding_window"},
        {", \"model_type\": \"qwen2\", \"use_sliding_window\": 1", "use_sliding_window"},
        {", \"model_type\": \"qwen2\", \"use_sliding_window\": true, \"max_window_layers\": -1",
         "max_window_layers"},
        {", \"model_type\": \"qwen2\", \"layer_types\": [\"full_attention\"]", "every layer"},
        {", \"model_type\": \"qwen2\", \"layer_types\": [\"full_attention\", \"linear\"]",
         "another name"},
        {", \"model_type\": \"qwen2\", \"layer_types\": "
         "[\"full_attention\", \"sliding_attention\"]",
         "no window"},
        {", \"model_type\": \"qwen2\", \"use_sliding_window\": true, \"layer_types\": "
         "[\"sliding_attention\", \"full_attention\"]",
         "goes back"},
        {", \"rope_parameters\": 3", "rope_parameters"},
        {", \"quantization_config\": {\"bits\": 4}", "quantization_config"},
        {", \"num_key_value_heads\": 3", "heads"},
        {", \"head_dim\": 7", "even"},
        {", \"head_dim\": 8192", "at most 4096"},
        {", \"rope_theta\": 0", "rope_theta"},
        {", \"attention_bias\": 1", "attention_bias"},
        {", \"eos_token_id\": [97]", "eos_token_id"},
        {", \"eos_token_id\": []", "eos_token_id"},
        {", \"rms_norm_eps\": \"small\"", "rms_norm_eps"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_config c;
        assert_int_equal(read_config(cases[i][0], &c), SP_ERR_FORMAT);
        if (!strstr(sp_error(), "config.json") || !strstr(sp_error(), cases[i][1]))
            fail_msg("%s: %s", cases[i][0], sp_error());
    }
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_loss_and_every_gradient_equal_those_of_transformers),
        cmocka_unit_test(cached_decoding_gives_the_logits_of_the_full_pass),
        cmocka_unit_test(wanted_rows_have_the_states_and_gradients_of_all_rows),
        cmocka_unit_test(recomputed_blocks_give_the_same_gradients),
        cmocka_unit_test(a_config_knows_the_number_of_parameters),
        cmocka_unit_test(a_saved_model_is_read_back_the_same),
        cmocka_unit_test(logits_in_bf16_are_near_those_in_fp32),
        cmocka_unit_test(bf16_keeps_matrices_of_linear_maps_and_embeddings_and_nothing_else),
        cmocka_unit_test(what_trains_of_a_bf16_model_is_fp32),
        cmocka_unit_test(a_bf16_model_is_saved_as_it_is),
        cmocka_unit_test(what_config_json_leaves_out_is_as_in_transformers),
        cmocka_unit_test(keys_of_transformers_4_and_5_are_read),
        cmocka_unit_test(scaled_rotary_positions_are_read_from_the_keys_of_both_versions),
        cmocka_unit_test(a_window_is_read_as_transformers_reads_it),
        cmocka_unit_test(
            greedy_search_with_a_cache_writes_the_tokens_of_the_full_pass_beyond_a_window),
        cmocka_unit_test(positions_beyond_the_table_turn_like_those_in_it),
        cmocka_unit_test(a_variant_that_is_not_supported_is_refused_by_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
