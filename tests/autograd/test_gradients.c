/* Every op's gradient against central finite differences; the gate of a prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autograd/ops.h"
#include "core/random.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEAVES = 6 };

/* An op under test: builds its output from leaves of the given shapes. */
typedef struct op_case {
    const char *name;
    sp_var *(*build)(sp_tape *t, sp_var *leaves);
    struct {
        long rows, cols;
    } shapes[MAX_LEAVES];
    bool scalar; /* the output is the loss itself */
} op_case;

static double loss_of(sp_tape *t, const op_case *c, sp_var *leaves, bool backward) {
    sp_var *y = c->build(t, leaves);
    double loss = 0;
    sp_rng rng = sp_rng_make(7, "upstream");
    if (c->scalar) {
        loss = y->data[0];
        if (backward) sp_tape_backward(t, y, 1.0f);
    } else {
        float *seed = sp_grad(t, y);
        for (long r = 0; r < y->rows; r++)
            for (long j = 0; j < y->cols; j++) {
                float u = sp_rng_normal(&rng);
                loss += (double)u * y->data[r * y->ld + j];
                seed[r * y->ld + j] = u;
            }
        if (backward) {
            sp_var root = {.rows = 1, .cols = 1, .ld = 1};
            sp_tape_backward(t, &root, 0);
        }
    }
    sp_tape_reset(t);
    return loss;
}

static void check_leaf(sp_tape *t, const op_case *c, sp_var *leaves, int which,
                       const float *gradient) {
    sp_var *leaf = &leaves[which];
    const float step = 1e-2f;
    for (long i = 0; i < leaf->rows * leaf->cols; i++) {
        float kept = leaf->data[i];
        leaf->data[i] = kept + step;
        double up = loss_of(t, c, leaves, false);
        leaf->data[i] = kept - step;
        double down = loss_of(t, c, leaves, false);
        leaf->data[i] = kept;
        double numeric = (up - down) / (2.0 * step);
        if (fabs(numeric - gradient[i]) > 3e-3 + 1e-2 * fabs(numeric))
            fail_msg("%s: leaf %d element %ld: gradient %g, finite difference %g", c->name, which,
                     i, (double)gradient[i], numeric);
    }
}

static void check_case(const op_case *c) {
    sp_var leaves[MAX_LEAVES] = {0};
    sp_rng rng = sp_rng_make(1, c->name);
    int count = 0;
    for (; count < MAX_LEAVES && c->shapes[count].rows; count++) {
        leaves[count] = sp_leaf(c->shapes[count].rows, c->shapes[count].cols);
        sp_leaf_train(&leaves[count], true);
        for (long i = 0; i < leaves[count].rows * leaves[count].cols; i++)
            leaves[count].data[i] = 0.7f * sp_rng_normal(&rng);
    }
    sp_tape t = {0};
    loss_of(&t, c, leaves, true);
    for (int k = 0; k < count; k++) {
        size_t n = (size_t)(leaves[k].rows * leaves[k].cols);
        float *gradient = sp_alloc_floats(n);
        assert_true(leaves[k].grad_ready);
        memcpy(gradient, leaves[k].grad, n * sizeof(float));
        check_leaf(&t, c, leaves, k, gradient);
        free(gradient);
    }
    for (int k = 0; k < count; k++) sp_leaf_free(&leaves[k]);
    sp_tape_free(&t);
}

static sp_var *build_linear(sp_tape *t, sp_var *l) {
    return sp_linear(t, &l[0], &(sp_linear_map){&l[1], &l[2], false});
}
static sp_var *build_linear_transposed(sp_tape *t, sp_var *l) {
    return sp_linear(t, &l[0], &(sp_linear_map){&l[1], &l[2], true});
}
static sp_var *build_linear_without_bias(sp_tape *t, sp_var *l) {
    return sp_linear(t, &l[0], &(sp_linear_map){&l[1], NULL, false});
}
static sp_var *build_norm(sp_tape *t, sp_var *l) {
    return sp_layer_norm(t, &l[0], &(sp_norm){&l[1], &l[2], 1e-5f});
}
static sp_var *build_linear_add(sp_tape *t, sp_var *l) {
    return sp_linear_add(t, &l[0], &(sp_linear_map){&l[1], &l[2], false}, &l[3]);
}
/* The residual is x itself, as in a block. */
static sp_var *build_linear_add_to_input(sp_tape *t, sp_var *l) {
    return sp_linear_add(t, &l[0], &(sp_linear_map){&l[1], NULL, true}, &l[0]);
}
static sp_var *build_rms_norm(sp_tape *t, sp_var *l) {
    return sp_rms_norm(t, &l[0], &(sp_norm){&l[1], NULL, 1e-5f});
}
static sp_var *build_swiglu(sp_tape *t, sp_var *l) {
    return sp_swiglu(t, &l[0], &l[1]);
}
static sp_var *build_swiglu_of_slices(sp_tape *t, sp_var *l) {
    return sp_swiglu(t, sp_slice_columns(t, &l[0], 3, 3), sp_slice_columns(t, &l[0], 0, 3));
}
/* Two heads of size 4 at positions 2, 0, 1; the angle of pair i at position p is p / (i + 1). The
 * position 2 is not in the table. */
