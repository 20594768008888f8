#include "bench/phases.h"

#include "bench/subject.h"
#include "core/clock.h"
#include "tensor/gemm.h"
#include "training/flops.h"

#include <stdio.h>
#include <stdlib.h>

static const double LEARNING_RATE = 1e-4;

sp_bench_row sp_bench_row_of(const sp_bench_job *job, const char *phase, const char *measure,
                             const char *unit) {
    sp_bench_row row = {.threads = sp_threads()};
    snprintf(row.model, sizeof row.model, "%s", job->label);
    snprintf(row.precision, sizeof row.precision, "%s", sp_precision_names[job->precision]);
    snprintf(row.phase, sizeof row.phase, "%s", phase);
    snprintf(row.measure, sizeof row.measure, "%s", measure);
    snprintf(row.unit, sizeof row.unit, "%s", unit);
    return row;
}

void sp_bench_describe_gemm(sp_bench_rows *rows) {
    snprintf(rows->gemm, sizeof rows->gemm, "%s, bf16 %s", sp_gemm_describe(sp_gemm_current()),
             sp_bf16_current() == SP_BF16_NATIVE ? "native" : "as storage");
}

static void add_memory(const sp_bench_job *job, const char *phase, sp_bench_rows *rows) {
    double peak = sp_peak_rss() / 1e6;
    sp_bench_rows_summarise(rows, sp_bench_row_of(job, phase, "memory", "MB"), &peak, 1);
}

/* Starts the libraries, opens the model and makes room for `longest` tokens of a sequence. */
static sp_status open_subject(const sp_bench_job *job, int longest, sp_bench_rows *rows,
                              sp_subject *s) {
    sp_status st = sp_gemm_start(job->settings.threads);
    if (st) return st;
    sp_bench_describe_gemm(rows);
    st = sp_subject_open(job, s);
    return st ? st : sp_subject_tune(job, LEARNING_RATE, longest, s);
}

static int longest_continued(const sp_bench_job *job) {
    return SP_BENCH_LONGEST / 2 + job->settings.tokens;
}

static void draw(const sp_bench_job *job, const sp_subject *s, int index, int count,
                 sp_sequences *out) {
    sp_bench_draw((uint64_t)job->settings.seed, (uint64_t)index, (size_t)count,
                  s->model->config.vocab_size, out);
}

static sp_status check_interrupt(void) {
    return sp_interrupted() ? sp_fail(SP_ERR_INTERRUPTED, "interrupted") : SP_OK;
}

/* ---- training ---- */

/* The time of one step. */
static sp_status time_step(sp_subject *s, const sp_sequences *sequences, double *seconds) {
    double loss, started = sp_now();
    sp_subject_pack(s, sequences);
    sp_status st = sp_subject_step(s, &loss);
    *seconds = sp_now() - started;
    return st ? st : check_interrupt();
}

/* Batches [count]; warms up on the largest, so that no later step asks for memory. */
static sp_status draw_and_warm_up(const sp_bench_job *job, sp_subject *s, int count,
                                  sp_sequences *batches) {
    int largest = 0;
    for (int i = 0; i < count; i++) {
        draw(job, s, i, job->settings.batch, &batches[i]);
        if (sp_sequences_tokens(&batches[i]) > sp_sequences_tokens(&batches[largest])) largest = i;
    }
    double seconds;
    return time_step(s, &batches[largest], &seconds);
}

static sp_status train(const sp_bench_job *job, sp_subject *s, sp_bench_rows *rows) {
    int count = job->settings.steps;
    sp_sequences *batches = sp_alloc((size_t)count, sizeof *batches);
    double *speed = sp_alloc((size_t)count, sizeof *speed);
    double *time = sp_alloc((size_t)count, sizeof *time);
    double *rate = sp_alloc((size_t)count, sizeof *rate);
    sp_status st = draw_and_warm_up(job, s, count, batches);
    for (int i = 0; i < count && !st; i++) {
        double seconds;
        if ((st = time_step(s, &batches[i], &seconds))) break;
        speed[i] = (double)sp_sequences_tokens(&batches[i]) / seconds;
        time[i] = 1e3 * seconds;
        rate[i] = sp_step_flops(s->model, &s->tuner, &s->batch) / seconds / 1e9;
    }
    if (!st) {
        sp_bench_rows_summarise(rows, sp_bench_row_of(job, "train", "speed", "tok/s"), speed,
                                count);
        sp_bench_rows_summarise(rows, sp_bench_row_of(job, "train", "time", "ms/step"), time,
                                count);
        sp_bench_rows_summarise(rows, sp_bench_row_of(job, "train", "rate", "GFLOP/s"), rate,
                                count);
        add_memory(job, "train", rows);
    }
    for (int i = 0; i < count; i++) sp_sequences_free(&batches[i]);
    free(batches), free(speed), free(time), free(rate);
    return st;
}

