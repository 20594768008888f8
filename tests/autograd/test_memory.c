/* How long the floats of a step live, counted exactly; recomputation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autograd/ops.h"
#include "core/random.h"
#include "tensor/gemm.h"

#include <stdlib.h>
#include <string.h>

/* Multiples of 16 floats, so that no buffer is rounded up. */
enum { TOKENS = 32, WIDTH = 16, INNER = 48, HEADS = 2, MAX_BLOCKS = 5, PREFIX = 3 };

typedef struct test_block {
    sp_var norm, q, k, v, out, gate, up, down;
    sp_kv prefix;
} test_block;

typedef struct stack {
    sp_tape tape;
    sp_var x, prefix;
    test_block blocks[MAX_BLOCKS];
    bool recompute;
} stack;

static sp_var random_leaf(sp_rng *rng, long rows, long cols) {
    sp_var v = sp_leaf(rows, cols);
    for (long i = 0; i < rows * cols; i++) v.data[i] = 0.3f * sp_rng_normal(rng);
    return v;
}

static sp_var *leaf_of(test_block *b, int i) {
    sp_var *all[] = {&b->norm, &b->q, &b->k, &b->v, &b->out, &b->gate, &b->up, &b->down};
    return i < 8 ? all[i] : NULL;
}

/* Frozen weights; one prefix trains. */
static void make_stack(stack *s) {
    sp_rng rng = sp_rng_make(1, "stack");
    *s = (stack){.x = random_leaf(&rng, TOKENS, WIDTH),
                 .prefix = random_leaf(&rng, PREFIX, 2L * MAX_BLOCKS * WIDTH)};
    for (int i = 0; i < MAX_BLOCKS; i++) {
        test_block *b = &s->blocks[i];
        b->norm = random_leaf(&rng, 1, WIDTH);
        b->q = random_leaf(&rng, WIDTH, WIDTH);
        b->k = random_leaf(&rng, WIDTH, WIDTH);
        b->v = random_leaf(&rng, WIDTH, WIDTH);
        b->out = random_leaf(&rng, WIDTH, WIDTH);
        b->gate = random_leaf(&rng, INNER, WIDTH);
        b->up = random_leaf(&rng, INNER, WIDTH);
        b->down = random_leaf(&rng, WIDTH, INNER);
    }
    sp_leaf_train(&s->prefix, true);
}

static void free_stack(stack *s) {
    sp_tape_free(&s->tape);
    sp_leaf_free(&s->x);
    sp_leaf_free(&s->prefix);
    for (int i = 0; i < MAX_BLOCKS; i++)
        for (int k = 0; leaf_of(&s->blocks[i], k); k++) sp_leaf_free(leaf_of(&s->blocks[i], k));
}

static sp_linear_map map(sp_var *weight, bool transposed) {
    return (sp_linear_map){weight, NULL, transposed};
}

/* A block of a Llama without rotation; `user` points to its test_block. */
static sp_var *run_block(sp_tape *t, void *user, sp_var *x) {
    test_block *b = *(test_block **)user;
    sp_norm norm = {&b->norm, NULL, 1e-5f};
    sp_linear_map q = map(&b->q, false), k = map(&b->k, false), v = map(&b->v, false),
                  out = map(&b->out, false), gate = map(&b->gate, true), up = map(&b->up, true),
                  down = map(&b->down, true);
    sp_attention_shape shape = {.heads = HEADS,
                                .kv_heads = HEADS,
                                .head_size = WIDTH / HEADS,
                                .sequences = 1,
                                .offsets = (int[]){0, TOKENS},
                                .causal = true};
    sp_var *h = sp_rms_norm(t, x, &norm);
    sp_var *a = sp_attention(t, &shape, sp_linear(t, h, &q), sp_linear(t, h, &k),
                             sp_linear(t, h, &v), b->prefix);
    x = sp_linear_add(t, a, &out, x);
    h = sp_rms_norm(t, x, &norm);
    sp_var *inner = sp_swiglu(t, sp_linear(t, h, &gate), sp_linear(t, h, &up));
    return sp_linear_add(t, inner, &down, x);
}

