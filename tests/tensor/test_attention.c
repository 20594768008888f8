/* Attention against the formula in double precision, over several blocks of query rows, with
 * prefix, infix, past and grouped heads; its gradients too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "tensor/attention.h"
#include "tensor/gemm.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 4, LARGEST = 48, LD = HEADS * LARGEST + 5, SEQUENCES = 3 };
static const int head_sizes[] = {7, 16, LARGEST};

/* Three sequences, one of several blocks, and everything attention reads or writes. */
typedef struct problem {
    sp_attention_shape shape;
    int offsets[SEQUENCES + 1], past[SEQUENCES];
    int tokens, key_rows;     /* key_rows: past rows included */
    int key_start[SEQUENCES]; /* first key row of each sequence */
    float *q, *k, *v, *pk, *pv, *out, *lse, *dout;
    double *eq, *ek, *ev, *epk, *epv, *eout; /* expected output and gradients */
} problem;

static float *random_rows(const char *purpose, long rows) {
    sp_rng rng = sp_rng_make(1, purpose);
    float *x = sp_alloc_floats((size_t)(rows + 1) * LD);
    for (long i = 0; i < rows * LD; i++) x[i] = sp_rng_normal(&rng);
    return x;
}

static double *zeros(long rows) {
    return sp_alloc((size_t)(rows + 1) * LD, sizeof(double));
}

static void open_problem(problem *p, int size, int kv_heads, bool causal, int prefix,
                         const int *lengths, const int *past) {
    *p = (problem){0};
    for (int s = 0; s < SEQUENCES; s++) {
        p->past[s] = past[s];
        p->offsets[s + 1] = p->offsets[s] + lengths[s];
        p->key_start[s] = p->key_rows;
        p->key_rows += past[s] + lengths[s];
    }
    p->tokens = p->offsets[SEQUENCES];
    p->shape = (sp_attention_shape){.heads = HEADS,
                                    .kv_heads = kv_heads,
                                    .head_size = size,
                                    .sequences = SEQUENCES,
                                    .offsets = p->offsets,
                                    .causal = causal,
                                    .prefix_length = prefix};
    p->q = random_rows("q", p->tokens);
    p->k = random_rows("k", p->key_rows);
    p->v = random_rows("v", p->key_rows);
    p->pk = random_rows("pk", prefix);
    p->pv = random_rows("pv", prefix);
    p->dout = random_rows("dout", p->tokens);
    p->out = random_rows("out", p->tokens);
    p->lse = sp_alloc_floats((size_t)p->tokens * HEADS);
    p->eq = zeros(p->tokens);
    p->ek = zeros(p->key_rows);
    p->ev = zeros(p->key_rows);
    p->epk = zeros(prefix);
    p->epv = zeros(prefix);
    p->eout = zeros(p->tokens);
}

