/* The fused head and loss over several chunks of rows against double precision. */
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

/* 300 rows of so many logits are three chunks. */
enum { ROWS = 400, WIDTH = 12, VOCABULARY = 33000, SCORED = 300 };

/* Three of four rows have a target. */
static void make_targets(int *targets) {
    for (int r = 0; r < ROWS; r++) targets[r] = r % 4 == 3 ? -1 : (r * 7) % VOCABULARY;
}

static sp_var random_leaf(const char *purpose, long rows, float scale) {
    sp_rng rng = sp_rng_make(1, purpose);
    sp_var v = sp_leaf(rows, WIDTH);
    for (long i = 0; i < rows * WIDTH; i++) v.data[i] = scale * sp_rng_normal(&rng);
    return v;
}

/* log softmax of a row's logits in double precision; p receives the softmax. */
static double expect_row(const float *hidden, const float *head, int target, double *p) {
    double sum = 0, most = -INFINITY;
    for (int t = 0; t < VOCABULARY; t++) {
        p[t] = 0;
        for (int c = 0; c < WIDTH; c++) p[t] += (double)hidden[c] * head[t * WIDTH + c];
        most = fmax(most, p[t]);
    }
    double logit = p[target];
    for (int t = 0; t < VOCABULARY; t++) sum += p[t] = exp(p[t] - most);
    for (int t = 0; t < VOCABULARY; t++) p[t] /= sum;
    return logit - most - log(sum);
}

typedef struct expectation {
    double loss, log_p[ROWS], dhidden[ROWS * WIDTH], dhead[VOCABULARY * WIDTH];
} expectation;

static void compute_expected(const sp_var *hidden, const sp_var *head, const int *targets,
                             expectation *e) {
    double p[VOCABULARY];
    for (int r = 0; r < ROWS; r++) {
        if (targets[r] < 0) continue;
        e->log_p[r] = expect_row(hidden->data + r * WIDTH, head->data, targets[r], p);
        e->loss -= e->log_p[r] / SCORED;
        for (int t = 0; t < VOCABULARY; t++) {
            double d = (p[t] - (t == targets[r])) / SCORED;
            for (int c = 0; c < WIDTH; c++) {
                e->dhidden[r * WIDTH + c] += d * head->data[t * WIDTH + c];
                e->dhead[t * WIDTH + c] += d * hidden->data[r * WIDTH + c];
            }
        }
    }
}

static void assert_values(const char *what, const float *got, const double *expected, long n) {
    double largest = 0;
    for (long i = 0; i < n; i++) largest = fmax(largest, fabs(expected[i]));
    for (long i = 0; i < n; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-5 * largest))
            fail_msg("%s[%ld] is %.8g, expected %.8g", what, i, (double)got[i], expected[i]);
}

static void loss_log_probabilities_and_gradients_equal_double_precision(void **state) {
    (void)state;
    static const float scales[] = {0.7f, 6.0f}; /* 6: logits of some hundreds */
    for (int s = 0; s < 2; s++) {
        sp_var hidden = random_leaf("hidden", ROWS, scales[s]);
        sp_var head = random_leaf("head", VOCABULARY, scales[s]);
        int targets[ROWS];
        float log_p[ROWS];
        expectation *e = sp_alloc(1, sizeof *e);
        make_targets(targets);
        compute_expected(&hidden, &head, targets, e);
        sp_leaf_train(&hidden, true);
        sp_leaf_train(&head, true);
        sp_tape t = {0};
        sp_var *loss = sp_lm_loss(&t, &hidden, &head, targets, log_p);
        assert_values("loss", loss->data, &e->loss, 1);
        assert_values("log p", log_p, e->log_p, ROWS);
        sp_tape_backward(&t, loss, 1.0f);
        assert_values("dhidden", hidden.grad, e->dhidden, ROWS * WIDTH);
        assert_values("dhead", head.grad, e->dhead, VOCABULARY * WIDTH);
        sp_tape_free(&t);
        sp_leaf_free(&hidden);
        sp_leaf_free(&head);
        free(e);
    }
}

static void a_frozen_head_gets_no_gradient_and_inference_records_nothing(void **state) {
    (void)state;
    sp_var hidden = random_leaf("hidden", ROWS, 1), head = random_leaf("head", VOCABULARY, 1);
    int targets[ROWS];
    make_targets(targets);
    sp_leaf_train(&hidden, true);
    sp_tape t = {0};
    sp_tape_backward(&t, sp_lm_loss(&t, &hidden, &head, targets, NULL), 1.0f);
    assert_true(hidden.grad_ready);
    assert_null(head.grad);
    sp_tape_reset(&t);
    t.inference = true;
    assert_false(sp_lm_loss(&t, &hidden, &head, targets, NULL)->needs_grad);
    assert_null(t.last);
    sp_tape_free(&t);
    sp_leaf_free(&hidden);
    sp_leaf_free(&head);
}

int main(void) {
    if (sp_gemm_start(2)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_log_probabilities_and_gradients_equal_double_precision),
        cmocka_unit_test(a_frozen_head_gets_no_gradient_and_inference_records_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
