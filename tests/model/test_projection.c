/* Named linear maps: what a model lists, and what a steering attaches to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "model/decoding.h"
#include "support/feed.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { WIDTH = 32, LAYERS = 2, VOCABULARY = 97 };

static sp_var random_leaf(long rows, long cols, sp_rng *rng) {
    sp_var v = sp_leaf(rows, cols);
    for (long i = 0; i < rows * cols; i++) v.data[i] = 0.2f * sp_rng_normal(rng);
    return v;
}

static void the_model_lists_its_linear_maps_by_name_and_layer(void **state) {
    (void)state;
    sp_model *m = golden_model();
    static const char *const names[] = {"transformer.h.1.attn.c_attn",
                                        "transformer.h.1.attn.c_proj", "transformer.h.1.mlp.c_fc",
                                        "transformer.h.1.mlp.c_proj"};
    static const long outputs[] = {3 * WIDTH, WIDTH, 4 * WIDTH, WIDTH};
    assert_int_equal(m->projection_count, 8);
    for (int i = 0; i < 4; i++) {
        const sp_projection *p = &m->projections[4 + i];
        assert_string_equal(p->name, names[i]);
        assert_int_equal(p->index, 4 + i);
        assert_int_equal(p->layer, 1);
        assert_int_equal(p->to_residual, i % 2);
        assert_int_equal(sp_linear_outputs(&p->map), outputs[i]);
    }
    sp_model_free(m);
}

static void every_parameter_knows_its_layer(void **state) {
    (void)state;
    sp_model *m = golden_model();
    assert_int_equal(sp_params_find(&m->params, "transformer.wte.weight")->layer, -1);
    assert_int_equal(sp_params_find(&m->params, "transformer.wpe.weight")->layer, -1);
    assert_int_equal(sp_params_find(&m->params, "transformer.h.0.ln_1.bias")->layer, 0);
    assert_int_equal(sp_params_find(&m->params, "transformer.h.1.mlp.c_proj.weight")->layer, 1);
    assert_int_equal(sp_params_find(&m->params, "transformer.ln_f.weight")->layer, LAYERS);
    sp_model_free(m);
}

static void keys_and_values_of_rows_are_those_of_the_attention_map(void **state) {
    (void)state;
    sp_model *m = golden_model();
    sp_rng rng = sp_rng_make(1, "rows");
    sp_var rows = random_leaf(3, WIDTH, &rng);
    sp_tape t = {.inference = true};
    sp_kv kv = sp_model_keys_values(&t, m, 1, &rows);
    sp_var *all = sp_linear(&t, &rows, &m->projections[4].map);
    for (int r = 0; r < 3; r++) {
        const float *expected = all->data + r * all->ld + WIDTH;
        assert_near("key", kv.key->data + r * kv.key->ld, expected, WIDTH, 1e-6);
        assert_near("value", kv.value->data + r * kv.value->ld, expected + WIDTH, WIDTH, 1e-6);
    }
    sp_tape_free(&t);
    sp_leaf_free(&rows);
    sp_model_free(m);
}

static void gradients_reach_rows_and_weights_through_keys_and_values(void **state) {
    (void)state;
    sp_model *m = golden_model();
    sp_rng rng = sp_rng_make(1, "rows");
    sp_var rows = random_leaf(3, WIDTH, &rng), *weight = m->projections[0].map.weight;
    sp_leaf_train(&rows, true);
    sp_leaf_train(weight, true);
    sp_tape t = {0};
    sp_kv kv = sp_model_keys_values(&t, m, 0, &rows);
    sp_tape_backward(&t, sp_orthogonality(&t, sp_add(&t, kv.key, kv.value), false, 1), 1);
    assert_true(rows.grad_ready);
    assert_true(weight->grad_ready);
    assert_true(weight->grad[0] == 0); /* of the query */
    assert_true(weight->grad[WIDTH] != 0);
    assert_true(weight->grad[2 * WIDTH] != 0);
    sp_tape_free(&t);
    sp_leaf_free(&rows);
    sp_model_free(m);
}

/* A map of 4 inputs and 3 outputs with an update, merged or not. */
static void check_merge(bool transposed, bool with_diagonal) {
    sp_rng rng = sp_rng_make(2, "merge");
    sp_var x = random_leaf(5, 4, &rng), bias = random_leaf(1, 3, &rng);
    sp_var weight = transposed ? random_leaf(3, 4, &rng) : random_leaf(4, 3, &rng);
    sp_var down = random_leaf(2, 4, &rng), up = random_leaf(3, 2, &rng);
    sp_var diagonal = random_leaf(2, 1, &rng);
    sp_projection p = {.map = {&weight, &bias, transposed}};
    sp_low_rank update = {&down, with_diagonal ? &diagonal : NULL, &up, 1.5f};
    sp_steering steering = {.low_rank = &update};
    sp_context steered = {.steering = &steering}, plain = {0};
    sp_tape t = {.inference = true};
    sp_var *unmerged = sp_project(&t, &x, &p, NULL, &steered),
           *before = sp_project(&t, &x, &p, NULL, &plain);
    sp_low_rank_merge(&update, &p);
    sp_var *merged = sp_project(&t, &x, &p, NULL, &plain);
    assert_near("merged", merged->data, unmerged->data, 15, 1e-6);
    assert_true(fabsf(before->data[0] - merged->data[0]) > 1e-4f);
    sp_tape_free(&t);
    sp_var *all[] = {&x, &bias, &weight, &down, &up, &diagonal};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sp_leaf_free(all[i]);
}

