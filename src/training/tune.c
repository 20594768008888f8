#include "training/tune.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "training/objective.h"
#include "training/sampler.h"
#include "training/schedule.h"
#include "training/share.h"
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
    int64_t evaluated_step; /* of the last evaluation */
    sp_sampler sampler;     /* of the training pairs */
    int *pair_tokens;       /* [pairs] */
    long steps;
    sp_packed batch;
    sp_ints labels, tasks; /* of the batch's sequences, or of their words */
    size_t *drawn;         /* [options->batch] the pairs of the step */
    int *sizes, *owners;   /* [options->batch] their tokens, the ranks that take them */
    long tokens_of_batch;  /* of all ranks */
    double weight;         /* of this rank's part in the mean over the batch */
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

/* Packs the drawn pairs that are `rank`'s, or all of them if it is negative. */
static void pack_drawn(tuning *t, int rank) {
    clear_batch(t);
    for (int i = 0; i < t->job->options->batch; i++)
        if (rank < 0 || t->owners[i] == rank)
            pack(t, t->job->train, t->job->train->pairs[t->drawn[i]]);
}

/* Every rank draws the same pairs and keeps its own. */
static void fill_batch(tuning *t) {
    int count = t->job->options->batch;
    for (int i = 0; i < count; i++) {
        t->drawn[i] = sp_sampler_next(&t->sampler);
        t->sizes[i] = t->pair_tokens[t->drawn[i]];
    }
    pack_drawn(t, -1);
    t->tokens_of_batch = sp_packed_tokens(&t->batch);
    t->weight = 1;
    if (!t->job->ranks) return;
    double scored = (double)sp_packed_scored(&t->batch);
    sp_share_deal(t->sizes, (size_t)count, t->job->ranks->size, t->owners);
    pack_drawn(t, t->job->ranks->rank);
    t->weight = (double)sp_packed_scored(&t->batch) / scored;
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

/* Over all pairs of dev; the batches go round the ranks. */
static sp_dev_score evaluate(tuning *t) {
    const sp_examples *dev = t->job->dev;
    sp_ranks *ranks = t->job->ranks;
    double sum = 0, scored = 0;
    long correct = 0;
    int turn = 0;
    t->tape.inference = true;
    for (size_t i = 0; i < dev->pair_count; turn++) {
        clear_batch(t);
        for (int k = 0; k < t->job->options->batch && i < dev->pair_count; k++)
            pack(t, dev, dev->pairs[i++]);
        if (turn % sp_ranks_size(ranks) != sp_ranks_rank(ranks)) continue;
        long batch_correct = 0, batch_scored = sp_packed_scored(&t->batch);
        sum += (double)batch_scored * (double)batch_loss(t, &batch_correct)->data[0];
        scored += (double)batch_scored;
        correct += batch_correct;
        sp_tape_reset(&t->tape);
    }
    t->tape.inference = false;
    double all[] = {sum, scored, (double)correct};
    sp_ranks_sum_numbers(ranks, all, 3);
    return (sp_dev_score){all[0] / all[1], t->job->head ? 100.0 * all[2] / all[1] : NAN};
}

bool sp_dev_better(sp_dev_score a, sp_dev_score b) {
    bool both = !isnan(a.accuracy) && !isnan(b.accuracy);
    return both && a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
}

/* The parameters of all ranks have the same bits at the same step. */
static sp_status check_ranks(tuning *t) {
    if (!t->job->ranks) return SP_OK;
    sp_buf state = {0};
    sp_buf_printf(&state, "step %ld\n", t->optimizer.step);
    for (size_t i = 0; i < t->tensor_count; i++) {
        const sp_var *v = &t->tensors[i]->var;
        sp_digest digest = sp_sha256(v->data, (size_t)(v->rows * v->cols) * sizeof(float));
        sp_buf_puts(&state, digest.hex);
    }
    sp_status st =
        sp_ranks_check_same(t->job->ranks, "the state of training", state.data, state.len);
    sp_buf_free(&state);
    return st;
}

static sp_status evaluate_and_compare(tuning *t) {
    sp_status st = check_ranks(t);
    if (st) return st;
    sp_dev_score score = evaluate(t);
    if (!isfinite(score.loss))
        return sp_fail(SP_ERR_NUMERIC,
                       "step %ld: dev loss is %g; use a lower learning rate than %g",
                       t->optimizer.step, score.loss, t->job->options->lr);
    const sp_tune_observer *o = &t->job->observer;
    if (o->on_dev) st = o->on_dev(o->user, t->optimizer.step, &score);
    if (st) return st;
    t->evaluated_step = t->optimizer.step;
    if (sp_dev_better(score, t->best_score)) {
        t->best_score = score;
        t->best_step = t->optimizer.step;
        t->evaluations_since_best = 0;
        sp_snapshot_take(&t->best);
    } else {
        t->evaluations_since_best++;
    }
    return SP_OK;
}

/* ---- checkpoints ---- */

/* Absent in checkpoints of versions that made none between a step and its evaluation. */
static const char EVALUATED[] = "evaluated_step";

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
    if (!st) st = sp_h5_set_int(file, "/checkpoint", EVALUATED, t->evaluated_step);
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
    t->evaluated_step = t->optimizer.step;
    if (!st && sp_h5_has_attribute(file, "/checkpoint", EVALUATED))
        st = sp_h5_get_int(file, "/checkpoint", EVALUATED, &t->evaluated_step);
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

/* The data's loss and the method's own term; NULL if this rank has no sequence. On ranks both count
 * with the rank's weight, so that their sum has the method's term once. */
static sp_var *training_loss(tuning *t) {
    long correct;
    if (sp_packed_sequences(&t->batch) == 0) return NULL;
    sp_var *loss = batch_loss(t, &correct);
    sp_var *penalty = sp_tuner_penalty(t->job->tuner, &t->tape);
    return penalty ? sp_add(&t->tape, loss, penalty) : loss;
}

static sp_status one_step(tuning *t) {
    double learning_rate = sp_learning_rate(t->job->options, t->optimizer.step, t->steps);
    sp_step_result result;
    fill_batch(t);
    sp_status st = sp_train_step_share(&t->tape, training_loss(t), t->weight, t->job->ranks,
                                       &t->optimizer, learning_rate, &result);
    if (st) return st;
    sp_tuner_after_step(t->job->tuner, t->optimizer.step, t->steps);
    t->tokens += t->tokens_of_batch;
    report_step(t, &result, learning_rate);
    return SP_OK;
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

static bool has_evaluation_due(const tuning *t) {
    long step = t->optimizer.step, every = sp_tune_eval_every(t->job->options, t->steps);
    return t->evaluated_step != step && (step % every == 0 || step == t->steps);
}

static bool is_finished(const tuning *t) {
    int patience = t->job->options->patience;
    return (t->optimizer.step >= t->steps && !has_evaluation_due(t)) ||
           (patience > 0 && t->evaluations_since_best >= patience);
}

/* A step and its evaluation, or only that, if it was interrupted before. */
static sp_status go_on(tuning *t) {
    sp_status st = has_evaluation_due(t) ? SP_OK : one_step(t);
    return st || !has_evaluation_due(t) ? st : evaluate_and_compare(t);
}

/* Only rank 0 writes. */
static sp_status save_on_lead(tuning *t) {
    sp_status st = sp_ranks_leads(t->job->ranks) ? save(t) : SP_OK;
    return sp_ranks_settle(t->job->ranks, st);
}

static sp_status train(tuning *t) {
    double due = next_saving(t, sp_now());
    sp_status st = SP_OK;
    while (!st && !is_finished(t)) {
        st = go_on(t);
        bool stop = sp_interrupted();
        double start = sp_now();
        if (st == SP_ERR_INTERRUPTED) { /* in an evaluation: as if it had not begun */
            st = SP_OK;
            stop = true;
        }
        bool is_due = start >= due; /* as rank 0's clock says */
        st = sp_ranks_settle_flags(t->job->ranks, st, &stop, &is_due);
        if (!st && t->job->checkpoint && (stop || is_due)) {
            st = save_on_lead(t);
            due = next_saving(t, start);
        }
        if (!st && stop)
            st = sp_fail(SP_ERR_INTERRUPTED,
                         "stopped after step %ld of %ld; the same command "
                         "goes on there",
                         t->optimizer.step, t->steps);
    }
    /* What follows a training can be interrupted too. */
    return st || !t->job->checkpoint ? st : save_on_lead(t);
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
    t->drawn = sp_alloc((size_t)job->options->batch, sizeof *t->drawn);
    t->sizes = sp_alloc((size_t)job->options->batch, sizeof *t->sizes);
    t->owners = sp_alloc((size_t)job->options->batch, sizeof *t->owners);
}

static void close_tuning(tuning *t) {
    sp_snapshot_free(&t->best);
    sp_sampler_free(&t->sampler);
    free(t->pair_tokens), free(t->drawn), free(t->sizes), free(t->owners);
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
        st = sp_ranks_settle(job->ranks, evaluate_and_compare(&t));
        t.started = sp_now();
    } else {
        st = sp_ranks_settle(job->ranks, resume(&t));
        if (!st) st = check_ranks(&t);
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