static void close_problem(problem *p) {
    void *all[] = {p->q,    p->k,  p->v,  p->pk, p->pv,  p->out, p->lse,
                   p->dout, p->eq, p->ek, p->ev, p->epk, p->epv, p->eout};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* The formula itself is not checked by the sanitizers: it would take most of their time. */
#define PLAIN __attribute__((no_sanitize("address", "undefined")))

PLAIN static double dot(int size, const float *a, const float *b) {
    double sum = 0;
    for (int i = 0; i < size; i++) sum += (double)a[i] * b[i];
    return sum;
}

/* A key that a query sees, and where its gradients go. */
typedef struct seen_key {
    const float *key, *value;
    double *dkey, *dvalue;
} seen_key;

/* Where own row `index` of a sequence stands among prefix and tokens, for a query that sees the
 * prefix; `from` is the row before which the prefix stands. */
static long standing_at(const problem *p, int from, int index) {
    return index < from ? index : index + p->shape.prefix_length;
}

static bool in_window(const problem *p, long query, long key) {
    return p->shape.window == 0 || p->shape.prefix_only || query - key < p->shape.window;
}

PLAIN static int list_keys(problem *p, int sequence, int query, int kv_column, seen_key *keys) {
    int n = 0, own = query - p->offsets[sequence];
    const int *prefix_from = p->shape.prefix_from;
    int from = prefix_from ? prefix_from[sequence] : 0, index = p->past[sequence] + own;
    bool sees_prefix = index >= from;
    if (!sees_prefix) from = INT_MAX;
    for (int i = 0; sees_prefix && i < p->shape.prefix_length; i++) {
        if (!in_window(p, standing_at(p, from, index), from + i)) continue;
        long at = (long)i * LD + kv_column;
        keys[n++] = (seen_key){p->pk + at, p->pv + at, p->epk + at, p->epv + at};
    }
    int length = p->offsets[sequence + 1] - p->offsets[sequence];
    int visible = p->past[sequence] + (p->shape.causal ? own + 1 : length);
    if (p->shape.prefix_only) visible = 0;
    for (int i = 0; i < visible; i++) {
        if (!in_window(p, standing_at(p, from, index), standing_at(p, from, i))) continue;
        long at = (long)(p->key_start[sequence] + i) * LD + kv_column;
        keys[n++] = (seen_key){p->k + at, p->v + at, p->ek + at, p->ev + at};
    }
    return n;
}

/* One query and head: output and gradients, from the definition. weights: two for each key. */
PLAIN static void expect_query(problem *p, int sequence, int query, int head, seen_key *keys,
                               double *weights) {
    int size = p->shape.head_size;
    int column = head * size, kv_column = head / (HEADS / p->shape.kv_heads) * size;
    int n = list_keys(p, sequence, query, kv_column, keys);
    const float *q = p->q + (long)query * LD + column, *d = p->dout + (long)query * LD + column;
    double *out = p->eout + (long)query * LD + column, *dq = p->eq + (long)query * LD + column;
    double scale = p->shape.scale > 0 ? p->shape.scale : 1 / sqrt(size), sum = 0, mean = 0;
    double *dweights = weights + n;
    for (int i = 0; i < n; i++) sum += weights[i] = exp(scale * dot(size, q, keys[i].key));
    for (int i = 0; i < n; i++) {
        weights[i] /= sum;
        mean += weights[i] * (dweights[i] = dot(size, d, keys[i].value));
        for (int c = 0; c < size; c++) out[c] += weights[i] * keys[i].value[c];
    }
    for (int i = 0; i < n; i++) {
        double score = scale * weights[i] * (dweights[i] - mean);
        for (int c = 0; c < size; c++) {
            dq[c] += score * keys[i].key[c];
            keys[i].dkey[c] += score * q[c];
            keys[i].dvalue[c] += weights[i] * d[c];
        }
    }
}

static void compute_expected(problem *p) {
    size_t most = (size_t)(p->shape.prefix_length + p->key_rows);
    seen_key *keys = sp_alloc(most, sizeof *keys);
    double *weights = sp_alloc(2 * most, sizeof *weights);
    for (int s = 0; s < SEQUENCES; s++)
        for (int query = p->offsets[s]; query < p->offsets[s + 1]; query++)
            for (int head = 0; head < HEADS; head++) expect_query(p, s, query, head, keys, weights);
    free(keys);
    free(weights);
}

static void assert_rows(const char *what, const float *got, const double *expected, long rows,
                        int columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            double e = expected[r * LD + c];
            if (!(fabs((double)got[r * LD + c] - e) <= 2e-5 * (1 + fabs(e))))
                fail_msg("%s[%ld, %ld] is %.8g, expected %.8g", what, r, c, (double)got[r * LD + c],
                         e);
        }
}

static void run_forward(problem *p, sp_arena *scratch) {
    sp_keys keys[SEQUENCES];
    for (int s = 0; s < SEQUENCES; s++) {
        long at = (long)p->key_start[s] * LD;
        keys[s] = (sp_keys){.key = p->k + at,
                            .value = p->v + at,
                            .length = p->past[s] + p->offsets[s + 1] - p->offsets[s]};
    }
    sp_attention_forward(&p->shape, (sp_rows){p->q, LD}, keys, LD, (sp_rows){p->pk, LD},
                         (sp_rows){p->pv, LD}, (sp_rows){p->out, LD}, p->lse, scratch);
    assert_rows("out", p->out, p->eout, p->tokens, HEADS * p->shape.head_size);
}

