/* Data-parallel tuning: ranks, which are threads here, give what one process gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/golden.h"
#include "support/letters.h"
#include "support/thread_ranks.h"
#include "tensor/gemm.h"
#include "training/share.h"
#include "training/tune.h"

#include <omp.h>

enum { END = 0, STEPS = 12, BATCH = 3 };

/* Of rounding: sums of a batch in another order, through some updates. */
static const double TOLERANCE = 2e-4;

/* Everything that a rank needs: pairs of letters to be reversed. */
typedef struct task {
    sp_tokenizer *tokenizer;
    sp_model *model;
    sp_examples examples;
    sp_template template;
    sp_tuner tuner;
    sp_class_head head;
    sp_train_options options;
} task;

static void add_example(sp_split *split, const char *input, const char *reference) {
    sp_example *e = sp_split_add(split);
    e->input = sp_strdup(input);
    e->category = sp_strdup("");
    e->group = sp_strdup("");
    sp_strings_push(&e->references, reference);
}

static void encode_examples(task *t, bool labelled) {
    static const char *const pairs[][2] = {
        {"ab", "ba"}, {"bc", "cb"}, {"abcab", "bacba"}, {"xa", "ax"}, {"cab", "bac"}};
    sp_split split = {0};
    for (int i = 0; i < 5; i++) add_example(&split, pairs[i][0], pairs[i][1]);
    sp_output output = labelled ? SP_OUTPUT_LINEAR : SP_OUTPUT_TEXT;
    sp_examples_encode(&split, output, " ", t->tokenizer, END, &t->examples);
    for (size_t i = 0; i < t->examples.count; i++) t->examples.records[i].label = (int)i % 2;
    sp_split_free(&split);
}

static sp_status open_task(task *t, const char *method, bool labelled) {
    static char *names[] = {"one", "two"};
    const sp_label labels[] = {{.name = names[0]}, {.name = names[1]}};
    static const sp_init_source no_source = {0};
    *t = (task){.tokenizer = letters(), .model = golden_model()};
    encode_examples(t, labelled);
    sp_method_options options = {0};
    sp_options_default(sp_method_find(method)->options, &options);
    options.length = 4;
    options.hidden = 16;
    snprintf(options.init, sizeof options.init, "random");
    sp_status st = sp_tuner_create(method, &options, t->model, &no_source, 1, &t->tuner);
    bool rows = !st && t->tuner.method->uses_template && t->tuner.method->inject;
    if (!st)
        st = sp_template_parse(rows ? options.template : "x", rows ? 4 : 0, t->tokenizer,
                               &t->template);
    if (!st && labelled)
        st = sp_class_head_create(SP_OUTPUT_LINEAR, labels, 2, t->tokenizer, t->model, 1, &t->head);
    sp_options_default(sp_train_option_table, &t->options);
    t->options.lr = 0.005;
    t->options.batch = BATCH;
    t->options.steps = STEPS;
    t->options.eval_every = 4;
    return st;
}

static void close_task(task *t) {
    sp_examples_free(&t->examples);
    sp_class_head_free(&t->head);
    sp_template_free(&t->template);
    sp_tuner_free(&t->tuner);
    sp_model_free(t->model);
    sp_tokenizer_free(t->tokenizer);
}

/* What a tuning on some ranks gave, each rank's for itself. */
typedef struct outcome {
    const char *method;
    bool labelled;
    sp_status status[MOST_RANKS];
    double losses[MOST_RANKS][STEPS];
    sp_tune_result result[MOST_RANKS];
    float *values[MOST_RANKS]; /* all that trains */
    size_t count;
} outcome;

static void keep_loss(void *user, const sp_tune_step *step) {
    ((double *)user)[step->step - 1] = step->loss;
}

