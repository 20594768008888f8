#include "training/tune.h"

#include "core/clock.h"
#include "core/file.h"
#include "training/checkpoint.h"
#include "training/sampler.h"
#include "training/schedule.h"
#include "training/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Evaluations on dev in a run whose options leave it open. */
enum { EVALUATIONS = 10 };

typedef struct tuning {
    const sp_tune_job *job;
    sp_param **params;
    size_t count;
    sp_optimizer optimizer;
    float **best; /* [count] copies of the parameters at the best dev loss */
    double best_loss;
    int64_t best_step, evaluations_since_best, tokens, milliseconds;
    sp_sampler sampler; /* of the training pairs */
    long steps;
    sp_packed batch;
    sp_ints ids;
    sp_tape tape;
    double started; /* this session's clock minus what earlier sessions took */
} tuning;

long sp_tune_steps(const sp_train_options *o, size_t pairs) {
    if (o->steps) return o->steps;
    long per_epoch = ((long)pairs + o->batch - 1) / o->batch;
    return per_epoch * o->epochs;
}

static void pack(tuning *t, const sp_examples *e, sp_pair pair) {
    sp_examples_pack(e, pair, t->job->template, t->job->first_position, &t->ids, &t->batch);
}

static void fill_batch(tuning *t) {
    sp_packed_clear(&t->batch);
    for (int i = 0; i < t->job->options->batch; i++)
        pack(t, t->job->train, t->job->train->pairs[sp_sampler_next(&t->sampler)]);
}

static sp_var *batch_loss(tuning *t) {
    const sp_model *model = t->job->tuner->model;
    sp_injection injection;
    sp_tuner_inject(t->job->tuner, &t->tape, &injection);
    sp_context ctx = sp_packed_context(&t->batch, injection.prefix);
    sp_var *hidden =
        sp_model_forward(&t->tape, model, t->batch.ids.data, injection.virtual_rows, &ctx);
    return sp_lm_loss(&t->tape, hidden, model->head, t->batch.targets.data, NULL);
}

/* Mean loss per target token over all pairs of dev. */
static double evaluate(tuning *t) {
    const sp_examples *dev = t->job->dev;
    double sum = 0, tokens = 0;
    t->tape.inference = true;
    for (size_t i = 0; i < dev->pair_count;) {
        sp_packed_clear(&t->batch);
        for (int k = 0; k < t->job->options->batch && i < dev->pair_count; k++)
            pack(t, dev, dev->pairs[i++]);
        double scored = (double)sp_packed_scored(&t->batch);
        sum += scored * (double)batch_loss(t)->data[0];
        tokens += scored;
        sp_tape_reset(&t->tape);
    }
    t->tape.inference = false;
    return sum / tokens;
}

static size_t param_count(const sp_param *p) {
    return (size_t)(p->var.rows * p->var.cols);
}

static void keep_best(tuning *t) {
    for (size_t i = 0; i < t->count; i++)
        memcpy(t->best[i], t->params[i]->var.data, param_count(t->params[i]) * sizeof(float));
}

static void restore_best(tuning *t) {
    for (size_t i = 0; i < t->count; i++)
        memcpy(t->params[i]->var.data, t->best[i], param_count(t->params[i]) * sizeof(float));
}

static sp_status evaluate_and_compare(tuning *t) {
    double loss = evaluate(t);
    if (!isfinite(loss))
        return sp_fail(SP_ERR_NUMERIC,
                       "step %ld: dev loss is %g; use a lower learning rate than %g",
                       t->optimizer.step, loss, t->job->options->lr);
    if (loss < t->best_loss) {
        t->best_loss = loss;
        t->best_step = t->optimizer.step;
        t->evaluations_since_best = 0;
        keep_best(t);
    } else {
        t->evaluations_since_best++;
    }
    const sp_tune_observer *o = &t->job->observer;
    return o->on_dev ? o->on_dev(o->user, t->optimizer.step, loss) : SP_OK;
}

/* ---- checkpoints ---- */

static void list_counters(tuning *t, sp_counter counters[7]) {
    counters[0] = (sp_counter){"best_step", &t->best_step};
    counters[1] = (sp_counter){"evaluations_since_best", &t->evaluations_since_best};
    counters[2] = (sp_counter){"epoch", &t->sampler.epoch};
    counters[3] = (sp_counter){"cursor", &t->sampler.cursor};
    counters[4] = (sp_counter){"tokens", &t->tokens};
    counters[5] = (sp_counter){"milliseconds", &t->milliseconds};
    counters[6] = (sp_counter){0};
}

static sp_status write_best(const tuning *t, sp_h5 *file) {
    sp_status st = sp_h5_set_real(file, "/checkpoint", "best_loss", t->best_loss);
    for (size_t i = 0; !st && i < t->count; i++) {
        char *path = sp_format("/checkpoint/best/%s", t->params[i]->name);
        size_t count = param_count(t->params[i]);
        st = sp_h5_write_floats(file, path, 1, &count, t->best[i]);
        free(path);
    }
    return st;
}

static sp_status read_best(tuning *t, sp_h5 *file) {
    sp_status st = sp_h5_get_real(file, "/checkpoint", "best_loss", &t->best_loss);
    for (size_t i = 0; !st && i < t->count; i++) {
        char *path = sp_format("/checkpoint/best/%s", t->params[i]->name);
        float *data = NULL;
        size_t count = 0;
        st = sp_h5_read_floats(file, path, &data, &count);
        if (!st && count != param_count(t->params[i]))
            st = sp_fail(SP_ERR_FORMAT, "%s: %s has the wrong size", sp_h5_path(file), path);
        if (!st) memcpy(t->best[i], data, count * sizeof(float));
        free(data);
        free(path);
    }
    return st;
}