/* Gradients are added to what was there: here 0. */
static void run_backward(problem *p, sp_arena *scratch) {
    long prefix = p->shape.prefix_length,
         rows[5] = {p->tokens, p->tokens, p->tokens, prefix, prefix};
    float *g[5];
    int kv_columns = p->shape.kv_heads * p->shape.head_size;
    for (int i = 0; i < 5; i++) g[i] = sp_alloc_floats((size_t)(rows[i] + 1) * LD);
    sp_attention_grads grads = {{g[0], LD}, {g[1], LD}, {g[2], LD}, {g[3], LD}, {g[4], LD}};
    sp_attention_backward(&p->shape, (sp_rows){p->q, LD}, (sp_rows){p->k, LD}, (sp_rows){p->v, LD},
                          (sp_rows){p->pk, LD}, (sp_rows){p->pv, LD}, (sp_rows){p->dout, LD},
                          p->lse, &grads, scratch);
    assert_rows("dq", g[0], p->eq, p->tokens, HEADS * p->shape.head_size);
    assert_rows("dk", g[1], p->ek, p->tokens, kv_columns);
    assert_rows("dv", g[2], p->ev, p->tokens, kv_columns);
    assert_rows("dprefix_key", g[3], p->epk, prefix, kv_columns);
    assert_rows("dprefix_value", g[4], p->epv, prefix, kv_columns);
    for (int i = 0; i < 5; i++) free(g[i]);
}

static void check_size(int size, int kv_heads, bool causal, int prefix, const int *lengths,
                       const int *past, const int *prefix_from, bool prefix_only, long window) {
    problem p;
    sp_arena scratch = {0};
    open_problem(&p, size, kv_heads, causal, prefix, lengths, past);
    p.shape.prefix_from = prefix_from;
    p.shape.prefix_only = prefix_only;
    p.shape.window = window;
    compute_expected(&p);
    run_forward(&p, &scratch);
    if (past[0] + past[1] + past[2] == 0) run_backward(&p, &scratch);
    sp_arena_free(&scratch);
    close_problem(&p);
}

static void check_with(int kv_heads, bool causal, int prefix, const int *lengths, const int *past,
                       const int *prefix_from, bool prefix_only) {
    for (size_t i = 0; i < sizeof head_sizes / sizeof *head_sizes; i++)
        check_size(head_sizes[i], kv_heads, causal, prefix, lengths, past, prefix_from, prefix_only,
                   0);
}

static void check_window(long window, int prefix, const int *lengths, const int *past,
                         const int *prefix_from) {
    for (size_t i = 0; i < sizeof head_sizes / sizeof *head_sizes; i++)
        check_size(head_sizes[i], 2, true, prefix, lengths, past, prefix_from, false, window);
}

static void check(int kv_heads, bool causal, int prefix, const int *lengths, const int *past) {
    check_with(kv_heads, causal, prefix, lengths, past, NULL, false);
}

static const int no_past[SEQUENCES] = {0, 0, 0};

static void attention_over_several_blocks_equals_the_formula_with_its_gradients(void **state) {
    (void)state;
    static const int lengths[][SEQUENCES] = {{150, 1, 64}, {65, 128, 7}};
    for (int i = 0; i < 2; i++)
        for (int prefix = 0; prefix <= 70; prefix += 35) {
            check(HEADS, true, prefix, lengths[i], no_past);
            check(2, true, prefix, lengths[i], no_past);
            check(1, false, prefix, lengths[i], no_past);
        }
}

static void attention_over_a_cache_equals_the_formula(void **state) {
    (void)state;
    static const int past[SEQUENCES] = {100, 0, 7};
    check(HEADS, true, 0, (const int[]){1, 1, 1}, past);
    check(HEADS, true, 10, (const int[]){70, 5, 1}, past);
    check(2, true, 10, (const int[]){3, 129, 64}, past);
    check(1, true, 0, (const int[]){4, 2, 1}, past);
    check(2, false, 33, (const int[]){1, 3, 4}, past);
}

static void a_scale_of_the_scores_takes_the_place_of_the_usual_one(void **state) {
    (void)state;
    static const int lengths[SEQUENCES] = {70, 2, 64};
    for (size_t i = 0; i < sizeof head_sizes / sizeof *head_sizes; i++) {
        problem p;
        sp_arena scratch = {0};
        open_problem(&p, head_sizes[i], 2, true, 10, lengths, no_past);
        p.shape.scale = 0.05f;
        compute_expected(&p);
        run_forward(&p, &scratch);
        run_backward(&p, &scratch);
        sp_arena_free(&scratch);
        close_problem(&p);
    }
}

static const int some_lengths[SEQUENCES] = {150, 3, 64};

static void an_infix_is_seen_from_its_query_on_with_its_gradients(void **state) {
    (void)state;
    static const int from[][SEQUENCES] = {{0, 0, 0}, {70, 2, 64}, {64, 3, 1}, {149, 1, 1000}};
    for (int i = 0; i < 4; i++) {
        check_with(HEADS, true, 35, some_lengths, no_past, from[i], false);
        check_with(2, false, 70, some_lengths, no_past, from[i], false);
        check_with(2, true, 0, some_lengths, no_past, from[i], false);
    }
}