sp_status sp_bench_train(const void *user, sp_bench_rows *rows) {
    const sp_bench_job *job = user;
    sp_subject s = {0};
    sp_status st = open_subject(job, SP_BENCH_LONGEST, rows, &s);
    if (!st) st = train(job, &s, rows);
    sp_subject_close(&s);
    return st;
}

/* ---- generation ---- */

/* The time to continue all inputs; SP_ERR_INTERNAL if a token is missing. */
static sp_status time_generation(sp_subject *s, const sp_sequences *inputs, int beam, int tokens,
                                 double *seconds) {
    sp_ints *out = sp_alloc(inputs->count, sizeof *out);
    double started = sp_now();
    sp_status st = sp_subject_generate(s, inputs, beam, tokens, out);
    *seconds = sp_now() - started;
    for (size_t i = 0; i < inputs->count; i++) {
        if (!st && out[i].len != (size_t)tokens)
            st = sp_fail(SP_ERR_INTERNAL, "%zu new tokens, not %d", out[i].len, tokens);
        sp_ints_free(&out[i]);
    }
    free(out);
    return st;
}

/* `count` times after one to warm up, into samples [count]. */
static sp_status time_repeatedly(sp_subject *s, const sp_sequences *inputs, int beam, int tokens,
                                 int count, double *samples) {
    double ignored;
    sp_status st = time_generation(s, inputs, beam, tokens, &ignored);
    for (int i = 0; i < count && !st; i++)
        st = time_generation(s, inputs, beam, tokens, &samples[i]);
    return st;
}

static void draw_inputs(const sp_bench_job *job, const sp_subject *s, int count,
                        sp_sequences *inputs) {
    sp_sequences whole;
    draw(job, s, 0, count, &whole);
    sp_bench_first_halves(&whole, inputs);
    sp_sequences_free(&whole);
}

static sp_status add_speed(const sp_bench_job *job, sp_subject *s, const sp_sequences *inputs,
                           const char *phase, int beam, sp_bench_rows *rows) {
    int count = job->settings.steps, tokens = job->settings.tokens;
    double *samples = sp_alloc((size_t)count, sizeof *samples);
    sp_status st = time_repeatedly(s, inputs, beam, tokens, count, samples);
    for (int i = 0; i < count && !st; i++) samples[i] = (double)inputs->count * tokens / samples[i];
    if (!st)
        sp_bench_rows_summarise(rows, sp_bench_row_of(job, phase, "speed", "tok/s"), samples,
                                count);
    free(samples);
    return st;
}

/* The inputs and their first new token. */
static sp_status add_prompt_time(const sp_bench_job *job, sp_subject *s, const sp_sequences *inputs,
                                 sp_bench_rows *rows) {
    int count = job->settings.steps;
    double *samples = sp_alloc((size_t)count, sizeof *samples);
    sp_status st = time_repeatedly(s, inputs, 1, 1, count, samples);
    for (int i = 0; i < count && !st; i++) samples[i] *= 1e3;
    if (!st)
        sp_bench_rows_summarise(rows, sp_bench_row_of(job, "prompt", "time", "ms"), samples, count);
    free(samples);
    return st;
}

static sp_status generate(const sp_bench_job *job, const char *phase, int beam,
                          sp_bench_rows *rows) {
    sp_subject s = {0};
    sp_sequences inputs = {0};
    sp_status st = open_subject(job, longest_continued(job), rows, &s);
    if (!st) st = sp_subject_evaluate(&s);
    if (!st) draw_inputs(job, &s, job->settings.batch, &inputs);
    if (!st && beam == 1) st = add_prompt_time(job, &s, &inputs, rows);
    if (!st) st = add_speed(job, &s, &inputs, phase, beam, rows);
    if (!st) add_memory(job, phase, rows);
    sp_sequences_free(&inputs);
    sp_subject_close(&s);
    return st;
}

