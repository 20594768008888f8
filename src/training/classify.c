#include "training/classify.h"

#include "core/clock.h"
#include "tensor/kernels.h"

#include <math.h>

typedef struct classifying {
    const sp_classify_job *job;
    sp_steering steering;
    sp_tape tape;
    sp_packed batch;
    sp_ints ids, tasks; /* tasks of the batch's rows */
} classifying;

static sp_status pack(classifying *c, size_t record) {
    const sp_classify_job *job = c->job;
    int before = c->batch.offsets.data[sp_packed_sequences(&c->batch)];
    sp_examples_pack(job->examples, (sp_pair){(int)record, 0}, &job->prompt->template, &c->ids,
                     &c->batch);
    sp_examples_tasks(&job->examples->records[record], &c->tasks);
    int taken = (int)c->batch.ids.len - before + c->steering.first_position;
    int context = job->model->config.n_positions;
    if (taken <= context) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "example %zu takes %d tokens with its prompt, but the context is %d; shorten it",
                   record + 1, taken, context);
}

/* softmax(logits) into p [n]; false if a logit is NaN or infinite. */
static bool softmax(const float *logits, long n, float *p) {
    for (long i = 0; i < n; i++)
        if (!isfinite(logits[i])) return false;
    float sum = sp_exp_sum(n, logits, sp_max(n, logits), p);
    sp_scale(n, 1.0f / sum, p, p);
    return true;
}

/* *rows: how many labels there are. */
static sp_status run_batch(classifying *c, int *labels, float *probabilities, size_t *rows) {
    const sp_classify_job *job = c->job;
    sp_context ctx = sp_packed_context(&c->batch, &c->steering);
    sp_var *hidden = sp_model_forward(&c->tape, job->model, c->batch.ids.data, &ctx);
    sp_var *logits = sp_class_logits(&c->tape, job->head, job->model, hidden);
    logits = sp_class_mask(&c->tape, logits, job->allowed, c->tasks.data);
    float *scratch = sp_arena_alloc(&c->tape.arena, (size_t)logits->cols * sizeof(float));
    for (long r = 0; r < logits->rows; r++) {
        const float *row = logits->data + r * logits->ld;
        float *p = probabilities ? probabilities + r * logits->cols : scratch;
        if (!softmax(row, logits->cols, p))
            return sp_fail(SP_ERR_NUMERIC, "a label's logit is not a finite number; the weights of "
                                           "model or prompt are damaged, train them again");
        labels[r] = sp_class_best(job->head, row);
    }
    *rows = (size_t)logits->rows;
    sp_tape_reset(&c->tape);
    return SP_OK;
}

sp_status sp_classify(const sp_classify_job *job, int *labels, float *probabilities) {
    classifying c = {
        .job = job, .steering = sp_soft_prompt_steering(job->prompt), .tape = {.inference = true}};
    sp_status st = SP_OK;
    for (size_t first = 0; !st && first < job->count;) {
        size_t next = first, rows = 0;
        sp_packed_clear(&c.batch);
        c.tasks.len = 0;
        while (!st && next < job->count && next - first < (size_t)job->batch) st = pack(&c, next++);
        if (!st) st = run_batch(&c, labels, probabilities, &rows);
        labels += rows;
        if (probabilities) probabilities += rows * job->head->labels.len;
        if (!st && job->on_done) job->on_done(job->user, next);
        if (!st && sp_interrupted()) st = sp_fail(SP_ERR_INTERRUPTED, "stopped while classifying");
        first = next;
    }
    sp_packed_free(&c.batch);
    sp_ints_free(&c.ids);
    sp_ints_free(&c.tasks);
    sp_tape_free(&c.tape);
    return st;
}
