#include "cli/ensemble_scores.h"

#include "cli/json.h"
#include "report/vote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines: each run's scores, and what is made of them all. */
typedef struct scoreboard {
    const sp_ensemble_answers *answers;
    const sp_metric *metrics[SP_METRIC_COUNT];
    size_t count;   /* of metrics */
    double *values; /* [metrics, runs + SP_VOTE_SCORES] */
} scoreboard;

static const struct {
    const char *name, *title;
} summaries[SP_VOTE_SCORES] = {[SP_VOTE_AVERAGE] = {"average", "average"},
                               [SP_VOTE_BEST] = {"best", "best single"},
                               [SP_VOTE_MAJORITY] = {"ensemble", "ensemble"}};

static double value_of(const scoreboard *s, size_t metric, size_t line) {
    return s->values[metric * (s->answers->count + SP_VOTE_SCORES) + line];
}

static void add_metric(scoreboard *s, const sp_metric *metric) {
    const sp_ensemble_answers *a = s->answers;
    double *runs = s->values + s->count * (a->count + SP_VOTE_SCORES);
    s->metrics[s->count++] = metric;
    sp_vote_score(a->runs, a->count, &a->winners, &a->references, metric, runs, runs + a->count);
}

/* ---- as JSON ---- */

static json_t *line_json(const scoreboard *s, size_t line) {
    json_t *scores = json_object();
    for (size_t m = 0; m < s->count; m++)
        json_object_set_new(scores, s->metrics[m]->name, json_real(value_of(s, m, line)));
    return scores;
}

static void print_json(const scoreboard *s) {
    const sp_ensemble_answers *a = s->answers;
    json_t *runs = json_array(), *root = json_object();
    for (size_t i = 0; i < a->count; i++)
        json_array_append_new(
            runs, json_pack("{s:s?, s:o}", "file", a->paths[i], "scores", line_json(s, i)));
    json_object_set_new(root, "model", json_string(a->model));
    json_object_set_new(root, "examples", json_integer((json_int_t)a->references.len));
    json_object_set_new(root, "one_batch", json_boolean(a->one_batch));
    json_object_set_new(root, "runs", runs);
    for (size_t i = 0; i < SP_VOTE_SCORES; i++)
        json_object_set_new(root, summaries[i].name, line_json(s, a->count + i));
    sp_print_json(root, JSON_REAL_PRECISION(17));
}

/* ---- as a table ---- */

static void print_line(const scoreboard *s, const char *title, int width, size_t line) {
    printf("%-*s", width, title);
    for (size_t m = 0; m < s->count; m++)
        printf("  %*.*f", (int)strlen(s->metrics[m]->title) + 2, s->metrics[m]->decimals,
               value_of(s, m, line));
    putchar('\n');
}

static void print_table(const scoreboard *s) {
    const sp_ensemble_answers *a = s->answers;
    int width = (int)strlen(summaries[SP_VOTE_BEST].title);
    for (size_t i = 0; i < a->count; i++)
        if ((int)strlen(a->paths[i]) > width) width = (int)strlen(a->paths[i]);
    printf("%zu prompts on %s, %zu examples of %s %s; %s\n\n%-*s", a->count, a->model,
           a->references.len, a->data, a->split,
           a->one_batch ? "all prompts in every batch"
                        : "one prompt after the other (not all are virtual tokens)",
           width, "");
    for (size_t m = 0; m < s->count; m++) printf("    %s", s->metrics[m]->title);
    putchar('\n');
    for (size_t i = 0; i < a->count; i++) print_line(s, a->paths[i], width, i);
    for (size_t i = 0; i < SP_VOTE_SCORES; i++)
        print_line(s, summaries[i].title, width, a->count + i);
    if (a->by_probability)
        puts("\nOf labels with as many votes, the one with the largest sum of probabilities won. A "
             "report\nhas no probabilities and takes that of the earliest seed, so its ensemble "
             "differs a little.");
}

void sp_ensemble_scores_print(const sp_ensemble_answers *answers, sp_task task, bool json) {
    scoreboard s = {.answers = answers};
    s.values = sp_alloc(SP_METRIC_COUNT * (answers->count + SP_VOTE_SCORES), sizeof *s.values);
    for (size_t i = 0; i < SP_METRIC_COUNT; i++)
        if (sp_metrics[i]->task == task) add_metric(&s, sp_metrics[i]);
    (json ? print_json : print_table)(&s);
    free(s.values);
}