static const long windows[] = {1, 40, 64, 1000};
enum { WINDOWS = sizeof windows / sizeof *windows };

static void a_window_hides_keys_from_queries_far_behind_them_with_their_gradients(void **state) {
    (void)state;
    for (int i = 0; i < WINDOWS; i++) {
        check_window(windows[i], 0, some_lengths, no_past, NULL);
        check_window(windows[i], 35, some_lengths, no_past, NULL);
        check_window(windows[i], 70, (const int[]){2, 130, 4}, no_past, NULL);
    }
}

static void a_window_counts_an_infix_where_it_stands(void **state) {
    (void)state;
    static const int from[][SEQUENCES] = {{70, 2, 63}, {64, 3, 1}, {149, 1, 1000}};
    for (int i = 0; i < WINDOWS; i++)
        for (int k = 0; k < 3; k++) check_window(windows[i], 35, some_lengths, no_past, from[k]);
}

static void a_window_reaches_into_the_cache_and_its_prefix(void **state) {
    (void)state;
    static const int past[SEQUENCES] = {100, 0, 7}, from[SEQUENCES] = {90, 1, 8};
    for (int i = 0; i < WINDOWS; i++)
        for (int prefix = 0; prefix <= 33; prefix += 33) {
            check_window(windows[i], prefix, (const int[]){1, 1, 1}, past, NULL);
            check_window(windows[i], prefix, (const int[]){70, 3, 66}, past, NULL);
            check_window(windows[i], prefix, (const int[]){4, 2, 70}, past, from);
        }
}

static void few_queries_of_an_encoder_see_all_keys_and_the_prefix(void **state) {
    (void)state;
    for (int prefix = 0; prefix <= 33; prefix += 33) {
        check(HEADS, false, prefix, (const int[]){1, 4, 2}, no_past);
        check(2, false, prefix, (const int[]){3, 5, 64}, no_past);
    }
}

static void an_infix_over_a_cache_counts_its_past(void **state) {
    (void)state;
    static const int past[SEQUENCES] = {100, 0, 7};
    static const int from[][SEQUENCES] = {{99, 0, 8}, {100, 1, 70}, {102, 4, 7}};
    for (int i = 0; i < 3; i++) {
        check_with(HEADS, true, 10, (const int[]){1, 1, 1}, past, from[i], false);
        check_with(2, true, 10, (const int[]){70, 5, 66}, past, from[i], false);
        check_with(2, true, 33, (const int[]){4, 2, 3}, past, from[i], false);
    }
}

static void the_prefix_alone_is_attended_to_with_its_gradients(void **state) {
    (void)state;
    static const int past[SEQUENCES] = {100, 0, 7}, from[SEQUENCES] = {70, 2, 64};
    check_with(HEADS, true, 35, some_lengths, no_past, NULL, true);
    check_with(2, false, 70, some_lengths, no_past, NULL, true);
    check_with(2, true, 5, some_lengths, no_past, from, true);
    check_with(2, true, 5, (const int[]){1, 1, 66}, past, NULL, true);
    check_with(2, true, 17, (const int[]){4, 1, 1}, past, from, true);
}

/* The output with key and value rows in their order, or anywhere in the batch's rows with `rows`
 * saying where; to the bit the same. */
static void check_rows(int size, const int *lengths, const int *past) {
    problem p;
    sp_arena scratch = {0};
    open_problem(&p, size, 2, true, 10, lengths, past);
    sp_keys keys[SEQUENCES];
    size_t floats = (size_t)p.key_rows * LD;
    float *k = sp_alloc_floats(floats), *v = sp_alloc_floats(floats);
    float *first = sp_alloc_floats((size_t)p.tokens * LD), *out = NULL;
    int *rows = sp_alloc((size_t)p.key_rows, sizeof *rows);
    for (int i = 0; i < p.key_rows; i++) {
        rows[i] = (int)((i * 97L + 3) % p.key_rows);
        memcpy(k + (long)rows[i] * LD, p.k + (long)i * LD, LD * sizeof(float));
        memcpy(v + (long)rows[i] * LD, p.v + (long)i * LD, LD * sizeof(float));
    }
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        for (int s = 0; s < SEQUENCES; s++) {
            long at = (long)p.key_start[s] * LD, length = past[s] + lengths[s];
            keys[s] = (sp_keys){p.k + at, p.v + at, length, NULL};
            if (shuffled) keys[s] = (sp_keys){k, v, length, rows + p.key_start[s]};
        }
        out = shuffled ? p.out : first;
        memset(out, 0, (size_t)p.tokens * LD * sizeof(float));
        sp_attention_forward(&p.shape, (sp_rows){p.q, LD}, keys, LD, (sp_rows){p.pk, LD},
                             (sp_rows){p.pv, LD}, (sp_rows){out, LD}, NULL, &scratch);
    }
    assert_memory_equal(first, p.out, (size_t)p.tokens * LD * sizeof(float));
    free(k), free(v), free(first), free(rows);
    sp_arena_free(&scratch);
    close_problem(&p);
}

