/* Optimizers and schedules against PyTorch and transformers; steps and checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"
#include "training/checkpoint.h"
#include "training/schedule.h"
#include "training/step.h"

#include <stdio.h>

static sp_train_options options_with(const char *optimizer, double lr, double weight_decay) {
    sp_train_options options;
    sp_options_default(sp_train_option_table, &options);
    snprintf(options.optimizer, sizeof options.optimizer, "%s", optimizer);
    options.lr = lr;
    options.weight_decay = weight_decay;
    return options;
}

/* Gives the optimizer's only parameter the moments of a large, factored matrix. */
static void factor(sp_optimizer *o) {
    const sp_var *v = &o->params[0]->var;
    free(o->moments[0].second);
    o->moments[0].second_count = (size_t)(v->rows + v->cols);
    o->moments[0].second = sp_alloc_floats(o->moments[0].second_count);
}

/* Three steps on the golden parameter `what` ("matrix" or "vector") equal `expected`.1 to .3. */
static void check_steps(const sp_train_options *options, const char *what, const char *expected,
                        double tolerance) {
    sp_safetensors *file = golden_open("optimizers");
    bool matrix = strcmp(what, "matrix") == 0;
    sp_params params = {0};
    sp_var *v = sp_params_add(&params, what, matrix ? 2 : 1, matrix ? 4 : 1, 6);
    size_t count = (size_t)(v->rows * v->cols);
    sp_params_train(&params, true);
    char *name = sp_format("%s.parameter", what);
    assert_int_equal(
        sp_safetensors_read(file, name, params.items[0]->rank, params.items[0]->dims, v->data),
        SP_OK);
    free(name);
    sp_optimizer o;
    sp_optimizer_init(&o, options, params.items, params.count);
    if (strcmp(expected, "adafactor.matrix") == 0) factor(&o);
    for (int step = 1; step <= 3; step++) {
        char *gradient = sp_format("%s.gradient.%d", what, step);
        char *after = sp_format("%s.%d", expected, step);
        assert_int_equal(sp_safetensors_read(file, gradient, params.items[0]->rank,
                                             params.items[0]->dims, v->grad),
                         SP_OK);
        v->grad_ready = true;
        sp_optimizer_step(&o, options->lr);
        float *values = golden_floats(file, after, NULL);
        assert_near(after, v->data, values, count, tolerance);
        free(values);
        free(gradient);
        free(after);
    }
    sp_optimizer_free(&o);
    sp_params_free(&params);
    sp_safetensors_close(file);
}

static void adamw_equals_pytorch(void **state) {
    (void)state;
    sp_train_options options = options_with("adamw", 0.01, 0.01);
    check_steps(&options, "matrix", "adamw.matrix", 1e-6);
}

static void adafactor_equals_transformers(void **state) {
    (void)state;
    sp_train_options options = options_with("adafactor", 0.3, 1e-5);
    check_steps(&options, "matrix", "adafactor.matrix", 2e-6);
    check_steps(&options, "matrix", "adafactor.unfactored", 2e-6);
    /* Vectors have no weight decay here, but had 1e-5 * 0.3 of themselves a step there. */
    check_steps(&options, "vector", "adafactor.vector", 2e-5);
}

static void schedules_equal_those_of_transformers(void **state) {
    (void)state;
    sp_safetensors *file = golden_open("schedules");
    static const char *const names[] = {"linear", "cosine", "constant"};
    sp_train_options options = options_with("adamw", 2.0, 0);
    options.warmup = 0.2; /* 10 of 50 steps */
    for (int i = 0; i < 3; i++) {
        snprintf(options.schedule, sizeof options.schedule, "%s", names[i]);
        float *expected = golden_floats(file, names[i], NULL);
        for (int step = 0; step <= 50; step++) {
            float factor = (float)(sp_learning_rate(&options, step, 50) / 2.0);
            assert_near(names[i], &factor, &expected[step], 1, 1e-6);
        }
        free(expected);
    }
    sp_safetensors_close(file);
}

