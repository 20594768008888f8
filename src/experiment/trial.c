#include "experiment/trial.h"

#include "core/clock.h"
#include "experiment/evaluate.h"
#include "experiment/groups.h"
#include "experiment/runlog.h"
#include "experiment/spread.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"
#include "training/tune.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct trial {
    const sp_run_spec *run;
    const sp_progress *progress;
    sp_progress_state state;
    sp_setup setup;
    sp_runlog log;
    size_t tested; /* examples of the test parts that are done */
    double started;
    sp_ranks *ranks; /* NULL: alone */
} trial;

/* ---- test ---- */

static void report_tested(void *user, size_t done) {
    trial *t = user;
    t->state.phase = "test";
    t->state.step = (long)(t->tested + done);
    t->state.steps = (long)t->setup.test->examples.count;
    for (size_t i = 0; i < t->run->transfer_count; i++)
        t->state.steps += (long)t->setup.transfer[i]->examples.count;
    sp_progress_report(t->progress, &t->state);
}

/* Scores of the examples of `part` that are in `within` (NULL: all), logged as those of `group`. */
static void log_scores(trial *t, const sp_part *part, const sp_strings *hypotheses,
                       const char *within, const char *group) {
    const sp_setup *s = &t->setup;
    for (int m = 0; m < SP_METRIC_COUNT; m++) {
        if (sp_metrics[m]->task != s->task) continue;
        double score = sp_evaluate_score(s, part, hypotheses, within, sp_metrics[m]);
        if (!isnan(score)) sp_runlog_test(&t->log, group, sp_metrics[m]->name, score);
    }
}

/* `set`: the group of another set; NULL for the run's own. */
static void log_predictions(trial *t, const sp_part *part, const sp_strings *hypotheses,
                            const char *set) {
    for (size_t i = 0; i < hypotheses->len; i++) {
        const sp_example *e = &part->split.items[i];
        char *reference = sp_evaluate_reference(&t->setup, part, e);
        if (set)
            sp_runlog_transfer(&t->log, set, e->input, hypotheses->data[i], reference);
        else
            sp_runlog_prediction(&t->log, e->input, hypotheses->data[i], reference);
        free(reference);
    }
}

static void log_test(trial *t, const sp_strings *hypotheses) {
    const sp_part *part = t->setup.test;
    sp_strings groups = {0};
    sp_groups_of_split(&part->split, &groups);
    log_scores(t, part, hypotheses, NULL, NULL);
    for (size_t i = 0; i < groups.len; i++)
        log_scores(t, part, hypotheses, groups.data[i], groups.data[i]);
    log_predictions(t, part, hypotheses, NULL);
    sp_strings_free(&groups);
}

static sp_status answer(trial *t, const sp_part *part, sp_strings *hypotheses) {
    sp_evaluation evaluation = {.setup = &t->setup,
                                .part = part,
                                .count = part->examples.count,
                                .decode = &t->run->decode,
                                .seed = (uint64_t)t->run->seed,
                                .on_done = report_tested,
                                .user = t};
    sp_status st = sp_evaluate_spread(&evaluation, t->ranks, hypotheses);
    t->tested += part->examples.count;
    return st;
}

/* The same state on another set, which may be the run's own. */
static sp_status test_transfer(trial *t, size_t index, const sp_strings *own) {
    const sp_part *part = t->setup.transfer[index];
    char *set = sp_dataset_group(t->run->transfer[index]);
    sp_strings answers = {0};
    sp_status st = part == t->setup.test ? SP_OK : answer(t, part, &answers);
    const sp_strings *hypotheses = part == t->setup.test ? own : &answers;
    if (!st && sp_ranks_leads(t->ranks)) {
        log_scores(t, part, hypotheses, NULL, set);
        log_predictions(t, part, hypotheses, set);
    }
    sp_strings_free(&answers);
    free(set);
    return st;
}

static sp_status test(trial *t) {
    sp_strings hypotheses = {0};
    sp_status st = answer(t, t->setup.test, &hypotheses);
    if (!st && sp_ranks_leads(t->ranks)) log_test(t, &hypotheses);
    for (size_t i = 0; !st && i < t->run->transfer_count; i++)
        st = test_transfer(t, i, &hypotheses);
    sp_strings_free(&hypotheses);
    return st;
}

/* ---- watching the training ---- */

