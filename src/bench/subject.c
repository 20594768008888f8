#include "bench/subject.h"

#include "training/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sp_status sp_subject_open(const sp_bench_job *job, sp_subject *s) {
    sp_status st = sp_model_open(job->folder, job->precision, &s->model);
    if (!st) s->model->config.eos_token_id = -1;
    return st;
}

static sp_status create_tuner(const sp_bench_settings *o, sp_subject *s) {
    sp_method_options options = {0};
    sp_options_default(sp_method_find(o->method)->options, &options);
    options.length = o->prefix;
    options.hidden = o->hidden;
    snprintf(options.init, sizeof options.init, "random");
    sp_init_source source = {0};
    return sp_tuner_create(o->method, &options, s->model, &source, (uint64_t)o->seed, &s->tuner);
}

static void start_optimizer(double lr, sp_subject *s) {
    size_t count = sp_tuner_trainable(&s->tuner, &s->trained);
    sp_train_options options;
    sp_options_default(sp_train_option_table, &options);
    options.lr = lr;
    options.clip = 0;
    sp_optimizer_init(&s->optimizer, &options, s->trained, count);
}

sp_status sp_subject_tune(const sp_bench_job *job, double lr, int longest, sp_subject *s) {
    int room = s->model->config.n_positions;
    sp_status st = sp_model_check_causal(s->model);
    if (st) return sp_fail_in(st, "%s", job->label);
    if (job->settings.prefix + longest > room)
        return sp_fail(SP_ERR_SPEC,
                       "%s: a prefix of %d and %d tokens do not fit into the context of %d; use a "
                       "shorter --prefix or fewer --tokens",
                       job->label, job->settings.prefix, longest, room);
    st = create_tuner(&job->settings, s);
    if (!st) start_optimizer(lr, s);
    return st;
}

void sp_subject_close(sp_subject *s) {
    sp_soft_prompt_free(&s->prompt);
    sp_packed_free(&s->batch);
    sp_tape_free(&s->tape);
    sp_optimizer_free(&s->optimizer);
    free(s->trained);
    sp_tuner_free(&s->tuner);
    sp_model_free(s->model);
    *s = (sp_subject){0};
}

sp_status sp_subject_load(sp_subject *s, const char *path) {
    sp_safetensors *file = NULL;
    sp_status st = sp_safetensors_open(path, &file);
    for (size_t i = 0; !st && i < s->tuner.params.count; i++) {
        sp_param *p = s->tuner.params.items[i];
        st = sp_safetensors_read(file, p->name, p->rank, p->dims, p->var.data);
    }
    sp_safetensors_close(file);
    return st;
}

void sp_subject_pack(sp_subject *s, const sp_sequences *sequences) {
    sp_packed_clear(&s->batch);
    for (size_t i = 0; i < sequences->count; i++) {
        const sp_ints *ids = &sequences->items[i];
        sp_packed_add(&s->batch, ids->data, ids->len, ids->len / 2);
    }
}

sp_status sp_subject_step(sp_subject *s, double *loss) {
    sp_steering steering;
    sp_tuner_inject(&s->tuner, &s->tape, &steering);
    sp_context ctx = sp_packed_context(&s->batch, &steering);
    sp_var *hidden = sp_model_forward(&s->tape, s->model, s->batch.ids.data, &ctx);
    sp_objective objective = {.model = s->model};
    long correct;
    sp_var *mean = sp_objective_loss(&s->tape, &objective, hidden, &s->batch, NULL, &correct);
    sp_step_result result;
    sp_status st = sp_train_step(&s->tape, mean, &s->optimizer, s->optimizer.options.lr, &result);
    *loss = result.loss;
    return st;
}

sp_status sp_subject_evaluate(sp_subject *s) {
    sp_soft_prompt_free(&s->prompt);
    return sp_soft_prompt_from(&s->tuner, NULL, "", &s->prompt);
}

sp_status sp_subject_generate(sp_subject *s, const sp_sequences *inputs, int beam, int tokens,
                              sp_ints *out) {
    sp_decode_options options;
    sp_options_default(sp_decode_option_table, &options);
    options.beam = beam;
    options.max_tokens = tokens;
    options.batch = (int)inputs->count;
    sp_steering steering = sp_soft_prompt_steering(&s->prompt);
    return sp_generate(s->model, &options, &steering, inputs->items, inputs->count, 0, NULL, NULL,
                       out);
}