static void keys_found_by_their_row_numbers_give_the_same_bits(void **state) {
    (void)state;
    static const int past[SEQUENCES] = {100, 1, 6};
    for (size_t i = 0; i < sizeof head_sizes / sizeof *head_sizes; i++) {
        check_rows(head_sizes[i], (const int[]){1, 1, 1}, past);
        check_rows(head_sizes[i], (const int[]){70, 3, 9}, past);
    }
}

/* Output and gradients of q, k and v in one array; the prefix's gradients must be 0. */
static float *run_without_view_of_prefix(int prefix, const int *prefix_from) {
    problem p;
    sp_arena scratch = {0};
    open_problem(&p, LARGEST, 2, true, prefix, some_lengths, no_past);
    p.shape.prefix_from = prefix_from;
    sp_keys keys[SEQUENCES];
    size_t size = (size_t)p.tokens * LD;
    float *all = sp_alloc_floats(4 * size), *dprefix = sp_alloc_floats((size_t)(prefix + 1) * LD);
    for (int s = 0; s < SEQUENCES; s++) {
        long at = (long)p.key_start[s] * LD;
        keys[s] = (sp_keys){.key = p.k + at, .value = p.v + at, .length = some_lengths[s]};
    }
    sp_rows q = {p.q, LD}, k = {p.k, LD}, v = {p.v, LD}, pk = {p.pk, LD}, pv = {p.pv, LD};
    sp_rows out = {all, LD}, dout = {p.dout, LD};
    sp_attention_forward(&p.shape, q, keys, LD, pk, pv, out, p.lse, &scratch);
    sp_attention_grads grads = {.q = {all + size, LD},
                                .k = {all + 2 * size, LD},
                                .v = {all + 3 * size, LD},
                                .prefix_key = {prefix ? dprefix : NULL, LD}};
    sp_attention_backward(&p.shape, q, k, v, pk, pv, dout, p.lse, &grads, &scratch);
    for (long i = 0; i < (prefix + 1) * LD; i++) assert_true(dprefix[i] == 0);
    free(dprefix);
    sp_arena_free(&scratch);
    close_problem(&p);
    return all;
}

static void a_prefix_that_no_query_sees_changes_nothing_to_the_bit(void **state) {
    (void)state;
    float *hidden = run_without_view_of_prefix(30, some_lengths);
    float *none = run_without_view_of_prefix(0, NULL);
    assert_memory_equal(hidden, none, 4 * (150 + 3 + 64) * LD * sizeof(float));
    free(hidden);
    free(none);
}

int main(void) {
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_over_several_blocks_equals_the_formula_with_its_gradients),
        cmocka_unit_test(attention_over_a_cache_equals_the_formula),
        cmocka_unit_test(an_infix_is_seen_from_its_query_on_with_its_gradients),
        cmocka_unit_test(a_window_hides_keys_from_queries_far_behind_them_with_their_gradients),
        cmocka_unit_test(a_window_counts_an_infix_where_it_stands),
        cmocka_unit_test(a_window_reaches_into_the_cache_and_its_prefix),
        cmocka_unit_test(few_queries_of_an_encoder_see_all_keys_and_the_prefix),
        cmocka_unit_test(a_scale_of_the_scores_takes_the_place_of_the_usual_one),
        cmocka_unit_test(an_infix_over_a_cache_counts_its_past),
        cmocka_unit_test(the_prefix_alone_is_attended_to_with_its_gradients),
        cmocka_unit_test(keys_found_by_their_row_numbers_give_the_same_bits),
        cmocka_unit_test(a_prefix_that_no_query_sees_changes_nothing_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