sp_status sp_bench_greedy(const void *user, sp_bench_rows *rows) {
    return generate(user, "greedy", 1, rows);
}

sp_status sp_bench_beam(const void *user, sp_bench_rows *rows) {
    const sp_bench_job *job = user;
    return generate(job, "beam", job->settings.beam, rows);
}

/* ---- cost per token against a setting ---- */

/* Half as many repetitions as elsewhere: there are many points. */
static int series_repetitions(const sp_bench_job *job) {
    return (job->settings.steps + 1) / 2;
}

static void add_cost(const sp_bench_job *job, const char *phase, const char *series, double x,
                     double tokens, double *seconds, sp_bench_rows *rows) {
    int count = series_repetitions(job);
    for (int i = 0; i < count; i++) seconds[i] *= 1e6 / tokens;
    sp_bench_row row = sp_bench_row_of(job, phase, "cost", "us/token");
    snprintf(row.series, sizeof row.series, "%s", series);
    row.x = x;
    sp_bench_rows_summarise(rows, row, seconds, count);
}

/* Points of training and greedy generation for one number of sequences; the first step of a
 * subject warms up. */
static sp_status add_costs(const sp_bench_job *job, sp_subject *s, int sequences,
                           const char *series, double x, sp_bench_rows *rows) {
    int count = series_repetitions(job), tokens = job->settings.tokens;
    double *seconds = sp_alloc((size_t)count, sizeof *seconds), warm_up;
    sp_sequences batch, inputs;
    draw(job, s, 0, sequences, &batch);
    sp_bench_first_halves(&batch, &inputs);
    sp_status st = SP_OK;
    if (job->settings.prefix > 0) { /* without a prefix nothing trains */
        if (s->optimizer.step == 0) st = time_step(s, &batch, &warm_up);
        for (int i = 0; i < count && !st; i++) st = time_step(s, &batch, &seconds[i]);
        if (!st)
            add_cost(job, "train", series, x, (double)sp_sequences_tokens(&batch), seconds, rows);
    }
    if (!st) st = sp_subject_evaluate(s);
    if (!st) st = time_repeatedly(s, &inputs, 1, tokens, count, seconds);
    if (!st) add_cost(job, "greedy", series, x, (double)sequences * tokens, seconds, rows);
    sp_sequences_free(&batch);
    sp_sequences_free(&inputs);
    free(seconds);
    return st;
}

/* Longest input and target, and longest continuation. */
static int longest_of_all(const sp_bench_job *job) {
    int continued = longest_continued(job);
    return continued > SP_BENCH_LONGEST ? continued : SP_BENCH_LONGEST;
}

/* From the most sequences down, so that the memory is there after the first step. */
sp_status sp_bench_by_sequences(const void *user, sp_bench_rows *rows) {
    static const int counts[] = {64, 32, 16, 8, 4};
    const sp_bench_job *job = user;
    sp_subject s = {0};
    sp_status st = open_subject(job, longest_of_all(job), rows, &s);
    for (size_t i = 0; !st && i < sizeof counts / sizeof *counts; i++)
        st = add_costs(job, &s, counts[i], "sequences", counts[i], rows);
    sp_subject_close(&s);
    return st;
}

sp_status sp_bench_by_prefix(const void *user, sp_bench_rows *rows) {
    static const int lengths[] = {0, 10, 50, 100, 200};
    sp_bench_job job = *(const sp_bench_job *)user;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < sizeof lengths / sizeof *lengths; i++) {
        sp_subject s = {0};
        job.settings.prefix = lengths[i];
        st = sp_gemm_start(job.settings.threads);
        if (!st) st = sp_subject_open(&job, &s);
        bool fits = !st && lengths[i] + longest_of_all(&job) <= s.model->config.n_positions;
        if (fits) st = sp_subject_tune(&job, LEARNING_RATE, longest_of_all(&job), &s);
        if (fits && !st) st = add_costs(&job, &s, job.settings.batch, "prefix", lengths[i], rows);
        sp_subject_close(&s);
    }
    return st;
}
