/* The cache of generation: shared rows, rows used again, passes of old and new sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "support/feed.h"
#include "support/golden.h"
#include "tensor/gemm.h"

enum { LAYERS = 2, WIDTH = 32, HEADS = 4, VOCABULARY = 97, PREFIX = 3, CAPACITY = 40 };

/* ---- rows ---- */

/* A pass of `count` tokens for each of the slots. */
static void extend(sp_cache *cache, int sequences, const int *slots, int count) {
    int offsets[9] = {0};
    for (int i = 0; i < sequences; i++) offsets[i + 1] = offsets[i] + count;
    sp_context ctx = {.sequences = sequences, .offsets = offsets, .cache = cache, .slots = slots};
    sp_cache_extend(&ctx);
}

static int rows_in_use(const sp_cache *cache) {
    return cache->pool_rows - (int)cache->unused.len;
}

static void beams_share_the_rows_of_what_they_have_in_common(void **state) {
    (void)state;
    sp_cache cache;
    sp_cache_init(&cache, 1, 4, CAPACITY, 8);
    extend(&cache, 1, (int[]){0}, 20);
    sp_cache_reorder(&cache, 0, 4, (int[]){0, 0, 0, 0});
    assert_int_equal(rows_in_use(&cache), 20);
    extend(&cache, 4, (int[]){0, 1, 2, 3}, 1);
    assert_int_equal(rows_in_use(&cache), 24);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(cache.length[i], 21);
        assert_ptr_equal(sp_cache_key(&cache, 0, i, 19), sp_cache_key(&cache, 0, 0, 19));
        for (int k = 0; k < i; k++)
            assert_ptr_not_equal(sp_cache_key(&cache, 0, i, 20), sp_cache_key(&cache, 0, k, 20));
    }
    sp_cache_free(&cache);
}

static void rows_of_beams_that_end_are_used_again(void **state) {
    (void)state;
    sp_cache cache;
    sp_cache_init(&cache, 1, 4, CAPACITY, 8);
    extend(&cache, 1, (int[]){0}, 5);
    sp_cache_reorder(&cache, 0, 4, (int[]){0, 0, 0, 0});
    for (int step = 0; step < 30; step++) { /* one beam wins each step: 3 of 4 rows are left */
        extend(&cache, 4, (int[]){0, 1, 2, 3}, 1);
        sp_cache_reorder(&cache, 0, 4, (int[]){2, 2, 2, 2});
        assert_int_equal(rows_in_use(&cache), 5 + step + 1);
    }
    assert_true(cache.pool_rows < 2 * (5 + 30 + 4));
    sp_cache_release(&cache, 0, 4);
    assert_int_equal(rows_in_use(&cache), 0);
    sp_cache_free(&cache);
}

static void slots_may_change_places(void **state) {
    (void)state;
    sp_cache cache;
    sp_cache_init(&cache, 1, 3, CAPACITY, 8);
    for (int i = 0; i < 3; i++) extend(&cache, 1, &i, 4 + i);
    const float *first[3];
    for (int i = 0; i < 3; i++) first[i] = sp_cache_value(&cache, 0, i, 3);
    sp_cache_reorder(&cache, 0, 3, (int[]){2, 0, 1});
    static const int source[3] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cache.length[i], 4 + source[i]);
        assert_ptr_equal(sp_cache_value(&cache, 0, i, 3), first[source[i]]);
    }
    assert_int_equal(rows_in_use(&cache), 15);
    sp_cache_free(&cache);
}

/* ---- passes ---- */

/* A prefix of random rows in every layer, with a gate if asked for. */
typedef struct steered {
    sp_var rows[3 * LAYERS];
    sp_kv prefix[LAYERS];
    sp_steering steering;
} steered;

static void steer(steered *s, bool infix, bool gate) {
    sp_rng rng = sp_rng_make(8, "prefix");
    for (int i = 0; i < 3 * LAYERS; i++) {
        s->rows[i] = i % 3 == 2 ? sp_leaf(1, HEADS) : sp_leaf(PREFIX, WIDTH);
        for (long k = 0; k < s->rows[i].rows * s->rows[i].cols; k++)
            s->rows[i].data[k] = sp_rng_normal(&rng);
    }
    for (int i = 0; i < LAYERS; i++)
        s->prefix[i] =
            (sp_kv){&s->rows[3 * i], &s->rows[3 * i + 1], gate ? &s->rows[3 * i + 2] : NULL};
    s->steering = (sp_steering){.prefix = s->prefix, .first_position = PREFIX, .infix = infix};
}