static sp_var *build_rope(sp_tape *t, sp_var *l) {
    static const double periods[] = {1, 2};
    static float table[2 * 4];
    sp_rotations rotations = {4, periods, 1.5, table, 2};
    for (int p = 0; p < 2; p++) sp_rotations_row(&rotations, p, table + 4L * p);
    return sp_rope(t, &l[0], (int[]){2, 0, 1}, &rotations);
}
static sp_var *build_rope_tabled(sp_tape *t, sp_var *l) {
    static const double periods[] = {1, 2};
    static float table[2 * 4];
    sp_rotations rotations = {4, periods, 1, table, 2};
    for (int p = 0; p < 2; p++) sp_rotations_row(&rotations, p, table + 4L * p);
    return sp_rope(t, &l[0], (int[]){1, 0, 1}, &rotations);
}
static sp_var *build_gelu(sp_tape *t, sp_var *l) {
    return sp_gelu(t, &l[0]);
}
static sp_var *build_gelu_exact(sp_tape *t, sp_var *l) {
    return sp_activate(t, SP_GELU_EXACT, &l[0]);
}
static sp_var *build_gather_columns(sp_tape *t, sp_var *l) {
    return sp_gather_columns(t, &l[0], (int[]){3, 0, 3, 1, 2}, 5);
}
static sp_var *build_tanh(sp_tape *t, sp_var *l) {
    return sp_tanh(t, &l[0]);
}
static sp_var *build_relu(sp_tape *t, sp_var *l) {
    /* Away from the kink, where finite differences mean nothing. */
    for (long i = 0; i < l->rows * l->cols; i++)
        if (fabsf(l->data[i]) < 0.05f) l->data[i] = 0.5f;
    return sp_relu(t, &l[0]);
}
static sp_var *build_add(sp_tape *t, sp_var *l) {
    return sp_add(t, &l[0], sp_add(t, &l[1], &l[0]));
}
static sp_var *build_concat_of_slices(sp_tape *t, sp_var *l) {
    return sp_concat_columns(t, sp_slice_columns(t, &l[0], 2, 3), sp_slice_columns(t, &l[0], 0, 3));
}
static sp_var *build_gather(sp_tape *t, sp_var *l) {
    return sp_gather_rows(t, &l[0], (int[]){2, 0, 2}, 3);
}
static sp_var *build_embed(sp_tape *t, sp_var *l) {
    return sp_embed(t, &l[0], &l[1], (int[]){3, -1, 0, -2, 3, -1}, 6);
}
static sp_var *build_loss(sp_tape *t, sp_var *l) {
    return sp_lm_loss(t, &l[0], &l[1], (int[]){-1, 4, 0, -1, 8, 8}, NULL);
}
static sp_var *build_cross_entropy(sp_tape *t, sp_var *l) {
    return sp_cross_entropy(t, &l[0], (int[]){2, 0, 2, 1});
}
static sp_var *build_group_logsumexp(sp_tape *t, sp_var *l) {
    return sp_group_logsumexp(t, &l[0], (int[]){1, 0, 1, 2, 1}, 3);
}
static sp_var *build_lstm(sp_tape *t, sp_var *l) {
    return sp_lstm(t, &l[0], &l[1], &l[2], false);
}
static sp_var *build_lstm_reverse(sp_tape *t, sp_var *l) {
    return sp_lstm(t, &l[0], &l[1], &l[2], true);
}

