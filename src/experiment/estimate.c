#include "experiment/setup.h"
#include "experiment/trial.h"
#include "training/tune.h"

/* Tokens of the pairs of a part. */
static double pair_tokens(const sp_examples *e) {
    double sum = 0;
    for (size_t i = 0; i < e->pair_count; i++) {
        const sp_encoded_record *r = &e->records[e->pairs[i].record];
        sum += (double)(r->input.len + r->targets[e->pairs[i].target].len);
    }
    return sum;
}

/* Times that a training step works with a weight, 2 operations a token each: forward, and backward
 * once (activations) or twice (weights too). */
static double passes(const sp_setup *s) {
    if (sp_params_trainable(&s->model->params) > 0) return 3;
    if (sp_params_trainable(&s->tuner.params) > 0) return 2;
    return sp_params_trainable(&s->head.params) > 0 ? 1 : 0;
}

/* A rule of thumb: floating-point operations at an assumed speed, so only an order of magnitude.
 * Dev is evaluated ten times; decoding token by token counts four times. The LM head, which is the
 * embedding, has no part in the work of a class head. */
static double estimate_seconds(const sp_setup *s) {
    const sp_train_options *o = &s->run->train;
    const double evaluations = 10, decoding = 4, flops_per_second = 60e9;
    double weights = (double)sp_model_size(s->model);
    if (s->output != SP_OUTPUT_TEXT)
        weights -= (double)(s->model->embedding->rows * s->model->embedding->cols);
    const sp_examples *train = &s->train->examples;
    double steps = (double)sp_tune_steps(o, train->pair_count);
    double trained = steps * o->batch * pair_tokens(train) / (double)train->pair_count * passes(s);
    double dev = (trained > 0 ? evaluations : 1) * pair_tokens(&s->dev->examples);
    double test = pair_tokens(&s->test->examples);
    if (s->output == SP_OUTPUT_TEXT) test *= decoding * s->run->decode.beam;
    return 2 * weights * (trained + dev + test) / flops_per_second;
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