static void free_steered(steered *s) {
    for (int i = 0; i < 3 * LAYERS; i++) sp_leaf_free(&s->rows[i]);
}

/* Sequence s of the golden batch fed token for token after its first `start`, in a pass of its own;
 * the logits after its last token. */
static void decode_alone(const sp_model *model, const sp_steering *steering, const int *ids,
                         int start, int count, float *logits) {
    sp_decoder d;
    sp_decoder_init(&d, model, steering, 1, CAPACITY);
    const float *last = feed(&d, 1, (int[]){0}, &start, ids);
    for (int i = start; i < count; i++) last = feed(&d, 1, (int[]){0}, (int[]){1}, ids + i);
    memcpy(logits, last, VOCABULARY * sizeof(float));
    sp_decoder_free(&d);
}

/* Two sequences begin; later two more begin in a pass in which the first ones go on. */
static void check_mixed_pass(const sp_steering *steering) {
    static const int first[4][6] = {{5, 9, 11, 40, 2, 7},
                                    {33, 8, 90, 61, 12, 3},
                                    {4, 4, 71, 20, 15, 16},
                                    {1, 2, 3, 50, 60, 70}};
    sp_model *model = golden_model();
    sp_decoder d;
    sp_decoder_init(&d, model, steering, 4, CAPACITY);
    int ids[16];
    memcpy(ids, first[0], 3 * sizeof(int));
    memcpy(ids + 3, first[1], 5 * sizeof(int));
    feed(&d, 2, (int[]){2, 0}, (int[]){3, 5}, ids);
    memcpy(ids, first[2], 6 * sizeof(int));
    memcpy(ids + 6, first[3], 2 * sizeof(int));
    ids[8] = first[0][3];
    ids[9] = first[1][5];
    const float *got = feed(&d, 4, (int[]){1, 3, 2, 0}, (int[]){6, 2, 1, 1}, ids);
    static const int order[4] = {2, 3, 0, 1}, start[4] = {6, 2, 3, 5}, fed[4] = {6, 2, 4, 6};
    for (int i = 0; i < 4; i++) {
        float alone[VOCABULARY];
        decode_alone(model, steering, first[order[i]], start[i], fed[i], alone);
        assert_near("logits", got + i * VOCABULARY, alone, VOCABULARY, 2e-5);
    }
    sp_decoder_free(&d);
    sp_model_free(model);
}

static void sequences_that_begin_beside_others_are_as_alone(void **state) {
    (void)state;
    sp_steering plain = {0};
    check_mixed_pass(&plain);
}

static void the_same_holds_with_a_prefix_an_infix_and_gates(void **state) {
    (void)state;
    for (int infix = 0; infix <= 1; infix++)
        for (int gate = 0; gate <= 1; gate++) {
            steered s;
            steer(&s, infix, gate);
            check_mixed_pass(&s.steering);
            free_steered(&s);
        }
}

static void beams_that_share_a_past_do_not_see_each_others_tokens(void **state) {
    (void)state;
    static const int ids[2][6] = {{5, 9, 11, 40, 2, 7}, {5, 9, 11, 40, 61, 3}};
    sp_model *model = golden_model();
    sp_steering plain = {0};
    sp_decoder d;
    sp_decoder_init(&d, model, &plain, 2, CAPACITY);
    feed(&d, 1, (int[]){0}, (int[]){4}, ids[0]);
    sp_cache_reorder(&d.cache, 0, 2, (int[]){0, 0});
    feed(&d, 2, (int[]){0, 1}, (int[]){1, 1}, (int[]){ids[0][4], ids[1][4]});
    sp_cache_reorder(&d.cache, 0, 2, (int[]){1, 0});
    const float *got = feed(&d, 2, (int[]){0, 1}, (int[]){1, 1}, (int[]){ids[1][5], ids[0][5]});
    for (int i = 0; i < 2; i++) {
        float alone[VOCABULARY];
        decode_alone(model, &plain, ids[1 - i], 4, 6, alone);
        assert_near("logits", got + i * VOCABULARY, alone, VOCABULARY, 2e-5);
    }
    sp_decoder_free(&d);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beams_share_the_rows_of_what_they_have_in_common),
        cmocka_unit_test(rows_of_beams_that_end_are_used_again),
        cmocka_unit_test(slots_may_change_places),
        cmocka_unit_test(sequences_that_begin_beside_others_are_as_alone),
        cmocka_unit_test(the_same_holds_with_a_prefix_an_infix_and_gates),
        cmocka_unit_test(beams_that_share_a_past_do_not_see_each_others_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