static void on_step(void *user, const sp_tune_step *s) {
    trial *t = user;
    sp_runlog_train(&t->log, s->step, s->loss, s->learning_rate, s->gradient_norm, s->tokens,
                    s->seconds);
    t->state.step = s->step;
    t->state.steps = s->steps;
    t->state.loss = s->loss;
    t->state.tokens_per_second = s->tokens / s->seconds;
    t->state.seconds_left = s->seconds / (double)s->step * (double)(s->steps - s->step);
    sp_progress_report(t->progress, &t->state);
}

/* The score of the answers to the first `count` dev examples, texts being generated greedily. */
static sp_status score_dev(trial *t, size_t count, const sp_metric *metric, double *score) {
    sp_setup *s = &t->setup;
    sp_decode_options greedy = t->run->decode;
    greedy.beam = 1;
    greedy.temperature = 0;
    sp_evaluation evaluation = {.setup = s, .part = s->dev, .count = count, .decode = &greedy};
    sp_strings hypotheses = {0};
    sp_status st = sp_setup_renew(s);
    if (!st) st = sp_evaluate_spread(&evaluation, t->ranks, &hypotheses);
    if (!st) *score = sp_evaluate_score(s, s->dev, &hypotheses, NULL, metric);
    sp_strings_free(&hypotheses);
    return st;
}

/* Accuracy or span F1 over all of dev chooses the best state, BLEU over a few records is only for
 * the curves. */
static sp_status on_dev(void *user, long step, sp_dev_score *score) {
    trial *t = user;
    const sp_setup *s = &t->setup;
    static const sp_metric *const metrics[] = {[SP_GENERATION] = &sp_metric_bleu,
                                               [SP_CLASSIFICATION] = &sp_metric_accuracy,
                                               [SP_TAGGING] = &sp_metric_span_f1};
    const sp_metric *metric = metrics[s->task];
    size_t count = s->dev->examples.count;
    if (s->task == SP_GENERATION && count > SP_TRIAL_DEV_DECODED) count = SP_TRIAL_DEV_DECODED;
    double value = score->accuracy;
    bool known = s->task == SP_CLASSIFICATION && s->output != SP_OUTPUT_TEXT;
    sp_status st = known ? SP_OK : score_dev(t, count, metric, &value);
    if (st) return st;
    if (s->task != SP_GENERATION) score->accuracy = value;
    sp_runlog_dev(&t->log, step, "loss", score->loss);
    sp_runlog_dev(&t->log, step, metric->name, value);
    t->state.dev_metric = metric->title;
    t->state.dev_value = value;
    return SP_OK;
}

static sp_status save_series(void *user, sp_h5 *file) {
    return sp_runlog_save_series(&((trial *)user)->log, file, "/checkpoint/log");
}

static sp_status load_series(void *user, sp_h5 *file) {
    return sp_runlog_load_series(&((trial *)user)->log, file, "/checkpoint/log");
}

static sp_status train(trial *t, const char *checkpoint) {
    sp_setup *s = &t->setup;
    sp_tune_job job = {.tuner = &s->tuner,
                       .head = sp_setup_head(s),
                       .template = &s->prompt.template,
                       .train = &s->train->examples,
                       .dev = &s->dev->examples,
                       .options = &t->run->train,
                       .seed = (uint64_t)t->run->seed,
                       .checkpoint = checkpoint,
                       .identity = t->run->id,
                       .observer = {t, on_step, on_dev, save_series, load_series},
                       .ranks = t->ranks};
    sp_tune_result result;
    double sent = t->ranks ? t->ranks->bytes_sent : 0;
    sp_status st = sp_tune(&job, &result);
    if (t->ranks) sp_runlog_number(&t->log, "train_bytes_sent", t->ranks->bytes_sent - sent);
    sp_runlog_integer(&t->log, "best_step", result.best_step);
    sp_runlog_number(&t->log, "train_seconds", result.seconds);
    return st;
}

/* ---- the record ---- */

/* Whether the weights of the model itself train. */
static const char *language_model(const sp_model *model) {
    long trained = sp_params_trainable(&model->params);
    return trained == 0 ? "frozen" : trained < sp_model_size(model) ? "in part" : "tuned";
}