static sp_var *build_gate(sp_tape *t, sp_var *l) {
    return sp_gate_columns(t, &l[0], &l[1]);
}

/* Two sequences of 3 and 2 tokens, 4 query heads of size 2. Leaves: q, k, v, the prefix's key and
 * value, its gate; those of no rows are not there. */
static sp_var *build_attention_of(sp_tape *t, sp_var *l, int kv_heads, bool causal,
                                  const int *prefix_from) {
    sp_attention_shape shape = {.heads = 4,
                                .kv_heads = kv_heads,
                                .head_size = 2,
                                .sequences = 2,
                                .offsets = (int[]){0, 3, 5},
                                .causal = causal,
                                .prefix_from = prefix_from};
    sp_kv prefix = {.key = l[3].rows ? &l[3] : NULL,
                    .value = l[4].rows ? &l[4] : NULL,
                    .gate = l[5].rows ? &l[5] : NULL};
    return sp_attention(t, &shape, &l[0], &l[1], &l[2], prefix);
}
static sp_var *build_attention_causal(sp_tape *t, sp_var *l) {
    return build_attention_of(t, l, 4, true, NULL);
}
static sp_var *build_attention_grouped(sp_tape *t, sp_var *l) {
    return build_attention_of(t, l, 2, false, NULL);
}
static sp_var *build_attention_windowed(sp_tape *t, sp_var *l) {
    sp_attention_shape shape = {.heads = 4,
                                .kv_heads = 2,
                                .head_size = 2,
                                .sequences = 2,
                                .offsets = (int[]){0, 4, 5},
                                .causal = true,
                                .window = 3};
    sp_kv prefix = {.key = l[3].rows ? &l[3] : NULL, .value = l[4].rows ? &l[4] : NULL};
    return sp_attention(t, &shape, &l[0], &l[1], &l[2], prefix);
}
static sp_var *build_attention_infix(sp_tape *t, sp_var *l) {
    return build_attention_of(t, l, 2, true, (int[]){2, 1});
}

static sp_var *build_low_rank(sp_tape *t, sp_var *l) {
    return sp_linear_low_rank(t, &l[0], &l[1], l[3].rows ? &l[3] : NULL, &l[2], 0.7f);
}

static sp_var *build_orthogonal_rows(sp_tape *t, sp_var *l) {
    return sp_orthogonality(t, &l[0], false, 0.3f);
}

static sp_var *build_orthogonal_columns(sp_tape *t, sp_var *l) {
    return sp_orthogonality(t, &l[0], true, 0.3f);
}