static void the_wsd_schedule_warms_up_stays_and_goes_down_to_0(void **state) {
    (void)state;
    sp_train_options options = options_with("adamw", 1.0, 0);
    snprintf(options.schedule, sizeof options.schedule, "wsd");
    options.warmup = 0.1;
    options.decay = 0.25;
    static const struct {
        long step;
        double factor;
    } expected[] = {{0, 0}, {5, 0.5}, {10, 1}, {50, 1}, {75, 1}, {80, 0.8}, {100, 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(fabs(sp_learning_rate(&options, expected[i].step, 100) - expected[i].factor) <
                    1e-12);
}

/* ---- steps ---- */

static void clipping_scales_the_global_norm_down_to_the_limit_and_never_up(void **state) {
    (void)state;
    sp_params params = {0};
    sp_var *a = sp_params_add(&params, "a", 2, 2, 2), *b = sp_params_add(&params, "b", 1, 1, 2);
    sp_var *idle = sp_params_add(&params, "idle", 1, 1, 2);
    sp_params_train(&params, true);
    memcpy(a->grad, (float[]){3, 0, 0, 0}, 4 * sizeof(float));
    memcpy(b->grad, (float[]){0, 4}, 2 * sizeof(float));
    memcpy(idle->grad, (float[]){100, 100}, 2 * sizeof(float)); /* of an earlier step */
    a->grad_ready = b->grad_ready = true;
    sp_train_options options = options_with("adamw", 0.1, 0);
    options.clip = 2.5;
    sp_optimizer o;
    sp_optimizer_init(&o, &options, params.items, params.count);
    assert_true(fabs(sp_optimizer_clip(&o) - 5) < 1e-6);
    assert_near("a", a->grad, (float[]){1.5f, 0, 0, 0}, 4, 1e-5);
    assert_near("b", b->grad, (float[]){0, 2}, 2, 1e-5);
    o.options.clip = 100;
    assert_true(fabs(sp_optimizer_clip(&o) - 2.5) < 1e-5);
    assert_near("b", b->grad, (float[]){0, 2}, 2, 1e-5);
    o.options.clip = 0;
    sp_optimizer_clip(&o);
    assert_near("b", b->grad, (float[]){0, 2}, 2, 1e-5);
    sp_optimizer_free(&o);
    sp_params_free(&params);
}

/* The golden model being fine-tuned on the golden batch. */
typedef struct training {
    sp_model *model;
    sp_optimizer optimizer;
    sp_tape tape;
    golden_batch batch;
} training;

static void start_training(training *t, const char *optimizer) {
    *t = (training){.model = golden_model(), .batch = golden_read_batch(0, 0)};
    sp_params_train(&t->model->params, true);
    sp_train_options options = options_with(optimizer, 0.01, 0.01);
    sp_optimizer_init(&t->optimizer, &options, t->model->params.items, t->model->params.count);
}

static void end_training(training *t) {
    sp_optimizer_free(&t->optimizer);
    sp_tape_free(&t->tape);
    sp_model_free(t->model);
}

static sp_status train(training *t, sp_step_result *result) {
    sp_context ctx = golden_context(&t->batch, NULL);
    sp_var *hidden = sp_model_forward(&t->tape, t->model, t->batch.ids, &ctx);
    sp_var *loss = sp_lm_loss(&t->tape, hidden, t->model->head, t->batch.targets, NULL);
    return sp_train_step(&t->tape, loss, &t->optimizer, 0.01, result);
}

static void assert_same_weights(const sp_model *a, const sp_model *b) {
    for (size_t i = 0; i < a->params.count; i++) {
        const sp_var *v = &a->params.items[i]->var;
        assert_memory_equal(v->data, b->params.items[i]->var.data,
                            (size_t)(v->rows * v->cols) * sizeof(float));
    }
}

static void training_lowers_the_loss(void **state) {
    (void)state;
    static const char *const optimizers[] = {"adamw", "adafactor"};
    for (int i = 0; i < 2; i++) {
        training t;
        sp_step_result first, last;
        start_training(&t, optimizers[i]);
        assert_int_equal(train(&t, &first), SP_OK);
        for (int step = 0; step < 30; step++) assert_int_equal(train(&t, &last), SP_OK);
        assert_true(last.loss < 0.2 * first.loss);
        assert_int_equal(t.optimizer.step, 31);
        end_training(&t);
    }
}

static void a_loss_that_is_not_a_number_stops_before_anything_changes(void **state) {
    (void)state;
    training t;
    sp_step_result result;
    start_training(&t, "adamw");
    sp_var *bias = &sp_params_find(&t.model->params, "transformer.ln_f.bias")->var;
    static const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        float kept = bias->data[3];
        bias->data[3] = bad[i];
        assert_int_equal(train(&t, &result), SP_ERR_NUMERIC);
        assert_non_null(strstr(sp_error(), "learning rate"));
        bias->data[3] = kept;
        assert_int_equal(t.optimizer.step, 0);
        sp_model *fresh = golden_model();
        assert_same_weights(t.model, fresh);
        sp_model_free(fresh);
    }
    assert_int_equal(train(&t, &result), SP_OK);
    end_training(&t);
}

static void a_step_takes_no_memory_once_the_first_has_shown_how_much(void **state) {
    (void)state;
    training t;
    sp_step_result result;
    start_training(&t, "adamw");
    train(&t, &result);
    const void *arena = t.tape.arena.first, *scratch = t.tape.scratch.first;
    size_t peak = t.tape.arena.peak;
    for (int i = 0; i < 3; i++) train(&t, &result);
    assert_ptr_equal(t.tape.arena.first, arena);
    assert_ptr_equal(t.tape.scratch.first, scratch);
    assert_int_equal(t.tape.arena.peak, peak);
    end_training(&t);
}

static void equal_trainings_on_two_threads_end_in_the_same_bits(void **state) {
    (void)state;
    training a, b;
    sp_step_result result;
    assert_int_equal(sp_gemm_start(2), SP_OK);
    start_training(&a, "adamw");
    start_training(&b, "adamw");
    for (int i = 0; i < 5; i++) {
        train(&a, &result);
        train(&b, &result);
    }
    assert_int_equal(sp_gemm_start(1), SP_OK);
    assert_same_weights(a.model, b.model);
    end_training(&a);
    end_training(&b);
}

/* ---- checkpoints ---- */

static void write_checkpoint(const char *path, const char *identity, training *t, int64_t seen) {
    sp_h5 *file = NULL;
    sp_counter counters[] = {{"seen", &seen}, {0}};
    assert_int_equal(sp_h5_create(path, &file), SP_OK);
    assert_int_equal(sp_checkpoint_write(file, identity, &t->optimizer, counters), SP_OK);
    assert_int_equal(sp_h5_commit(file), SP_OK);
}

static sp_status read_checkpoint(const char *path, const char *identity, training *t,
                                 int64_t *seen) {
    sp_h5 *file = NULL;
    sp_counter counters[] = {{"seen", seen}, {0}};
    sp_status st = sp_h5_open(path, &file);
    if (!st) st = sp_checkpoint_read(file, identity, &t->optimizer, counters);
    sp_h5_close(file);
    return st;
}

static void check_resume(const char *optimizer) {
    char *folder = make_folder(), *path = sp_path_join(folder, "checkpoint.h5");
    training whole, resumed;
    sp_step_result a, b;
    int64_t seen = 0;
    start_training(&whole, optimizer);
    for (int i = 0; i < 3; i++) train(&whole, &a);
    write_checkpoint(path, "run 1", &whole, (int64_t)1 << 40);
    start_training(&resumed, optimizer);
    assert_int_equal(read_checkpoint(path, "run 1", &resumed, &seen), SP_OK);
    assert_true(seen == (int64_t)1 << 40);
    assert_int_equal(resumed.optimizer.step, 3);
    assert_same_weights(whole.model, resumed.model);
    for (int i = 0; i < 3; i++) {
        train(&whole, &a);
        train(&resumed, &b);
        assert_memory_equal(&a, &b, sizeof a);
    }
    assert_same_weights(whole.model, resumed.model);
    end_training(&whole);
    end_training(&resumed);
    free(path);
    remove_folder(folder);
}

static void a_resumed_training_ends_in_the_same_bits_as_one_left_alone(void **state) {
    (void)state;
    check_resume("adamw");
    check_resume("adafactor");
}

static void a_checkpoint_of_another_training_or_shape_is_refused(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "checkpoint.h5");
    training t, other;
    int64_t seen = 0;
    start_training(&t, "adamw");
    write_checkpoint(path, "run 1", &t, 5);
    assert_int_equal(read_checkpoint(path, "run 2", &t, &seen), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    assert_int_equal(seen, 0);
    start_training(&other, "adafactor"); /* moments of other sizes */
    assert_int_equal(read_checkpoint(path, "run 1", &other, &seen), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    end_training(&t);
    end_training(&other);
    free(path);
    remove_folder(folder);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw_equals_pytorch),
        cmocka_unit_test(adafactor_equals_transformers),
        cmocka_unit_test(schedules_equal_those_of_transformers),
        cmocka_unit_test(the_wsd_schedule_warms_up_stays_and_goes_down_to_0),
        cmocka_unit_test(clipping_scales_the_global_norm_down_to_the_limit_and_never_up),
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(a_loss_that_is_not_a_number_stops_before_anything_changes),
        cmocka_unit_test(a_step_takes_no_memory_once_the_first_has_shown_how_much),
        cmocka_unit_test(equal_trainings_on_two_threads_end_in_the_same_bits),
        cmocka_unit_test(a_resumed_training_ends_in_the_same_bits_as_one_left_alone),
        cmocka_unit_test(a_checkpoint_of_another_training_or_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
