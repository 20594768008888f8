#include "training/ensemble.h"

#include <stdlib.h>
#include <string.h>

/* ---- making one ---- */

static bool same_labels(const sp_class_head *a, const sp_class_head *b) {
    if (a->labels.len != b->labels.len) return false;
    for (size_t i = 0; i < a->labels.len; i++)
        if (strcmp(a->labels.data[i], b->labels.data[i]) != 0) return false;
    return true;
}

/* Whether prompt `i` answers the same question as the first. */
static sp_status check_prompt(const sp_ensemble *e, size_t i) {
    const sp_class_head *first = &e->heads[0], *other = &e->heads[i];
    if (strcmp(e->prompts[0].separator, e->prompts[i].separator) != 0)
        return sp_fail(SP_ERR_SPEC,
                       "prompts 1 and %zu were trained with different separators between input and "
                       "target; use runs of one data set",
                       i + 1);
    if (first->output != other->output)
        return sp_fail(SP_ERR_SPEC,
                       "the answers of prompt 1 are %s, those of prompt %zu are %s; "
                       "use runs with the same output",
                       sp_output_names[first->output], i + 1, sp_output_names[other->output]);
    if (!same_labels(first, other))
        return sp_fail(SP_ERR_SPEC,
                       "prompts 1 and %zu have different labels; use runs of one data set", i + 1);
    return SP_OK;
}

/* Whether the prompt is virtual rows and nothing else. */
static bool is_rows(const sp_soft_prompt *p) {
    return p->virtual_rows.rows && !p->kv && !p->attached.low_rank && !p->attached.bottleneck;
}

static void move_ids(const sp_ints *ids, long by, sp_ints *out) {
    for (size_t i = 0; i < ids->len; i++)
        sp_ints_push(out, ids->data[i] < 0 ? ids->data[i] - (int)by : ids->data[i]);
}

static void join_rows(sp_ensemble *e) {
    long total = 0, first = 0;
    for (size_t i = 0; i < e->count; i++) total += e->prompts[i].virtual_rows.rows;
    e->rows = sp_leaf(total, e->model->config.n_embd);
    e->templates = sp_alloc(e->count, sizeof *e->templates);
    for (size_t i = 0; i < e->count; i++) {
        const sp_template *own = &e->prompts[i].template;
        const sp_var *rows = &e->prompts[i].virtual_rows;
        e->templates[i] = (sp_template){.framed = own->framed, .row = own->row};
        move_ids(&own->before, first, &e->templates[i].before);
        move_ids(&own->after, first, &e->templates[i].after);
        for (long r = 0; r < rows->rows; r++)
            sp_var_row(rows, r, e->rows.data + (first + r) * e->rows.ld);
        first += rows->rows;
    }
}

sp_status sp_ensemble_make(sp_model *model, sp_soft_prompt *prompts, const sp_class_head *heads,
                           size_t count, sp_ensemble *e) {
    *e = (sp_ensemble){
        .model = model, .prompts = prompts, .heads = heads, .count = count, .together = true};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++) {
        st = check_prompt(e, i);
        e->together = e->together && is_rows(&prompts[i]);
    }
    if (!st && e->together) join_rows(e);
    return st;
}

void sp_ensemble_free(sp_ensemble *e) {
    for (size_t i = 0; e->templates && i < e->count; i++) sp_template_free(&e->templates[i]);
    free(e->templates);
    sp_leaf_free(&e->rows);
    *e = (sp_ensemble){0};
}

/* ---- labels ---- */

static sp_status classify_together(sp_ensemble *e, const sp_classify_job *job, int *labels,
                                   float *probabilities) {
    sp_steering steering = {.virtual_rows = &e->rows};
    sp_voter *voters = sp_alloc(e->count, sizeof *voters);
    for (size_t i = 0; i < e->count; i++) voters[i] = (sp_voter){&e->templates[i], &e->heads[i]};
    sp_status st = sp_classify_together(job, &steering, voters, e->count, labels, probabilities);
    free(voters);
    return st;
}

static sp_status classify_alone(sp_ensemble *e, size_t i, const sp_classify_job *shared,
                                int *labels, float *probabilities) {
    sp_classify_job job = *shared;
    job.head = &e->heads[i];
    job.prompt = &e->prompts[i];
    sp_soft_prompt_merge(job.prompt, e->model);
    sp_status st = sp_classify(&job, labels, probabilities);
    sp_soft_prompt_unmerge(job.prompt, e->model);
    return st;
}

sp_status sp_ensemble_classify(sp_ensemble *e, const sp_examples *examples, size_t examples_count,
                               int batch, int *labels, float *probabilities) {
    sp_classify_job job = {
        .model = e->model, .examples = examples, .count = examples_count, .batch = batch};
    if (e->together) return classify_together(e, &job, labels, probabilities);
    size_t n = sp_examples_label_count(examples, examples_count);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < e->count; i++)
        st = classify_alone(e, i, &job, labels + i * n,
                            probabilities + i * n * e->heads[i].labels.len);
    return st;
}

/* ---- texts ---- */

sp_status sp_ensemble_predict(sp_ensemble *e, const sp_tokenizer *tokenizer,
                              const sp_decode_options *options, const sp_examples *examples,
                              size_t examples_count, sp_strings *out) {
    sp_status st = SP_OK;
    if (!e->together) {
        for (size_t i = 0; !st && i < e->count; i++)
            st = sp_predict(e->model, &e->prompts[i], tokenizer, options, examples, examples_count,
                            0, NULL, NULL, &out[i]);
        return st;
    }
    sp_steering steering = {.virtual_rows = &e->rows};
    const sp_template **templates = sp_alloc(e->count, sizeof *templates);
    for (size_t i = 0; i < e->count; i++) templates[i] = &e->templates[i];
    st = sp_predict_together(e->model, &steering, templates, e->count, tokenizer, options, examples,
                             examples_count, 0, NULL, NULL, out);
    free(templates);
    return st;
}