static void keep_values(outcome *o, int rank, const task *t) {
    sp_param **params;
    size_t n = sp_tuner_trainable(&t->tuner, &params), total = 0;
    for (size_t i = 0; i < n; i++) total += (size_t)(params[i]->var.rows * params[i]->var.cols);
    float *at = o->values[rank] = malloc((total + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++) {
        size_t size = (size_t)(params[i]->var.rows * params[i]->var.cols);
        memcpy(at, params[i]->var.data, size * sizeof *at);
        at += size;
    }
    o->count = total;
    free(params);
}

static void tune(sp_ranks *ranks, void *user) {
    outcome *o = user;
    int rank = sp_ranks_rank(ranks);
    omp_set_num_threads(1); /* of this thread of the test */
    task t;
    sp_status st = open_task(&t, o->method, o->labelled);
    sp_tune_job job = {.tuner = &t.tuner,
                       .head = o->labelled ? &t.head : NULL,
                       .template = &t.template,
                       .train = &t.examples,
                       .dev = &t.examples,
                       .options = &t.options,
                       .seed = 1,
                       .identity = "run",
                       .observer = {.user = o->losses[rank], .on_step = keep_loss},
                       .ranks = ranks};
    if (!st) st = sp_tune(&job, &o->result[rank]);
    o->status[rank] = st;
    keep_values(o, rank, &t);
    close_task(&t);
}

static outcome tune_on(int size, const char *method, bool labelled) {
    outcome o = {.method = method, .labelled = labelled};
    if (size)
        with_ranks(size, tune, &o);
    else
        tune(NULL, &o);
    for (int r = 0; r < size; r++)
        if (o.status[r]) fail_msg("%s on %d ranks: %d", method, size, o.status[r]);
    return o;
}

static void free_outcome(outcome *o) {
    for (int r = 0; r < MOST_RANKS; r++) free(o->values[r]);
}

static void check_near(const outcome *alone, const outcome *shared, int size) {
    for (int i = 0; i < STEPS; i++)
        if (!(fabs(shared->losses[0][i] - alone->losses[0][i]) < TOLERANCE))
            fail_msg("%s on %d ranks, step %d: loss %.9g, alone %.9g", alone->method, size, i + 1,
                     shared->losses[0][i], alone->losses[0][i]);
    assert_int_equal(shared->result[0].best_step, alone->result[0].best_step);
    assert_true(fabs(shared->result[0].best.loss - alone->result[0].best.loss) < TOLERANCE);
}

/* One with states, a penalty and work after each step (adalora), encoders (prefix), all weights. */
static void check_method(const char *method, bool labelled) {
    outcome alone = tune_on(0, method, labelled);
    for (int size = 1; size <= 5; size++) { /* with 5 ranks some have no sequence of a batch */
        outcome shared = tune_on(size, method, labelled), again = tune_on(size, method, labelled);
        check_near(&alone, &shared, size);
        for (int r = 0; r < size; r++) {
            size_t bytes = shared.count * sizeof(float);
            assert_memory_equal(shared.values[r], shared.values[0], bytes);
            assert_memory_equal(shared.losses[r], shared.losses[0], sizeof shared.losses[0]);
            assert_memory_equal(again.values[r], shared.values[0], bytes);
        }
        if (size == 1)
            assert_memory_equal(shared.values[0], alone.values[0], alone.count * sizeof(float));
        free_outcome(&shared), free_outcome(&again);
    }
    free_outcome(&alone);
}

static void ranks_give_the_losses_of_one_process_and_the_same_bits_again(void **state) {
    (void)state;
    check_method("prefix", false);
    check_method("fine-tune", false);
    check_method("prompt", true);
}

static void a_penalty_counts_once(void **state) {
    (void)state;
    check_method("adalora", false);
}

static void the_largest_sequences_go_to_the_rank_that_has_least(void **state) {
    (void)state;
    const int sizes[] = {5, 9, 4, 5, 2};
    const int expected[] = {1, 0, 0, 1, 1};
    int owner[5];
    sp_share_deal(sizes, 5, 2, owner);
    assert_int_equal(owner[1], 0);
    int sums[2] = {0};
    for (int i = 0; i < 5; i++) sums[owner[i]] += sizes[i];
    assert_true(sums[0] + sums[1] == 25 && abs(sums[0] - sums[1]) <= 3);
    assert_memory_equal(owner, expected, sizeof owner);
    sp_share_deal(sizes, 2, 4, owner);
    assert_int_equal(owner[1], 0);
    assert_int_equal(owner[0], 1);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_sequences_go_to_the_rank_that_has_least),
        cmocka_unit_test(ranks_give_the_losses_of_one_process_and_the_same_bits_again),
        cmocka_unit_test(a_penalty_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
