#include "training/tune.h"

#include "core/clock.h"
#include "core/file.h"
#include "training/objective.h"
#include "training/sampler.h"
#include "training/schedule.h"
#include "training/snapshot.h"
#include "training/step.h"

#include <math.h>
#include <stdlib.h>

/* Evaluations on dev in a run whose options leave it open. */
enum { EVALUATIONS = 10 };

typedef struct tuning {
    const sp_tune_job *job;
    sp_objective objective;
    sp_param **tensors; /* [tensor_count] what trains, then the tuner's state */
    size_t trained, tensor_count;
    sp_optimizer optimizer;
    sp_snapshot best; /* of all tensors */
    sp_dev_score best_score;
    int64_t best_step, evaluations_since_best, tokens, milliseconds;
    sp_sampler sampler; /* of the training pairs */
    int *pair_tokens;   /* [pairs] */
    long steps;
    sp_packed batch;
    sp_ints labels, tasks; /* of the batch's sequences, or of their words */
    sp_ints ids;
    sp_tape tape;
    double started; /* this session's clock minus what earlier sessions took */
} tuning;

long sp_tune_steps(const sp_train_options *o, size_t pairs) {
    if (o->steps) return o->steps;
    long per_epoch = ((long)pairs + o->batch - 1) / o->batch;
    return per_epoch * o->epochs;
}

static void clear_batch(tuning *t) {
    sp_packed_clear(&t->batch);
    t->labels.len = t->tasks.len = 0;
}

static void pack(tuning *t, const sp_examples *e, sp_pair pair) {
    sp_examples_pack(e, pair, t->job->template, &t->ids, &t->batch);
    sp_examples_labels(&e->records[pair.record], &t->labels);
    sp_examples_tasks(&e->records[pair.record], &t->tasks);
}

static void fill_batch(tuning *t) {
    clear_batch(t);
    for (int i = 0; i < t->job->options->batch; i++)
        pack(t, t->job->train, t->job->train->pairs[sp_sampler_next(&t->sampler)]);
}

static sp_var *batch_loss(tuning *t, long *correct) {
    const sp_model *model = t->job->tuner->model;
    sp_steering steering;
    sp_tuner_inject(t->job->tuner, &t->tape, &steering);
    sp_context ctx = sp_packed_context(&t->batch, &steering);
    ctx.recompute = t->job->options->recompute;
    sp_var *hidden = sp_model_forward(&t->tape, model, t->batch.ids.data, &ctx);
    t->objective.tasks = t->tasks.data;
    return sp_objective_loss(&t->tape, &t->objective, hidden, &t->batch, t->labels.data, correct);
}

/* Over all pairs of dev. */
static sp_dev_score evaluate(tuning *t) {
    const sp_examples *dev = t->job->dev;
    double sum = 0, scored = 0;
    long correct = 0;
    t->tape.inference = true;
    for (size_t i = 0; i < dev->pair_count;) {
        clear_batch(t);
        for (int k = 0; k < t->job->options->batch && i < dev->pair_count; k++)
            pack(t, dev, dev->pairs[i++]);
        long batch_correct = 0, batch_scored = sp_packed_scored(&t->batch);
        sum += (double)batch_scored * (double)batch_loss(t, &batch_correct)->data[0];
        scored += (double)batch_scored;
        correct += batch_correct;
        sp_tape_reset(&t->tape);
    }
    t->tape.inference = false;
    return (sp_dev_score){sum / scored, t->job->head ? 100.0 * (double)correct / scored : NAN};
}

bool sp_dev_better(sp_dev_score a, sp_dev_score b) {
    bool both = !isnan(a.accuracy) && !isnan(b.accuracy);
    return both && a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
}

static sp_status evaluate_and_compare(tuning *t) {
    sp_dev_score score = evaluate(t);
    if (!isfinite(score.loss))
        return sp_fail(SP_ERR_NUMERIC,
                       "step %ld: dev loss is %g; use a lower learning rate than %g",
                       t->optimizer.step, score.loss, t->job->options->lr);
    const sp_tune_observer *o = &t->job->observer;
    sp_status st = o->on_dev ? o->on_dev(o->user, t->optimizer.step, &score) : SP_OK;
    if (sp_dev_better(score, t->best_score)) {
        t->best_score = score;
        t->best_step = t->optimizer.step;
        t->evaluations_since_best = 0;
        sp_snapshot_take(&t->best);
    } else {
        t->evaluations_since_best++;
    }
    return st;
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
    sp_status st = sp_h5_set_real(file, "/checkpoint", "best_loss", t->best_score.loss);
    if (!st) st = sp_h5_set_real(file, "/checkpoint", "best_accuracy", t->best_score.accuracy);
    return st ? st : sp_snapshot_write(&t->best, file);
}

static sp_status read_best(tuning *t, sp_h5 *file) {
    sp_status st = sp_h5_get_real(file, "/checkpoint", "best_loss", &t->best_score.loss);
    if (!st) st = sp_h5_get_real(file, "/checkpoint", "best_accuracy", &t->best_score.accuracy);
    return st ? st : sp_snapshot_read(&t->best, file);
}

static sp_status write_state(const tuning *t, sp_h5 *file) {
    sp_status st = SP_OK;
    for (size_t i = t->trained; !st && i < t->tensor_count; i++)
        st = sp_checkpoint_put(file, "state", t->tensors[i], t->tensors[i]->var.data);
    return st;
}

