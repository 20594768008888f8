#include "experiment/evaluate.h"

#include "training/classify.h"
#include "training/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

static sp_status generate(const sp_evaluation *e, const sp_decode_options *decode,
                          sp_strings *out) {
    return sp_predict(e->setup->model, &e->setup->prompt, e->setup->tokenizer, decode,
                      &e->part->examples, e->count, e->seed, e->on_done, e->user, out);
}

/* ---- labels as text ---- */

/* Whether `text` is `word`, white space at the ends of the word aside. */
static bool says(const char *text, const char *word) {
    word += strspn(word, " \t\n\r");
    size_t len = strlen(word);
    while (len > 0 && strchr(" \t\n\r", word[len - 1])) len--;
    return strlen(text) == len && strncmp(text, word, len) == 0;
}

char *sp_label_said(const sp_label *labels, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < labels[i].words.len; k++)
            if (says(text, labels[i].words.data[k])) return sp_strdup(labels[i].name);
    return sp_format("?%s", text);
}

/* Tokens of the longest label word. */
static sp_status longest_word(const sp_setup *s, size_t *out) {
    sp_status st = SP_OK;
    sp_ints ids = {0};
    *out = 0;
    for (size_t i = 0; !st && i < s->label_count; i++)
        for (size_t k = 0; !st && k < s->labels[i].words.len; k++) {
            const char *word = s->labels[i].words.data[k];
            ids.len = 0;
            st = sp_tokenizer_encode(s->tokenizer, word, strlen(word), &ids);
            if (ids.len > *out) *out = ids.len;
        }
    sp_ints_free(&ids);
    return st;
}

/* What is longer than every label word is no label: one token more than the longest is enough. */
static sp_status generate_labels(const sp_evaluation *e, sp_strings *out) {
    sp_decode_options decode = *e->decode;
    size_t longest, first = out->len;
    sp_status st = longest_word(e->setup, &longest);
    if (!st && (size_t)decode.max_tokens > longest + 1) decode.max_tokens = (int)longest + 1;
    if (!st) st = generate(e, &decode, out);
    for (size_t i = first; !st && i < out->len; i++) {
        char *text = out->data[i];
        out->data[i] = sp_label_said(e->setup->labels, e->setup->label_count, text);
        free(text);
    }
    return st;
}

/* ---- labels of a class head ---- */

/* The names of labels [count], joined by spaces. */
static char *label_names(const sp_setup *s, const int *labels, size_t count) {
    sp_buf text = {0};
    for (size_t i = 0; i < count; i++)
        sp_buf_printf(&text, "%s%s", i ? " " : "", s->labels[labels[i]].name);
    return sp_buf_take(&text);
}

static sp_status classify(const sp_evaluation *e, sp_strings *out) {
    const sp_examples *examples = &e->part->examples;
    int *labels = sp_alloc(sp_examples_label_count(examples, e->count), sizeof *labels);
    sp_classify_job job = {.model = e->setup->model,
                           .head = &e->setup->head,
                           .prompt = &e->setup->prompt,
                           .examples = examples,
                           .count = e->count,
                           .allowed = examples->allowed,
                           .batch = e->decode->batch,
                           .on_done = e->on_done,
                           .user = e->user};
    sp_status st = sp_classify(&job, labels, NULL);
    const int *next = labels;
    for (size_t i = 0; !st && i < e->count; i++) {
        size_t n = examples->records[i].words.len ? examples->records[i].words.len : 1;
        sp_strings_take(out, label_names(e->setup, next, n));
        next += n;
    }
    free(labels);
    return st;
}

sp_status sp_evaluate(const sp_evaluation *e, sp_strings *hypotheses) {
    if (e->setup->output != SP_OUTPUT_TEXT) return classify(e, hypotheses);
    if (e->setup->task == SP_CLASSIFICATION) return generate_labels(e, hypotheses);
    return generate(e, e->decode, hypotheses);
}

/* ---- scores ---- */

/* Another set than the run's has labels of its own order: they are compared by name. */
static sp_scored_text scored_text(const sp_setup *s, const sp_part *part, const sp_example *e,
                                  const char *hypothesis) {
    if (s->task == SP_CLASSIFICATION)
        return (sp_scored_text){hypothesis, (const char *const *)&part->labels[e->label].name, 1};
    return (sp_scored_text){hypothesis, (const char *const *)e->references.data, e->references.len};
}

double sp_evaluate_score(const sp_setup *s, const sp_part *part, const sp_strings *hypotheses,
                         const char *group, const sp_metric *metric) {
    sp_scored_text *texts = sp_alloc(hypotheses->len, sizeof *texts);
    size_t n = 0;
    for (size_t i = 0; i < hypotheses->len; i++) {
        const sp_example *e = &part->split.items[i];
        if (!group || strcmp(e->group, group) == 0)
            texts[n++] = scored_text(s, part, e, hypotheses->data[i]);
    }
    double score = n ? metric->score(texts, n) : NAN;
    free(texts);
    return score;
}

char *sp_evaluate_reference(const sp_setup *s, const sp_part *part, const sp_example *e) {
    sp_scored_text right = scored_text(s, part, e, "");
    sp_buf text = {0};
    for (size_t i = 0; i < right.reference_count; i++)
        sp_buf_printf(&text, "%s%s", i ? "\n" : "", right.references[i]);
    return sp_buf_take(&text);
}
