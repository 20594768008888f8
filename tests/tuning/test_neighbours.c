/* Nearest vocabulary tokens: as numpy finds them, their clusters on a vocabulary made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/golden.h"
#include "tuning/neighbours.h"

enum { ROWS = 9, TOP = 10, VOCABULARY = 97 };

static sp_var golden_rows(const sp_safetensors *file, long rows, long columns) {
    sp_var v = sp_leaf(rows, columns);
    float *values = golden_floats(file, "rows", NULL);
    memcpy(v.data, values, (size_t)(rows * columns) * sizeof(float));
    free(values);
    return v;
}

static void neighbours_and_cosines_are_those_of_numpy(void **state) {
    (void)state;
    sp_model *model = golden_model();
    sp_safetensors *file = golden_open("neighbours");
    sp_var rows = golden_rows(file, ROWS, model->config.n_embd);
    sp_ints ids = golden_ints(file, "ids"), ranks = golden_ints(file, "ranks");
    float *cosines = golden_floats(file, "cosines", NULL);
    sp_neighbours n;
    sp_neighbours_find(&rows, model->embedding, VOCABULARY, TOP, &n);
    assert_int_equal(n.top, TOP);
    for (int i = 0; i < ROWS * TOP; i++) {
        assert_int_equal(n.nearest[i].token, ids.data[i]);
        assert_float_equal(n.nearest[i].cosine, cosines[i], 1e-5);
    }
    for (int t = 0; t < VOCABULARY; t++) {
        long row = -1;
        assert_int_equal(sp_neighbours_rank(&n, &t, 1, &row), ranks.data[t]);
        assert_true(row >= 0 && row < ROWS);
    }
    assert_float_equal(n.cosines[5 * VOCABULARY + 40], -1, 1e-5); /* row 5 is -2.5 times it */
    sp_neighbours_free(&n);
    sp_neighbours_find(&rows, model->embedding, VOCABULARY, 500, &n);
    assert_int_equal(n.top, VOCABULARY);
    assert_float_equal((float)sp_neighbours_share(&n), 1, 1e-6);
    sp_neighbours_free(&n);
    free(cosines);
    sp_ints_free(&ids), sp_ints_free(&ranks);
    sp_leaf_free(&rows);
    sp_safetensors_close(file);
    sp_model_free(model);
}

/* ---- clusters ---- */

/* Tokens 0 to 7: "run", " Running", "cat", " 7", "7", "!", "fig", "tree". */
static sp_tokenizer *few_words(void) {
    static const char text[] =
        "{\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
        "\"trim_offsets\": true, \"use_regex\": true}, \"decoder\": {\"type\": \"ByteLevel\"}, "
        "\"model\": {\"type\": \"BPE\", \"vocab\": {\"run\": 0, \"\\u0120Running\": 1, \"cat\": 2, "
        "\"\\u01207\": 3, \"7\": 4, \"!\": 5, \"fig\": 6, \"tree\": 7}, \"merges\": []}}";
    sp_tokenizer *tokenizer = NULL;
    if (sp_tokenizer_parse(text, strlen(text), "words", &tokenizer)) fail_msg("%s", sp_error());
    return tokenizer;
}

/* Rows whose nearest tokens are those with the largest of 8 weights: the embedding is the identity.
 */
static sp_clusters clusters_of(const float *weights, long rows, double *share) {
    sp_tokenizer *tokenizer = few_words();
    sp_var embedding = sp_leaf(8, 8), virtual_rows = sp_leaf(rows, 8);
    for (int i = 0; i < 8; i++) embedding.data[9 * i] = 1;
    memcpy(virtual_rows.data, weights, (size_t)rows * 8 * sizeof(float));
    sp_neighbours n;
    sp_neighbours_find(&virtual_rows, &embedding, 8, SP_NEIGHBOUR_CLUSTER, &n);
    sp_clusters c = sp_neighbours_clusters(&n, tokenizer);
    *share = sp_neighbours_share(&n);
    sp_neighbours_free(&n);
    sp_leaf_free(&embedding), sp_leaf_free(&virtual_rows);
    sp_tokenizer_free(tokenizer);
    return c;
}

static void word_variants_share_a_stem_and_digits_are_none(void **state) {
    (void)state;
    double share;
    const float with[] = {5, 4, 3, 2, 1, 0, 0, 0}, without[] = {0, 1, 2, 3, 4, 5, 0.5f, 0},
                both[] = {5, 4, 3, 2, 1, 0, 0, 0, 0, 5, 0.5f, 4, 3, 2, 1, 0};
    sp_clusters c = clusters_of(with, 1, &share); /* run, Running, cat, 7, 7 */
    assert_int_equal(c.clustered, 1);
    assert_float_equal((float)share, 0.625f, 1e-6);
    c = clusters_of(without, 1, &share); /* !, 7, 7, cat, Running: 7 is no word */
    assert_int_equal(c.clustered, 0);
    c = clusters_of(both, 2, &share);
    assert_int_equal(c.clustered, 1);
    assert_int_equal(c.distinct, 2);
}

static void the_chance_of_variants_is_that_of_drawing_both(void **state) {
    (void)state;
    double share;
    const float any[] = {1, 0, 0, 0, 0, 0, 0, 0};
    /* of 8 tokens 5 are drawn, both of a pair with probability (5 * 4) / (8 * 7) */
    assert_float_equal((float)clusters_of(any, 1, &share).chance, 20.0f / 56, 1e-6);
}

static void the_best_rank_is_taken_over_virtual_tokens_and_over_a_words_tokens(void **state) {
    (void)state;
    sp_var embedding = sp_leaf(4, 4), rows = sp_leaf(2, 4);
    for (int i = 0; i < 4; i++) embedding.data[5 * i] = 1;
    memcpy(rows.data, (float[]){4, 3, 2, 1, 1, 2, 4, 3}, 8 * sizeof(float));
    sp_neighbours n;
    long row;
    sp_neighbours_find(&rows, &embedding, 4, 1, &n);
    assert_int_equal(sp_neighbours_rank(&n, (int[]){1}, 1, &row), 2);
    assert_int_equal(row, 0);
    assert_int_equal(sp_neighbours_rank(&n, (int[]){1, 2}, 2, &row), 1);
    assert_int_equal(row, 1);
    assert_float_equal((float)sp_neighbours_share(&n), 0.5f, 1e-6);
    sp_neighbours_free(&n);
    sp_leaf_free(&embedding), sp_leaf_free(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_and_cosines_are_those_of_numpy),
        cmocka_unit_test(word_variants_share_a_stem_and_digits_are_none),
        cmocka_unit_test(the_chance_of_variants_is_that_of_drawing_both),
        cmocka_unit_test(the_best_rank_is_taken_over_virtual_tokens_and_over_a_words_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