static sp_status read_state(const tuning *t, sp_h5 *file) {
    sp_status st = SP_OK;
    for (size_t i = t->trained; !st && i < t->tensor_count; i++)
        st = sp_checkpoint_get(file, "state", t->tensors[i], t->tensors[i]->var.data);
    return st;
}

static sp_status fill_checkpoint(tuning *t, sp_h5 *file) {
    sp_counter counters[7];
    list_counters(t, counters);
    t->milliseconds = (int64_t)(1000 * (sp_now() - t->started));
    sp_status st = sp_checkpoint_write(file, t->job->identity, &t->optimizer, counters);
    if (!st) st = write_state(t, file);
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
    if (!st) st = read_state(t, file);
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

/* The data's loss and the method's own term. */
static sp_var *training_loss(tuning *t) {
    long correct;
    sp_var *loss = batch_loss(t, &correct);
    sp_var *penalty = sp_tuner_penalty(t->job->tuner, &t->tape);
    return penalty ? sp_add(&t->tape, loss, penalty) : loss;
}

static sp_status one_step(tuning *t) {
    double learning_rate = sp_learning_rate(t->job->options, t->optimizer.step, t->steps);
    sp_step_result result;
    fill_batch(t);
    sp_status st = sp_train_step(&t->tape, training_loss(t), &t->optimizer, learning_rate, &result);
    if (st) return st;
    sp_tuner_after_step(t->job->tuner, t->optimizer.step, t->steps);
    t->tokens += sp_packed_tokens(&t->batch);
    report_step(t, &result, learning_rate);
    return SP_OK;
}

static bool is_finished(const tuning *t) {
    int patience = t->job->options->patience;
    return t->optimizer.step >= t->steps || (patience > 0 && t->evaluations_since_best >= patience);
}

long sp_tune_eval_every(const sp_train_options *options, long steps) {
    return options->eval_every ? options->eval_every : (steps + EVALUATIONS - 1) / EVALUATIONS;
}

/* Checkpoints of all weights of a large model take seconds: they may take a tenth of the time. */
enum { PAUSE_PER_SAVING = 10 };

/* When to save next, after a saving that began at `start`. */
static double next_saving(const tuning *t, double start) {
    double now = sp_now(), pause = PAUSE_PER_SAVING * (now - start);
    int least = t->job->options->checkpoint_seconds;
    return now + (pause > least ? pause : least);
}

static sp_status train(tuning *t) {
    long every = sp_tune_eval_every(t->job->options, t->steps);
    double due = next_saving(t, sp_now());
    sp_status st = SP_OK;
    while (!st && !is_finished(t)) {
        if ((st = one_step(t))) break;
        if (t->optimizer.step % every == 0 || t->optimizer.step == t->steps)
            st = evaluate_and_compare(t);
        bool stop = sp_interrupted();
        double start = sp_now();
        if (!st && t->job->checkpoint && (stop || start >= due)) {
            st = save(t);
            due = next_saving(t, start);
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

static void append(tuning *t, const sp_params *params) {
    size_t count = t->tensor_count + params->count;
    t->tensors = sp_realloc(t->tensors, count, sizeof *t->tensors);
    for (size_t i = 0; i < params->count; i++) t->tensors[t->tensor_count++] = params->items[i];
}

static void list_tensors(tuning *t) {
    t->tensor_count = sp_tuner_trainable(t->job->tuner, &t->tensors);
    if (t->job->head) append(t, &t->job->head->params);
    t->trained = t->tensor_count;
    append(t, &t->job->tuner->state);
}

static int *count_pair_tokens(const sp_examples *e) {
    int *tokens = sp_alloc(e->pair_count, sizeof *tokens);
    for (size_t i = 0; i < e->pair_count; i++) {
        const sp_encoded_record *record = &e->records[e->pairs[i].record];
        tokens[i] = (int)(record->input.len + record->targets[e->pairs[i].target].len);
    }
    return tokens;
}

static void open_tuning(tuning *t, const sp_tune_job *job) {
    *t = (tuning){.job = job,
                  .objective = {.model = job->tuner->model,
                                .head = job->head,
                                .allowed = job->train->allowed},
                  .best_score = {INFINITY, NAN}};
    list_tensors(t);
    sp_optimizer_init(&t->optimizer, job->options, t->tensors, t->trained);
    sp_snapshot_init(&t->best, t->tensors, t->tensor_count);
    sp_sampler_init(&t->sampler, job->train->pair_count, job->seed, "pairs");
    t->pair_tokens = count_pair_tokens(job->train);
    sp_sampler_balance(&t->sampler, t->pair_tokens, (size_t)job->options->batch);
    t->steps = sp_tune_steps(job->options, job->train->pair_count);
}

static void close_tuning(tuning *t) {
    sp_snapshot_free(&t->best);
    sp_sampler_free(&t->sampler);
    free(t->pair_tokens);
    sp_optimizer_free(&t->optimizer);
    free(t->tensors);
    sp_packed_free(&t->batch);
    sp_ints_free(&t->labels);
    sp_ints_free(&t->tasks);
    sp_ints_free(&t->ids);
    sp_tape_free(&t->tape);
}

static bool trains_nothing(const tuning *t) {
    for (size_t i = 0; i < t->trained; i++)
        if (t->tensors[i]->var.rows * t->tensors[i]->var.cols > 0) return false;
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
        if (!st) sp_snapshot_restore(&t.best);
    }
    *out =
        (sp_tune_result){t.optimizer.step, (long)t.best_step, t.best_score, sp_now() - t.started};
    close_tuning(&t);
    return st;
}