/* x through the first `count` blocks. */
static sp_var *run_stack(stack *s, int count) {
    sp_tape *t = &s->tape;
    sp_var *prefix = sp_tanh(t, &s->prefix), *x = &s->x;
    sp_tape_mark mark = sp_tape_begin(t);
    for (int i = 0; i < count; i++) {
        test_block *b = &s->blocks[i];
        b->prefix = (sp_kv){.key = sp_slice_columns(t, prefix, 2L * i * WIDTH, WIDTH),
                            .value = sp_slice_columns(t, prefix, (2L * i + 1) * WIDTH, WIDTH)};
        x = s->recompute ? sp_recompute(t, run_block, &b, sizeof b, x) : run_block(t, &b, x);
        sp_tape_end(t, mark, x);
    }
    return x;
}

static sp_var *loss_of(stack *s, int count) {
    static int targets[TOKENS];
    for (int i = 0; i < TOKENS; i++) targets[i] = i % WIDTH;
    return sp_lm_loss(&s->tape, run_stack(s, count), &s->blocks[0].q, targets, NULL);
}

/* Floats held after the forward pass, and the most during the whole step. */
typedef struct count {
    size_t forward, peak;
} count;

static count step(stack *s, int blocks) {
    sp_tape_reset(&s->tape);
    s->prefix.grad_ready = false;
    sp_var *loss = loss_of(s, blocks);
    count c = {.forward = s->tape.pool.held};
    sp_tape_backward(&s->tape, loss, 1.0f);
    assert_true(s->prefix.grad_ready);
    c.peak = s->tape.pool.peak;
    return c;
}

/* Saved of a block: its input, that of the second norm and the norms' statistics; q, k, v and the
 * log-sum-exp of attention; gate and up. */
static const size_t SAVED = TOKENS * (2 * WIDTH + 2 + 3 * WIDTH + HEADS + 2 * INNER);

static void memory_grows_with_the_blocks_by_what_the_backward_pass_needs_and_no_more(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    count few = step(&s, 2);
    for (int blocks = 3; blocks <= MAX_BLOCKS; blocks++) {
        count c = step(&s, blocks);
        assert_int_equal(c.forward - few.forward, (size_t)(blocks - 2) * SAVED);
        assert_int_equal(c.peak - few.peak, (size_t)(blocks - 2) * SAVED);
    }
    free_stack(&s);
}

static void the_backward_pass_leaves_nothing_of_the_blocks(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    step(&s, 2);
    size_t left = s.tape.pool.held;
    step(&s, MAX_BLOCKS);
    assert_int_equal(s.tape.pool.held, left);
    free_stack(&s);
}

static void inference_takes_the_memory_of_one_block_however_many_there_are(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    s.tape.inference = true;
    run_stack(&s, 2);
    size_t two = s.tape.pool.peak, arena = s.tape.pool.arena.used;
    sp_tape_reset(&s.tape);
    run_stack(&s, MAX_BLOCKS);
    assert_int_equal(s.tape.pool.peak, two);
    assert_int_equal(s.tape.pool.arena.used, arena);
    free_stack(&s);
}

static void a_warm_step_takes_no_memory(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    step(&s, MAX_BLOCKS);
    step(&s, MAX_BLOCKS);
    sp_tape_reset(&s.tape);
    const void *floats = s.tape.pool.arena.first, *ops = s.tape.arena.first;
    for (int i = 0; i < 3; i++) {
        step(&s, MAX_BLOCKS);
        assert_ptr_equal(s.tape.pool.arena.current, floats);
        assert_ptr_equal(s.tape.arena.current, ops);
    }
    free_stack(&s);
}