static void a_merged_update_equals_an_unmerged_one_in_both_layouts(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) check_merge(i & 1, i & 2);
}

/* Updates of all maps and adapters behind some, with random values. */
typedef struct attachments {
    sp_var leaves[8 * 6];
    sp_low_rank low_rank[8];
    sp_bottleneck bottleneck[8];
} attachments;

static void attach(attachments *a, const sp_model *m) {
    sp_rng rng = sp_rng_make(3, "attach");
    *a = (attachments){0};
    for (int i = 0; i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        sp_var *l = &a->leaves[6 * i];
        long in = sp_linear_inputs(&p->map), out = sp_linear_outputs(&p->map);
        l[0] = random_leaf(2, in, &rng);
        l[1] = random_leaf(out, 2, &rng);
        a->low_rank[i] = (sp_low_rank){.down = &l[0], .up = &l[1], .scale = 2};
        if (!p->to_residual) continue;
        l[2] = random_leaf(3, out, &rng);
        l[3] = random_leaf(1, 3, &rng);
        l[4] = random_leaf(out, 3, &rng);
        l[5] = random_leaf(1, out, &rng);
        a->bottleneck[i] = (sp_bottleneck){{&l[2], &l[3], true}, {&l[4], &l[5], true}};
    }
}

static void detach(attachments *a) {
    for (size_t i = 0; i < sizeof a->leaves / sizeof *a->leaves; i++) sp_leaf_free(&a->leaves[i]);
}

static void cached_passes_give_the_logits_of_a_whole_pass_with_updates_and_adapters(void **state) {
    (void)state;
    sp_model *m = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    attachments a;
    attach(&a, m);
    sp_steering steering = {.low_rank = a.low_rank, .bottleneck = a.bottleneck}, plain = {0};
    float got[2][VOCABULARY];
    for (int steered = 0; steered < 2; steered++) {
        sp_decoder d;
        sp_decoder_init(&d, m, steered ? &steering : &plain, 1, 8);
        for (int i = 0; i < 8; i += 2) {
            const float *logits = feed(&d, 1, (int[]){0}, (int[]){2}, b.ids + i);
            memcpy(got[steered], logits, sizeof got[steered]);
        }
        sp_decoder_free(&d);
    }
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, 8},
                      .positions = (int[]){0, 1, 2, 3, 4, 5, 6, 7},
                      .steering = &steering,
                      .wanted = (int[]){7},
                      .wanted_count = 1};
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, m, b.ids, &ctx);
    sp_var *whole = sp_model_logits(&t, m, hidden, 1);
    assert_near("logits", got[1], whole->data, VOCABULARY, 2e-5);
    assert_true(fabsf(got[0][0] - got[1][0]) > 1e-2f);
    sp_tape_free(&t);
    detach(&a);
    sp_model_free(m);
}

static void an_infix_is_cached_as_it_is_trained(void **state) {
    (void)state;
    sp_model *m = golden_model();
    golden_batch b = golden_read_batch(0, 0);
    sp_rng rng = sp_rng_make(4, "infix");
    sp_var rows[2 * LAYERS];
    for (int i = 0; i < 2 * LAYERS; i++) rows[i] = random_leaf(3, WIDTH, &rng);
    sp_kv kv[LAYERS] = {{.key = &rows[0], .value = &rows[1]}, {.key = &rows[2], .value = &rows[3]}};
    sp_steering steering = {.prefix = kv, .first_position = 3, .infix = true};
    sp_decoder d; /* slot 1 is fed by slot 0, as a second beam is */
    sp_decoder_init(&d, m, &steering, 2, 8);
    feed(&d, 1, (int[]){0}, (int[]){5}, b.ids);
    sp_cache_reorder(&d.cache, 0, 2, (int[]){0, 0});
    feed(&d, 1, (int[]){1}, (int[]){1}, b.ids + 5);
    const float *got = feed(&d, 1, (int[]){1}, (int[]){1}, b.ids + 6);
    sp_context ctx = {.sequences = 1,
                      .offsets = (int[]){0, 7},
                      .positions = (int[]){0, 1, 2, 3, 7, 8, 9},
                      .steering = &steering,
                      .prefix_from = (int[]){4},
                      .wanted = (int[]){6},
                      .wanted_count = 1};
    sp_tape t = {.inference = true};
    sp_var *hidden = sp_model_forward(&t, m, b.ids, &ctx);
    assert_near("logits", got, sp_model_logits(&t, m, hidden, 1)->data, VOCABULARY, 2e-5);
    sp_decoder_free(&d);
    sp_tape_free(&t);
    for (int i = 0; i < 2 * LAYERS; i++) sp_leaf_free(&rows[i]);
    sp_model_free(m);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_lists_its_linear_maps_by_name_and_layer),
        cmocka_unit_test(every_parameter_knows_its_layer),
        cmocka_unit_test(keys_and_values_of_rows_are_those_of_the_attention_map),
        cmocka_unit_test(gradients_reach_rows_and_weights_through_keys_and_values),
        cmocka_unit_test(a_merged_update_equals_an_unmerged_one_in_both_layouts),
        cmocka_unit_test(cached_passes_give_the_logits_of_a_whole_pass_with_updates_and_adapters),
        cmocka_unit_test(an_infix_is_cached_as_it_is_trained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
