#include "training/classify.h"

#include "core/clock.h"
#include "tensor/kernels.h"

#include <math.h>

typedef struct classifying {
    const sp_classify_job *job;
    const sp_steering *steering;
    const sp_voter *voters; /* [voter_count] */
    size_t voter_count;
    size_t label_count; /* that each voter gives */
    sp_tape tape;
    sp_packed batch;
    sp_ints ids, tasks; /* tasks of the batch's rows */
} classifying;

static sp_status pack(classifying *c, const sp_voter *voter, size_t record) {
    const sp_classify_job *job = c->job;
    int before = c->batch.offsets.data[sp_packed_sequences(&c->batch)];
    sp_examples_pack(job->examples, (sp_pair){(int)record, 0}, voter->template, &c->ids, &c->batch);
    sp_examples_tasks(&job->examples->records[record], &c->tasks);
    int taken = (int)c->batch.ids.len - before + c->steering->first_position;
    int context = job->model->config.n_positions;
    if (taken <= context) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "example %zu takes %d tokens with its prompt, but the context is %d; shorten it",
                   record + 1, taken, context);
}

/* Records [first, next), all of them for the first voter, then for the second. */
static sp_status pack_batch(classifying *c, size_t first, size_t next) {
    sp_status st = SP_OK;
    sp_packed_clear(&c->batch);
    c->tasks.len = 0;
    for (size_t v = 0; v < c->voter_count; v++)
        for (size_t i = first; !st && i < next; i++) st = pack(c, &c->voters[v], i);
    return st;
}

/* softmax(logits) into p [n]; false if a logit is NaN or infinite. */
static bool softmax(const float *logits, long n, float *p) {
    for (long i = 0; i < n; i++)
        if (!isfinite(logits[i])) return false;
    float sum = sp_exp_sum(n, logits, sp_max(n, logits), p);
    sp_scale(n, 1.0f / sum, p, p);
    return true;
}

/* The labels of one voter from its hidden states; tasks [rows]. */
static sp_status label_rows(classifying *c, const sp_class_head *head, sp_var *hidden,
                            const int *tasks, int *labels, float *probabilities) {
    sp_var *logits = sp_class_logits(&c->tape, head, c->job->model, hidden);
    logits = sp_class_mask(&c->tape, logits, c->job->allowed, tasks);
    float *scratch = sp_arena_alloc(&c->tape.arena, (size_t)logits->cols * sizeof(float));
    for (long r = 0; r < logits->rows; r++) {
        const float *row = logits->data + r * logits->ld;
        float *p = probabilities ? probabilities + r * logits->cols : scratch;
        if (!softmax(row, logits->cols, p))
            return sp_fail(SP_ERR_NUMERIC, "a label's logit is not a finite number; the weights of "
                                           "model or prompt are damaged, train them again");
        labels[r] = sp_class_best(head, row);
    }
    return SP_OK;
}

/* Labels of the batch at the places of its first one; *rows: how many each voter gives. */
static sp_status run_batch(classifying *c, int *labels, float *probabilities, size_t *rows) {
    sp_context ctx = sp_packed_context(&c->batch, c->steering);
    sp_var *hidden = sp_model_forward(&c->tape, c->job->model, c->batch.ids.data, &ctx);
    *rows = (size_t)hidden->rows / c->voter_count;
    sp_status st = SP_OK;
    for (size_t v = 0; !st && v < c->voter_count; v++) {
        const sp_class_head *head = c->voters[v].head;
        size_t place = v * c->label_count;
        sp_var part = *hidden;
        part.rows = (long)*rows;
        part.data += (long)(v * *rows) * hidden->ld;
        st = label_rows(c, head, &part, c->tasks.data + v * *rows, labels + place,
                        probabilities ? probabilities + place * head->labels.len : NULL);
    }
    sp_tape_reset(&c->tape);
    return st;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

sp_status sp_classify_together(const sp_classify_job *job, const sp_steering *steering,
                               const sp_voter *voters, size_t voter_count, int *labels,
                               float *probabilities) {
    classifying c = {.job = job,
                     .steering = steering,
                     .voters = voters,
                     .voter_count = voter_count,
                     .label_count = sp_examples_label_count(job->examples, job->count),
                     .tape = {.inference = true}};
    sp_status st = SP_OK;
    for (size_t first = 0; !st && first < job->count;) {
        size_t next = least(first + (size_t)job->batch, job->count), rows = 0;
        st = pack_batch(&c, first, next);
        if (!st) st = run_batch(&c, labels, probabilities, &rows);
        labels += rows;
        if (probabilities) probabilities += rows * voters->head->labels.len;
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

sp_status sp_classify(const sp_classify_job *job, int *labels, float *probabilities) {
    sp_steering steering = sp_soft_prompt_steering(job->prompt);
    sp_voter voter = {&job->prompt->template, job->head};
    return sp_classify_together(job, &steering, &voter, 1, labels, probabilities);
}