static const op_case cases[] = {
    {"linear", build_linear, {{5, 3}, {3, 4}, {1, 4}}, false},
    {"linear transposed", build_linear_transposed, {{5, 3}, {4, 3}, {1, 4}}, false},
    {"linear without bias", build_linear_without_bias, {{5, 3}, {3, 4}}, false},
    {"low rank", build_low_rank, {{5, 3}, {2, 3}, {4, 2}}, false},
    {"low rank with a diagonal", build_low_rank, {{5, 3}, {2, 3}, {4, 2}, {2, 1}}, false},
    {"orthogonality of rows", build_orthogonal_rows, {{2, 5}}, true},
    {"orthogonality of columns", build_orthogonal_columns, {{5, 2}}, true},
    {"linear_add", build_linear_add, {{5, 3}, {3, 4}, {1, 4}, {5, 4}}, false},
    {"linear_add to its input", build_linear_add_to_input, {{5, 3}, {3, 3}}, false},
    {"rms_norm", build_rms_norm, {{4, 6}, {1, 6}}, false},
    {"swiglu", build_swiglu, {{4, 5}, {4, 5}}, false},
    {"swiglu of slices", build_swiglu_of_slices, {{4, 6}}, false},
    {"rope", build_rope, {{3, 8}}, false},
    {"rope from a table", build_rope_tabled, {{3, 8}}, false},
    {"layer_norm", build_norm, {{4, 6}, {1, 6}, {1, 6}}, false},
    {"gelu", build_gelu, {{4, 5}}, false},
    {"gelu_exact", build_gelu_exact, {{4, 5}}, false},
    {"gather_columns", build_gather_columns, {{3, 4}}, false},
    {"tanh", build_tanh, {{4, 5}}, false},
    {"relu", build_relu, {{4, 5}}, false},
    {"add", build_add, {{3, 4}, {3, 4}}, false},
    {"concat of slices", build_concat_of_slices, {{3, 5}}, false},
    {"gather_rows", build_gather, {{4, 3}}, false},
    {"embed", build_embed, {{4, 3}, {2, 3}}, false},
    {"lm_loss", build_loss, {{6, 4}, {9, 4}}, true},
    {"cross_entropy", build_cross_entropy, {{4, 3}}, true},
    {"group_logsumexp", build_group_logsumexp, {{3, 5}}, false},
    {"lstm", build_lstm, {{4, 12}, {12, 3}, {1, 12}}, false},
    {"lstm reverse", build_lstm_reverse, {{4, 12}, {12, 3}, {1, 12}}, false},
    {"attention causal", build_attention_causal, {{5, 8}, {5, 8}, {5, 8}}, false},
    {"attention prefix", build_attention_causal, {{5, 8}, {5, 8}, {5, 8}, {3, 8}, {3, 8}}, false},
    {"attention infix", build_attention_infix, {{5, 8}, {5, 4}, {5, 4}, {2, 4}, {2, 4}}, false},
    {"gated prefix",
     build_attention_causal,
     {{5, 8}, {5, 8}, {5, 8}, {3, 8}, {3, 8}, {1, 1}},
     false},
    {"gate a head",
     build_attention_grouped,
     {{5, 8}, {5, 4}, {5, 4}, {2, 4}, {2, 4}, {1, 4}},
     false},
    {"gated infix", build_attention_infix, {{5, 8}, {5, 4}, {5, 4}, {2, 4}, {2, 4}, {1, 1}}, false},
    {"attention windowed", build_attention_windowed, {{5, 8}, {5, 4}, {5, 4}}, false},
    {"attention windowed with a prefix",
     build_attention_windowed,
     {{5, 8}, {5, 4}, {5, 4}, {2, 4}, {2, 4}},
     false},
    {"gate_columns", build_gate, {{3, 6}, {1, 3}}, false},
    {"attention grouped", build_attention_grouped, {{5, 8}, {5, 4}, {5, 4}, {2, 4}, {2, 4}}, false},
};

static void every_op_gradient_equals_finite_differences(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* Five tokens of two sequences once as a whole and once over keys and values that lie elsewhere. */
static void a_cached_gated_prefix_gives_the_output_of_the_training_form(void **state) {
    (void)state;
    static const long rows[] = {5, 5, 5, 3, 3, 1}, cols[] = {8, 8, 8, 8, 8, 4};
    sp_var l[MAX_LEAVES];
    sp_rng rng = sp_rng_make(3, "cached");
    for (int i = 0; i < MAX_LEAVES; i++) {
        l[i] = sp_leaf(rows[i], cols[i]);
        for (long k = 0; k < rows[i] * cols[i]; k++) l[i].data[k] = sp_rng_normal(&rng);
    }
    sp_attention_shape shape = {.heads = 4,
                                .kv_heads = 4,
                                .head_size = 2,
                                .sequences = 2,
                                .offsets = (int[]){0, 3, 5},
                                .causal = true};
    sp_kv prefix = {.key = &l[3], .value = &l[4], .gate = &l[5]};
    sp_keys keys[] = {{l[1].data, l[2].data, 3, NULL}, {l[1].data + 24, l[2].data + 24, 2, NULL}};
    sp_tape t = {.inference = true};
    sp_var *whole = sp_attention(&t, &shape, &l[0], &l[1], &l[2], prefix);
    sp_var *cached = sp_attention_cached(&t, &shape, &l[0], keys, 8, prefix);
    assert_memory_equal(whole->data, cached->data, 5 * 8 * sizeof(float));
    memset(l[5].data, 0, 4 * sizeof(float));
    sp_var *closed = sp_attention(&t, &shape, &l[0], &l[1], &l[2], prefix);
    sp_var *without = sp_attention(&t, &shape, &l[0], &l[1], &l[2], (sp_kv){0});
    assert_memory_equal(closed->data, without->data, 5 * 8 * sizeof(float));
    for (int i = 0; i < MAX_LEAVES; i++) sp_leaf_free(&l[i]);
    sp_tape_free(&t);
}

int main(void) {
    assert_int_equal(sp_gemm_start(2), SP_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_gradient_equals_finite_differences),
        cmocka_unit_test(a_cached_gated_prefix_gives_the_output_of_the_training_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
