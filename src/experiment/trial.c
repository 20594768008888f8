#include "experiment/trial.h"

#include "core/clock.h"
#include "core/file.h"
#include "data/dataset.h"
#include "experiment/runlog.h"
#include "metrics/metric.h"
#include "model/files.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"
#include "training/predict.h"
#include "training/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Dev records that are decoded at each evaluation, for the curves. */
enum { DEV_DECODED = 40 };

typedef struct trial {
    const sp_run_spec *run;
    const sp_progress *progress;
    sp_progress_state state;
    sp_model *model;
    sp_tokenizer *tokenizer;
    char *separator;
    sp_split splits[3]; /* train, dev, test */
    sp_examples examples[3];
    int *frequent;
    sp_tuner tuner;
    sp_soft_prompt prompt; /* the template while training; the whole result after it */
    sp_runlog log;
    double started;
    size_t to_decode; /* records of the test set */
} trial;

enum { TRAIN, DEV, TEST };

/* ---- set-up ---- */

/* Threads by model size: a rule, so that the last bits of a run do not depend on what was idle.
 * Below 3M parameters the work of a step is too small to share. */
static int threads_for(const sp_model *model) {
    int cpus = sp_cpu_count();
    return sp_model_size(model) < 3000000 || cpus < 2 ? 1 : 2;
}

/* Keeps `limit` examples, evenly spaced so that all categories stay in. */
static void thin_split(sp_split *split, size_t limit) {
    if (limit == 0 || limit >= split->count) return;
    sp_split kept = {0};
    for (size_t i = 0; i < limit; i++) {
        sp_example *from = &split->items[i * split->count / limit];
        *sp_split_add(&kept) = *from;
        *from = (sp_example){0};
    }
    sp_split_free(split);
    *split = kept;
}

static sp_status open_data(trial *t) {
    static const char *const names[] = {"train", "dev", "test"};
    const int limits[] = {t->run->train_limit, t->run->dev_limit, t->run->test_limit};
    sp_dataset *dataset;
    sp_status st = sp_dataset_open(t->run->dataset, &dataset);
    if (st) return st;
    t->separator = sp_strdup(sp_dataset_separator(dataset));
    for (int i = 0; !st && i < 3; i++) {
        st = sp_dataset_load(dataset, names[i], &t->splits[i]);
        if (st) break;
        thin_split(&t->splits[i], (size_t)limits[i]);
        st = sp_examples_encode(&t->splits[i], t->separator, t->tokenizer,
                                t->model->config.eos_token_id, &t->examples[i]);
        if (st) sp_fail_in(st, "%s, split %s", t->run->dataset, names[i]);
    }
    sp_dataset_free(dataset);
    return st;
}

/* Tokens of the longest pair that is trained or evaluated on, or of the longest test input with one
 * new token and the end token. */
static long longest_example(const trial *t) {
    size_t longest = 0;
    for (int i = TRAIN; i <= DEV; i++)
        if (t->examples[i].longest > longest) longest = t->examples[i].longest;
    for (size_t i = 0; i < t->examples[TEST].count; i++)
        if (t->examples[TEST].records[i].input.len + 2 > longest)
            longest = t->examples[TEST].records[i].input.len + 2;
    return (long)longest;
}

/* The longest sequence must fit beside the prompt; its last token is only a target. */
static sp_status check_context(const trial *t) {
    long context = t->model->config.n_positions;
    long added = (long)(t->prompt.template.before.len + t->prompt.template.after.len) +
                 t->prompt.first_position;
    long longest = longest_example(t);
    long most = context + 1 - longest - (added - t->run->method_options.length);
    if (added + longest <= context + 1) return SP_OK;
    if (longest > context || most < 0)
        return sp_fail(SP_ERR_DATA,
                       "%s: the longest example takes %ld tokens, but %s has a context of %ld; "
                       "shorten it or use another model",
                       t->run->dataset, longest, t->run->model, context);
    return sp_fail(SP_ERR_SPEC,
                   "%s: method.length is %d, but %s has a context of %ld and the longest example "
                   "takes %ld tokens; use at most %ld",
                   t->run->length_place, t->run->method_options.length, t->run->model, context,
                   longest, most);
}

