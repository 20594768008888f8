#include "experiment/setup.h"
#include "experiment/trial.h"
#include "training/tune.h"

/* What the work of a run costs, in passes of one token forward through the model. */
typedef struct work {
    double trained, dev, test;
} work;

/* Tokens of the pairs of a part. */
static double pair_tokens(const sp_examples *e) {
    double sum = 0;
    for (size_t i = 0; i < e->pair_count; i++) {
        const sp_encoded_record *r = &e->records[e->pairs[i].record];
        sum += (double)(r->input.len + r->targets[e->pairs[i].target].len);
    }
    return sum;
}

/* Tokens read and written to answer the first `count` records by text: an input once, and an answer
 * as long as the first reference for each beam. A pass for one token of each text fills the units
 * of the CPU half as well as one for many. */
static double answer_tokens(const sp_examples *e, size_t count, int beam) {
    const double decoding = 2;
    double sum = 0;
    for (size_t i = 0; i < e->count && i < count; i++)
        sum +=
            (double)e->records[i].input.len + decoding * beam * (double)e->records[i].targets->len;
    return sum;
}

/* Times that a training step works with a weight, 2 operations a token each: forward, and backward
 * once (activations) or twice (weights too). */
static double passes(const sp_setup *s) {
    if (sp_params_trainable(&s->model->params) > 0) return 3;
    if (sp_params_trainable(&s->tuner.params) > 0) return 2;
    return sp_params_trainable(&s->head.params) > 0 ? 1 : 0;
}

static double test_tokens(const sp_setup *s, const sp_part *part) {
    const sp_examples *e = &part->examples;
    if (s->output != SP_OUTPUT_TEXT) return pair_tokens(e);
    return answer_tokens(e, e->count, s->run->decode.beam);
}

static work count_work(const sp_setup *s) {
    const sp_train_options *o = &s->run->train;
    const sp_examples *train = &s->train->examples, *dev = &s->dev->examples;
    bool text = s->output == SP_OUTPUT_TEXT;
    double steps = passes(s) > 0 ? (double)sp_tune_steps(o, train->pair_count) : 0;
    double every = (double)sp_tune_eval_every(o, (long)steps);
    double evaluations = steps > 0 ? 1 + (double)(long)((steps - 1) / every) : 1;
    size_t decoded = s->task == SP_GENERATION ? SP_TRIAL_DEV_DECODED : dev->count;
    double one_dev = pair_tokens(dev) + (text ? answer_tokens(dev, decoded, 1) : 0);
    double test = test_tokens(s, s->test);
    for (size_t i = 0; i < s->run->transfer_count; i++)
        if (s->transfer[i] != s->test) test += test_tokens(s, s->transfer[i]);
    return (work){.trained =
                      steps * o->batch * pair_tokens(train) / (double)train->pair_count * passes(s),
                  .dev = evaluations * one_dev,
                  .test = test};
}

/* A rule of thumb at an assumed speed, so only an order of magnitude: a measurement would be of
 * what else the machine does just now. The speed is that of training SmolLM2 135M on two threads
 * with AVX-512. The LM head, which is the embedding, has no part in the work of a class head. */
static double estimate_seconds(const sp_setup *s) {
    const double flops_per_thread_second = 90e9;
    double weights = (double)sp_model_size(s->model);
    if (s->output != SP_OUTPUT_TEXT)
        weights -= (double)(s->model->embedding->rows * s->model->embedding->cols);
    work w = count_work(s);
    return 2 * weights * (w.trained + w.dev + w.test) / (flops_per_thread_second * s->threads);
}

sp_status sp_trial_plan(const sp_run_spec *run, sp_assets *assets, sp_trial_estimate *out) {
    sp_setup s;
    sp_status st = sp_setup_open(run, assets, &s);
    if (!st)
        *out = (sp_trial_estimate){sp_setup_trainable(&s), sp_model_size(s.model), s.threads,
                                   estimate_seconds(&s)};
    sp_setup_close(&s);
    sp_assets_forget_model(assets, run->model, sp_run_precision(run));
    return st;
}