static void recomputed_blocks_give_the_same_bits_and_keep_only_their_inputs(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    size_t bytes = (size_t)(s.prefix.rows * s.prefix.cols) * sizeof(float);
    count kept = step(&s, MAX_BLOCKS);
    float loss = loss_of(&s, MAX_BLOCKS)->data[0];
    float *gradient = sp_alloc_floats(bytes / sizeof(float));
    memcpy(gradient, s.prefix.grad, bytes);
    s.recompute = true;
    count few = step(&s, 2), recomputed = step(&s, MAX_BLOCKS);
    assert_memory_equal(s.prefix.grad, gradient, bytes);
    assert_memory_equal(loss_of(&s, MAX_BLOCKS)->data, &loss, sizeof loss);
    assert_int_equal(recomputed.forward - few.forward, (MAX_BLOCKS - 2) * TOKENS * WIDTH);
    assert_int_equal(recomputed.peak - few.peak, (MAX_BLOCKS - 2) * TOKENS * WIDTH);
    assert_true(recomputed.peak < kept.peak / 2);
    free(gradient);
    free_stack(&s);
}

/* Everything trains, x too. */
static void recomputed_blocks_give_all_they_read_its_gradient(void **state) {
    (void)state;
    stack s;
    make_stack(&s);
    sp_leaf_train(&s.x, true);
    for (int k = 0; leaf_of(&s.blocks[1], k); k++) sp_leaf_train(leaf_of(&s.blocks[1], k), true);
    step(&s, 3);
    sp_var *down = &s.blocks[1].down;
    float *dx = sp_alloc_floats(TOKENS * WIDTH), *dw = sp_alloc_floats(WIDTH * INNER);
    memcpy(dx, s.x.grad, TOKENS * WIDTH * sizeof(float));
    memcpy(dw, down->grad, WIDTH * INNER * sizeof(float));
    s.x.grad_ready = false;
    for (int k = 0; leaf_of(&s.blocks[1], k); k++) leaf_of(&s.blocks[1], k)->grad_ready = false;
    s.recompute = true;
    step(&s, 3);
    for (int k = 0; leaf_of(&s.blocks[1], k); k++)
        assert_true(leaf_of(&s.blocks[1], k)->grad_ready);
    assert_memory_equal(s.x.grad, dx, TOKENS * WIDTH * sizeof(float));
    assert_memory_equal(down->grad, dw, WIDTH * INNER * sizeof(float));
    free(dx);
    free(dw);
    free_stack(&s);
}

/* y = a + b: both take y's gradient without a copy; then a's changes and b's must not. */
static void a_shared_gradient_is_copied_before_it_changes(void **state) {
    (void)state;
    sp_tape t = {0};
    sp_var leaf = sp_leaf(2, 16);
    sp_leaf_train(&leaf, true);
    sp_var *a = sp_tanh(&t, &leaf), *b = sp_tanh(&t, &leaf);
    sp_var *y = sp_add(&t, sp_add(&t, a, b), a);
    float *seed = sp_grad(&t, y);
    for (int i = 0; i < 32; i++) seed[i] = (float)(i + 1);
    sp_tape_run_backward(&t);
    for (int i = 0; i < 32; i++) assert_true(leaf.grad[i] == 3.0f * (float)(i + 1));
    sp_tape_free(&t);
    sp_leaf_free(&leaf);
}

int main(void) {
    assert_int_equal(sp_gemm_start(2), SP_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_grows_with_the_blocks_by_what_the_backward_pass_needs_and_no_more),
        cmocka_unit_test(the_backward_pass_leaves_nothing_of_the_blocks),
        cmocka_unit_test(inference_takes_the_memory_of_one_block_however_many_there_are),
        cmocka_unit_test(a_warm_step_takes_no_memory),
        cmocka_unit_test(recomputed_blocks_give_the_same_bits_and_keep_only_their_inputs),
        cmocka_unit_test(recomputed_blocks_give_all_they_read_its_gradient),
        cmocka_unit_test(a_shared_gradient_is_copied_before_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