/* Before a tuner of that length is made; check_context then counts the examples in. */
static sp_status check_length(const trial *t) {
    if (t->run->method_options.length <= t->model->config.n_positions) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "%s: method.length is %d, but %s has a context of %d",
                   t->run->length_place, t->run->method_options.length, t->run->model,
                   t->model->config.n_positions);
}

static sp_status open_model(trial *t) {
    sp_status st = sp_model_open(t->run->model, &t->model);
    if (st) return st;
    if ((st = sp_gemm_start(threads_for(t->model)))) return st;
    return sp_model_open_tokenizer(t->run->model, t->model, &t->tokenizer);
}

static sp_status create_tuner(trial *t) {
    sp_status st = check_length(t);
    if (st) return st;
    sp_init_source source = {.tokenizer = t->tokenizer};
    source.frequent_count =
        sp_examples_frequent(&t->examples[TRAIN], t->model->config.vocab_size, &t->frequent);
    source.frequent = t->frequent;
    st = sp_tuner_create(t->run->method, &t->run->method_options, t->model, &source,
                         (uint64_t)t->run->seed, &t->tuner);
    if (!st) st = sp_soft_prompt_from(&t->tuner, t->tokenizer, t->separator, &t->prompt);
    return st ? st : check_context(t);
}

static sp_status open_trial(trial *t) {
    sp_status st = open_model(t);
    if (!st) st = open_data(t);
    return st ? st : create_tuner(t);
}

static void close_trial(trial *t) {
    sp_soft_prompt_free(&t->prompt);
    sp_tuner_free(&t->tuner);
    sp_runlog_free(&t->log);
    for (int i = 0; i < 3; i++) {
        sp_examples_free(&t->examples[i]);
        sp_split_free(&t->splits[i]);
    }
    free(t->frequent);
    free(t->separator);
    sp_tokenizer_free(t->tokenizer);
    sp_model_free(t->model);
}

/* ---- scores ---- */

static void report_decoded(void *user, size_t done) {
    trial *t = user;
    t->state.phase = "test";
    t->state.step = (long)done;
    t->state.steps = (long)t->to_decode;
    sp_progress_report(t->progress, &t->state);
}

/* Scores of the examples of `group` (NULL: all), or NaN if there is none. */
static double score_group(const sp_metric *metric, const sp_split *split,
                          const sp_strings *hypotheses, const char *group) {
    sp_scored_text *texts = sp_alloc(hypotheses->len, sizeof *texts);
    size_t n = 0;
    for (size_t i = 0; i < hypotheses->len; i++) {
        const sp_example *e = &split->items[i];
        if (group && strcmp(e->group, group) != 0) continue;
        texts[n++] = (sp_scored_text){hypotheses->data[i], (const char *const *)e->references.data,
                                      e->references.len};
    }
    double score = n ? metric->score(texts, n) : NAN;
    free(texts);
    return score;
}

static char *joined_references(const sp_example *e) {
    sp_buf text = {0};
    for (size_t i = 0; i < e->references.len; i++)
        sp_buf_printf(&text, "%s%s", i ? "\n" : "", e->references.data[i]);
    return sp_buf_take(&text);
}

static void log_scores(trial *t, const sp_strings *hypotheses) {
    for (const char *const *name = sp_runlog_test_groups; *name; name++)
        for (int m = 0; m < SP_METRIC_COUNT; m++) {
            const char *group = strcmp(*name, "all") == 0 ? NULL : *name;
            double score = score_group(sp_metrics[m], &t->splits[TEST], hypotheses, group);
            if (!isnan(score)) sp_runlog_test(&t->log, group, sp_metrics[m]->name, score);
        }
    for (size_t i = 0; i < hypotheses->len; i++) {
        char *references = joined_references(&t->splits[TEST].items[i]);
        sp_runlog_prediction(&t->log, t->splits[TEST].items[i].input, hypotheses->data[i],
                             references);
        free(references);
    }
}

