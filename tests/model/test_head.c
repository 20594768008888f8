/* The LM head of generation against a sort of all logits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "model/head.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 3001, WIDTH = 24, ROWS = 70, MOST = 40 };

typedef struct inputs {
    sp_var head, hidden;
} inputs;

static inputs make_inputs(void) {
    inputs in = {sp_leaf(VOCABULARY, WIDTH), sp_leaf(ROWS, WIDTH)};
    sp_rng rng = sp_rng_make(3, "head");
    for (int i = 0; i < VOCABULARY * WIDTH; i++) in.head.data[i] = sp_rng_normal(&rng);
    for (int i = 0; i < ROWS * WIDTH; i++) in.hidden.data[i] = sp_rng_normal(&rng);
    return in;
}

static void free_inputs(inputs *in) {
    sp_leaf_free(&in->head);
    sp_leaf_free(&in->hidden);
}

static double exact_logit(const inputs *in, int row, int token) {
    double sum = 0;
    for (int i = 0; i < WIDTH; i++)
        sum += (double)in->hidden.data[row * WIDTH + i] * (double)in->head.data[token * WIDTH + i];
    return sum;
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void check_row(const inputs *in, int row, int k, const sp_candidate *best, double log_sum) {
    double *logits = sp_alloc(VOCABULARY, sizeof *logits), sum = 0;
    for (int i = 0; i < VOCABULARY; i++) sum += exp(logits[i] = exact_logit(in, row, i));
    qsort(logits, VOCABULARY, sizeof *logits, descending);
    for (int i = 0; i < k; i++) {
        assert_true(fabs((double)best[i].logit - logits[i]) < 2e-5);
        assert_true(fabs(exact_logit(in, row, best[i].token) - logits[i]) < 2e-5);
        for (int earlier = 0; earlier < i; earlier++)
            assert_int_not_equal(best[earlier].token, best[i].token);
    }
    assert_true(fabs(log_sum - log(sum)) < 1e-5);
    free(logits);
}

static void candidates_and_log_sum_are_those_of_a_sort_of_all_logits(void **state) {
    (void)state;
    inputs in = make_inputs();
    sp_arena scratch = {0};
    sp_candidate best[ROWS * MOST];
    double log_sum[ROWS];
    static const int sizes[] = {1, 2, MOST}, rows[] = {1, 7, ROWS};
    for (int i = 0; i < 3; i++) {
        in.hidden.rows = rows[i];
        assert_int_equal(sp_head_best(&in.head, &in.hidden, sizes[i], best, log_sum, &scratch),
                         SP_OK);
        for (int r = 0; r < rows[i]; r++)
            check_row(&in, r, sizes[i], best + r * sizes[i], log_sum[r]);
    }
    sp_arena_free(&scratch);
    free_inputs(&in);
}

static void of_equal_logits_the_smaller_id_comes_first(void **state) {
    (void)state;
    inputs in = make_inputs();
    sp_arena scratch = {0};
    static const int same[] = {2, 40, 1500, 1501, 2999};
    for (int i = 0; i < WIDTH; i++) {
        in.hidden.data[i] = 1;
        for (int t = 0; t < 5; t++) in.head.data[same[t] * WIDTH + i] = 8;
    }
    in.hidden.rows = 1;
    sp_candidate best[5];
    for (int k = 1; k <= 5; k++) {
        assert_int_equal(sp_head_best(&in.head, &in.hidden, k, best, NULL, &scratch), SP_OK);
        for (int i = 0; i < k; i++) assert_int_equal(best[i].token, same[i]);
    }
    sp_arena_free(&scratch);
    free_inputs(&in);
}

static void the_number_of_threads_changes_no_candidate(void **state) {
    (void)state;
    inputs in = make_inputs();
    sp_arena scratch = {0};
    sp_candidate one[ROWS * 5], more[ROWS * 5];
    double log_sum_one[ROWS], log_sum_more[ROWS];
    assert_int_equal(sp_head_best(&in.head, &in.hidden, 5, one, log_sum_one, &scratch), SP_OK);
    for (int threads = 2; threads <= 3; threads++) {
        assert_int_equal(sp_gemm_start(threads), SP_OK);
        assert_int_equal(sp_head_best(&in.head, &in.hidden, 5, more, log_sum_more, &scratch),
                         SP_OK);
        for (int i = 0; i < ROWS * 5; i++) assert_int_equal(more[i].token, one[i].token);
        for (int r = 0; r < ROWS; r++) assert_true(fabs(log_sum_more[r] - log_sum_one[r]) < 1e-5);
    }
    assert_int_equal(sp_gemm_start(1), SP_OK);
    sp_arena_free(&scratch);
    free_inputs(&in);
}

static void the_whole_vocabulary_may_be_asked_for(void **state) {
    (void)state;
    inputs in = make_inputs();
    sp_arena scratch = {0};
    sp_candidate best[2 * 7];
    in.head.rows = 7;
    in.hidden.rows = 2;
    assert_int_equal(sp_head_best(&in.head, &in.hidden, 7, best, NULL, &scratch), SP_OK);
    for (int r = 0; r < 2; r++) {
        int seen = 0;
        for (int i = 0; i < 7; i++) seen |= 1 << best[r * 7 + i].token;
        assert_int_equal(seen, 127);
    }
    sp_arena_free(&scratch);
    free_inputs(&in);
}

static void all_logits_of_some_rows_are_their_products_with_the_head(void **state) {
    (void)state;
    inputs in = make_inputs();
    float *logits = sp_alloc_floats(3 * VOCABULARY);
    assert_int_equal(sp_head_logits(&in.head, &in.hidden, 5, 3, logits), SP_OK);
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < VOCABULARY; i += 100)
            assert_true(fabs((double)logits[r * VOCABULARY + i] - exact_logit(&in, 5 + r, i)) <
                        2e-5);
    free(logits);
    free_inputs(&in);
}

static void logits_that_are_not_finite_are_refused(void **state) {
    (void)state;
    inputs in = make_inputs();
    sp_arena scratch = {0};
    sp_candidate best[ROWS * 4];
    double log_sum[ROWS];
    float *logits = sp_alloc_floats(ROWS * (size_t)VOCABULARY);
    in.hidden.data[9 * WIDTH + 3] = NAN;
    assert_int_equal(sp_head_best(&in.head, &in.hidden, 4, best, NULL, &scratch), SP_ERR_NUMERIC);
    assert_int_equal(sp_head_best(&in.head, &in.hidden, 4, best, log_sum, &scratch),
                     SP_ERR_NUMERIC);
    assert_int_equal(sp_head_logits(&in.head, &in.hidden, 0, ROWS, logits), SP_ERR_NUMERIC);
    in.hidden.data[9 * WIDTH + 3] = 1;
    in.head.data[2000 * WIDTH] = INFINITY; /* one damaged token shows in every sum */
    assert_int_equal(sp_head_best(&in.head, &in.hidden, 4, best, log_sum, &scratch),
                     SP_ERR_NUMERIC);
    sp_arena_free(&scratch);
    free(logits);
    free_inputs(&in);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_and_log_sum_are_those_of_a_sort_of_all_logits),
        cmocka_unit_test(of_equal_logits_the_smaller_id_comes_first),
        cmocka_unit_test(the_number_of_threads_changes_no_candidate),
        cmocka_unit_test(the_whole_vocabulary_may_be_asked_for),
        cmocka_unit_test(all_logits_of_some_rows_are_their_products_with_the_head),
        cmocka_unit_test(logits_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