static sp_status fill_checkpoint(tuning *t, sp_h5 *file) {
    sp_counter counters[7];
    list_counters(t, counters);
    t->milliseconds = (int64_t)(1000 * (sp_now() - t->started));
    sp_status st = sp_checkpoint_write(file, t->job->identity, &t->optimizer, counters);
    if (!st) st = write_best(t, file);
    const sp_tune_observer *o = &t->job->observer;
    return st || !o->save ? st : o->save(o->user, file);
}

static sp_status save(tuning *t) {
    sp_h5 *file;
    sp_status st = sp_h5_create(t->job->checkpoint, &file);
    return st ? st : sp_h5_finish(file, fill_checkpoint(t, file));
}

static sp_status resume(tuning *t) {
    if (!t->job->checkpoint || !sp_file_exists(t->job->checkpoint)) return SP_OK;
    sp_counter counters[7];
    list_counters(t, counters);
    sp_h5 *file;
    sp_status st = sp_h5_open(t->job->checkpoint, &file);
    if (st) return st;
    st = sp_checkpoint_read(file, t->job->identity, &t->optimizer, counters);
    if (!st) st = read_best(t, file);
    const sp_tune_observer *o = &t->job->observer;
    if (!st && o->load) st = o->load(o->user, file);
    sp_h5_close(file);
    return st;
}

/* ---- the loop ---- */

static void report_step(const tuning *t, const sp_step_result *result, double learning_rate) {
    const sp_tune_observer *o = &t->job->observer;
    if (!o->on_step) return;
    sp_tune_step step = {.step = t->optimizer.step,
                         .steps = t->steps,
                         .loss = result->loss,
                         .learning_rate = learning_rate,
                         .gradient_norm = result->gradient_norm,
                         .tokens = (double)t->tokens,
                         .seconds = sp_now() - t->started};
    o->on_step(o->user, &step);
}

static sp_status one_step(tuning *t) {
    double learning_rate = sp_learning_rate(t->job->options, t->optimizer.step, t->steps);
    sp_step_result result;
    fill_batch(t);
    sp_status st = sp_train_step(&t->tape, batch_loss(t), &t->optimizer, learning_rate, &result);
    if (st) return st;
    t->tokens += sp_packed_tokens(&t->batch);
    report_step(t, &result, learning_rate);
    return SP_OK;
}

static bool is_finished(const tuning *t) {
    int patience = t->job->options->patience;
    return t->optimizer.step >= t->steps || (patience > 0 && t->evaluations_since_best >= patience);
}

static sp_status train(tuning *t) {
    long every = t->job->options->eval_every;
    if (!every) every = (t->steps + EVALUATIONS - 1) / EVALUATIONS;
    double saved = sp_now();
    sp_status st = SP_OK;
    while (!st && !is_finished(t)) {
        if ((st = one_step(t))) break;
        if (t->optimizer.step % every == 0 || t->optimizer.step == t->steps)
            st = evaluate_and_compare(t);
        bool stop = sp_interrupted();
        if (!st && t->job->checkpoint &&
            (stop || sp_now() - saved >= t->job->options->checkpoint_seconds)) {
            st = save(t);
            saved = sp_now();
        }
        if (!st && stop)
            st = sp_fail(SP_ERR_INTERRUPTED,
                         "stopped after step %ld of %ld; the same command "
                         "goes on there",
                         t->optimizer.step, t->steps);
    }
    /* What follows a training can be interrupted too. */
    return st || !t->job->checkpoint ? st : save(t);
}

static void open_tuning(tuning *t, const sp_tune_job *job) {
    *t = (tuning){.job = job, .best_loss = INFINITY, .best_step = 0};
    t->count = sp_tuner_trainable(job->tuner, &t->params);
    sp_optimizer_init(&t->optimizer, job->options, t->params, t->count);
    t->best = sp_alloc(t->count, sizeof *t->best);
    for (size_t i = 0; i < t->count; i++) t->best[i] = sp_alloc_floats(param_count(t->params[i]));
    sp_sampler_init(&t->sampler, job->train->pair_count, job->seed, "pairs");
    t->steps = sp_tune_steps(job->options, job->train->pair_count);
}

static void close_tuning(tuning *t) {
    for (size_t i = 0; i < t->count; i++) free(t->best[i]);
    free(t->best);
    sp_sampler_free(&t->sampler);
    sp_optimizer_free(&t->optimizer);
    free(t->params);
    sp_packed_free(&t->batch);
    sp_ints_free(&t->ids);
    sp_tape_free(&t->tape);
}

static bool trains_nothing(const tuning *t) {
    for (size_t i = 0; i < t->count; i++)
        if (param_count(t->params[i]) > 0) return false;
    return true;
}

sp_status sp_tune(const sp_tune_job *job, sp_tune_result *out) {
    tuning t;
    open_tuning(&t, job);
    sp_status st = SP_OK;
    if (trains_nothing(&t)) {
        st = evaluate_and_compare(&t);
        t.started = sp_now();
    } else {
        st = resume(&t);
        t.started = sp_now() - 1e-3 * (double)t.milliseconds;
        sp_sampler_resume(&t.sampler);
        if (!st) st = train(&t);
        if (!st) restore_best(&t);
    }
    *out = (sp_tune_result){t.optimizer.step, (long)t.best_step, t.best_loss, sp_now() - t.started};
    close_tuning(&t);
    return st;
}