static void log_attributes(trial *t) {
    sp_runlog *log = &t->log;
    const sp_setup *s = &t->setup;
    sp_run_describe(t->run, log);
    sp_runlog_text(log, "status", "finished");
    sp_runlog_text(log, "error", "");
    sp_runlog_text(log, "version", SP_VERSION);
    sp_runlog_text(log, "cpu", sp_cpu_name());
    sp_runlog_text(log, "gemm", sp_gemm_describe(sp_gemm_current()));
    sp_runlog_integer(log, "threads", sp_threads());
    if (t->ranks) sp_runlog_integer(log, "ranks", t->ranks->size);
    sp_runlog_text(log, "precision", t->run->precision);
    sp_runlog_text(log, "output", sp_output_names[s->output]);
    sp_runlog_text(log, "language_model", language_model(s->model));
    sp_runlog_integer(log, "trainable_parameters", sp_setup_trainable(s));
    sp_runlog_integer(log, "kept_parameters", sp_setup_kept(s));
    sp_runlog_integer(log, "total_parameters", sp_model_size(s->model));
    sp_runlog_number(log, "wall_seconds", sp_now() - t->started);
    sp_runlog_number(log, "peak_rss_bytes", sp_peak_rss());
}

static sp_status fill_log(trial *t, sp_h5 *file) {
    sp_setup *s = &t->setup;
    log_attributes(t);
    sp_status st = sp_runlog_write_to(&t->log, file);
    if (!st) st = sp_soft_prompt_write(&s->prompt, s->model, file);
    return st || !sp_setup_head(s) ? st : sp_class_head_write(&s->head, file);
}

static sp_status write_log(trial *t, const char *folder) {
    char *path = sp_run_path(t->run, folder);
    sp_h5 *file;
    sp_status st = sp_h5_create(path, &file);
    if (!st) st = sp_h5_finish(file, fill_log(t, file));
    free(path);
    return st;
}

/* After training the prompt is made once more, from the best state. */
static sp_status finish(trial *t, const char *folder) {
    sp_status st = sp_setup_renew(&t->setup);
    if (!st) st = test(t);
    if (!st && sp_ranks_leads(t->ranks)) st = write_log(t, folder);
    return sp_ranks_settle(t->ranks, st);
}

/* Whether a run that trained and ended so needs its checkpoint no more: it is finished, or would
 * fail again from there. After anything else (full disk, a file gone, Ctrl-C) the next call goes
 * on. */
static bool is_over(sp_status st) {
    return st == SP_OK || st == SP_ERR_NUMERIC || st == SP_ERR_SPEC || st == SP_ERR_DATA ||
           st == SP_ERR_FORMAT;
}

static sp_status open_trial(trial *t, sp_assets *assets) {
    sp_status st = sp_setup_open(t->run, assets, &t->setup);
    if (!st) st = sp_metrics_prepare(t->setup.task); /* what is missing would show at the end */
    st = sp_ranks_settle(t->ranks, st);
    return st ? st
              : sp_ranks_check_same(t->ranks, "the number of threads", &t->setup.threads,
                                    sizeof t->setup.threads);
}

sp_status sp_trial_run(const sp_run_spec *run, const char *folder, sp_assets *assets,
                       const sp_progress *progress) {
    return sp_trial_share(run, folder, assets, NULL, progress);
}

sp_status sp_trial_share(const sp_run_spec *run, const char *folder, sp_assets *assets,
                         sp_ranks *ranks, const sp_progress *progress) {
    trial t = {.run = run,
               .progress = progress,
               .state = sp_progress_start(),
               .started = sp_now(),
               .ranks = ranks};
    char *checkpoint = sp_run_checkpoint_path(run, folder);
    sp_status st = open_trial(&t, assets);
    bool prepared = !st;
    if (!st) st = train(&t, checkpoint);
    if (!st) st = finish(&t, folder);
    if (prepared && is_over(st) && sp_ranks_leads(ranks)) unlink(checkpoint);
    free(checkpoint);
    sp_runlog_free(&t.log);
    sp_setup_close(&t.setup);
    return st;
}

sp_status sp_trial_prepare(const sp_run_spec *run, sp_assets *assets, int *threads) {
    sp_setup shared;
    sp_status st = sp_setup_load(run, assets, &shared);
    if (!st) st = sp_metrics_prepare(shared.task);
    *threads = shared.threads;
    sp_setup_close(&shared);
    return st;
}