static sp_status run_test(trial *t) {
    sp_strings hypotheses = {0};
    t->to_decode = t->examples[TEST].count;
    sp_status st =
        sp_predict(t->model, &t->prompt, t->tokenizer, &t->run->decode, &t->examples[TEST],
                   t->to_decode, (uint64_t)t->run->seed, report_decoded, t, &hypotheses);
    if (!st) log_scores(t, &hypotheses);
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

static sp_status on_dev(void *user, long step, double dev_loss) {
    trial *t = user;
    sp_soft_prompt_free(&t->prompt);
    sp_status st = sp_soft_prompt_from(&t->tuner, t->tokenizer, t->separator, &t->prompt);
    sp_strings hypotheses = {0};
    size_t count = t->examples[DEV].count < DEV_DECODED ? t->examples[DEV].count : DEV_DECODED;
    sp_decode_options greedy = t->run->decode;
    greedy.beam = 1;
    greedy.temperature = 0;
    if (!st)
        st = sp_predict(t->model, &t->prompt, t->tokenizer, &greedy, &t->examples[DEV], count, 0,
                        NULL, NULL, &hypotheses);
    if (!st) {
        double bleu = score_group(&sp_metric_bleu, &t->splits[DEV], &hypotheses, NULL);
        sp_runlog_dev(&t->log, step, "loss", dev_loss);
        sp_runlog_dev(&t->log, step, "bleu", bleu);
        t->state.dev_metric = "BLEU";
        t->state.dev_value = bleu;
    }
    sp_strings_free(&hypotheses);
    return st;
}

static sp_status save_series(void *user, sp_h5 *file) {
    return sp_runlog_save_series(&((trial *)user)->log, file, "/checkpoint/log");
}

static sp_status load_series(void *user, sp_h5 *file) {
    return sp_runlog_load_series(&((trial *)user)->log, file, "/checkpoint/log");
}

static sp_status train(trial *t, const char *checkpoint) {
    sp_tune_job job = {.tuner = &t->tuner,
                       .template = &t->prompt.template,
                       .first_position = t->prompt.first_position,
                       .train = &t->examples[TRAIN],
                       .dev = &t->examples[DEV],
                       .options = &t->run->train,
                       .seed = (uint64_t)t->run->seed,
                       .checkpoint = checkpoint,
                       .identity = t->run->id,
                       .observer = {t, on_step, on_dev, save_series, load_series}};
    sp_tune_result result;
    sp_status st = sp_tune(&job, &result);
    sp_runlog_integer(&t->log, "best_step", result.best_step);
    sp_runlog_number(&t->log, "train_seconds", result.seconds);
    return st;
}

/* ---- the record ---- */

static void log_attributes(trial *t) {
    sp_runlog *log = &t->log;
    sp_run_describe(t->run, log);
    sp_runlog_text(log, "status", "finished");
    sp_runlog_text(log, "error", "");
    sp_runlog_text(log, "version", SP_VERSION);
    sp_runlog_text(log, "cpu", sp_cpu_name());
    sp_runlog_text(log, "gemm", sp_gemm_describe(sp_gemm_current()));
    sp_runlog_integer(log, "threads", sp_threads());
    sp_runlog_text(log, "precision", "fp32");
    sp_runlog_integer(log, "trainable_parameters",
                      sp_params_trainable(&t->tuner.params) +
                          sp_params_trainable(&t->model->params));
    sp_runlog_integer(log, "kept_parameters", sp_soft_prompt_size(&t->prompt, t->model));
    sp_runlog_integer(log, "total_parameters", sp_model_size(t->model));
    sp_runlog_number(log, "wall_seconds", sp_now() - t->started);
    sp_runlog_number(log, "peak_rss_bytes", sp_peak_rss());
}

static sp_status write_log(trial *t, const char *folder) {
    char *path = sp_run_path(t->run, folder);
    sp_h5 *file;
    sp_status st = sp_h5_create(path, &file);
    if (!st) {
        log_attributes(t);
        st = sp_runlog_write_to(&t->log, file);
        if (!st) st = sp_soft_prompt_write(&t->prompt, t->model, file);
        st = sp_h5_finish(file, st);
    }
    free(path);
    return st;
}

/* After training the prompt is made once more, from the best state. */
static sp_status finish(trial *t, const char *folder) {
    sp_soft_prompt_free(&t->prompt);
    sp_status st = sp_soft_prompt_from(&t->tuner, t->tokenizer, t->separator, &t->prompt);
    if (!st) st = run_test(t);
    return st ? st : write_log(t, folder);
}

/* Whether a run that ended so needs its checkpoint no more: it is finished, or would fail again
 * from there. After anything else (full disk, a file gone, Ctrl-C) the next call goes on. */
static bool is_over(sp_status st) {
    return st == SP_OK || st == SP_ERR_NUMERIC || st == SP_ERR_SPEC || st == SP_ERR_DATA ||
           st == SP_ERR_FORMAT;
}

sp_status sp_trial_run(const sp_run_spec *run, const char *folder, const sp_progress *progress) {
    trial t = {.run = run, .progress = progress, .state = sp_progress_start(), .started = sp_now()};
    char *checkpoint = sp_format("%s/runs/%s.checkpoint.h5", folder, run->id);
    sp_status st = open_trial(&t);
    if (!st) st = train(&t, checkpoint);
    if (!st) st = finish(&t, folder);
    if (is_over(st)) unlink(checkpoint);
    free(checkpoint);
    close_trial(&t);
    return st;
}

/* ---- identity and cost ---- */

sp_status sp_trial_identify(const char *model, const char *dataset, sp_digest *model_sha256,
                            sp_digest *data_sha256) {
    sp_status st = model_sha256 ? sp_model_hash(model, model_sha256) : SP_OK;
    if (st) return sp_fail_in(st, "model '%s'", model);
    if (!data_sha256) return SP_OK;
    sp_dataset *opened;
    if ((st = sp_dataset_open(dataset, &opened))) return st;
    st = sp_dataset_hash(opened, data_sha256);
    sp_dataset_free(opened);
    return st;
}

/* A rule of thumb: floating-point operations at an assumed speed, so only an order of magnitude. A
 * pass is 2 a parameter and token: forward, and backward once (activations) or twice (weights too).
 * Decoding token by token counts four times. */
static double estimate_seconds(const trial *t) {
    double parameters = (double)sp_model_size(t->model);
    double pair_tokens = 0;
    for (size_t i = 0; i < t->examples[TRAIN].pair_count; i++) {
        sp_pair pair = t->examples[TRAIN].pairs[i];
        const sp_encoded_record *r = &t->examples[TRAIN].records[pair.record];
        pair_tokens += (double)(r->input.len + r->targets[pair.target].len);
    }
    pair_tokens /= (double)t->examples[TRAIN].pair_count;
    double steps = (double)sp_tune_steps(&t->run->train, t->examples[TRAIN].pair_count);
    double passes = sp_params_trainable(&t->model->params) > 0  ? 6
                    : sp_params_trainable(&t->tuner.params) > 0 ? 4
                                                                : 0;
    double training = steps * t->run->train.batch * pair_tokens * passes * parameters;
    double decoding =
        (double)t->examples[TEST].count * pair_tokens * 2 * parameters * t->run->decode.beam;
    const double flops_per_second = 60e9;
    return (training + 4 * decoding) / flops_per_second;
}

sp_status sp_trial_plan(const sp_run_spec *run, sp_trial_estimate *out) {
    trial t = {.run = run};
    sp_status st = open_trial(&t);
    if (!st)
        *out = (sp_trial_estimate){sp_params_trainable(&t.tuner.params) +
                                       sp_params_trainable(&t.model->params),
                                   sp_model_size(t.model), estimate_seconds(&t)};
    close_trial(&t);
    return st;
}
