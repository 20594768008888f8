#include "report/ensemble.h"

#include "report/predictions.h"
#include "report/vote.h"

#include <stdlib.h>
#include <string.h>

/* The finished seeds of one subsample of a row. */
typedef struct voters {
    sp_predictions *items; /* [count] */
    size_t count;
} voters;

static void free_voters(voters *v) {
    for (size_t i = 0; i < v->count; i++) sp_predictions_free(&v->items[i]);
    free(v->items);
}

/* Voters answer the same examples. */
static sp_status check_examples(const voters *v, const sp_run_spec *run) {
    const sp_strings *first = &v->items[0].inputs, *last = &v->items[v->count - 1].inputs;
    bool same = first->len == last->len;
    for (size_t i = 0; same && i < first->len; i++)
        same = strcmp(first->data[i], last->data[i]) == 0;
    if (same) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "run %s has other test examples than the seeds beside it; delete its file and "
                   "run the study again",
                   run->id);
}

static sp_status read_voters(const sp_results *r, const sp_row *row, int subsample,
                             const char *folder, voters *out) {
    *out = (voters){.items = sp_alloc(row->count, sizeof *out->items)};
    sp_status st = SP_OK;
    for (size_t i = row->first; !st && i < row->first + row->count; i++) {
        const sp_run_spec *run = &r->runs->items[i];
        if (r->states[i] != SP_RUN_FINISHED || run->subsample != subsample) continue;
        st = sp_predictions_read(run, folder, &out->items[out->count]);
        if (st) break;
        out->count++;
        st = check_examples(out, run);
    }
    return st;
}

/* Adds the scores of the voters and their majority by metric [count]. */
static void add_scores(const voters *v, const sp_metric *const *metrics, size_t count,
                       double (*sums)[SP_VOTE_SCORES]) {
    sp_strings *answers = sp_alloc(v->count, sizeof *answers), winners = {0};
    double scores[SP_VOTE_SCORES];
    for (size_t i = 0; i < v->count; i++) answers[i] = v->items[i].hypotheses; /* borrowed */
    sp_vote(answers, v->count, &winners);
    for (size_t m = 0; m < count; m++) {
        sp_vote_score(answers, v->count, &winners, &v->items[0].references, metrics[m], NULL,
                      scores);
        for (int k = 0; k < SP_VOTE_SCORES; k++) sums[m][k] += scores[k];
    }
    sp_strings_free(&winners);
    free(answers);
}

/* The metrics that are columns of the table for all examples, once each. */
static size_t choose_metrics(const sp_results *r, const sp_metric **metrics) {
    size_t count = 0;
    for (size_t i = 0; i < r->score_count && count < SP_METRIC_COUNT; i++)
        if (strcmp(r->scores[i].group, "all") == 0) metrics[count++] = r->scores[i].metric;
    return count;
}

static sp_status prepare(const sp_metric *const *metrics, size_t count) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++)
        if (metrics[i]->prepare) st = metrics[i]->prepare();
    return st;
}

/* One line of the sheet, of the subsamples in which two seeds or more are finished. */
typedef struct tally {
    double sums[SP_METRIC_COUNT][SP_VOTE_SCORES];
    size_t groups, voters; /* voters: of all groups */
} tally;

static sp_status add_group(const sp_results *r, const sp_row *row, int subsample,
                           const char *folder, const sp_metric *const *metrics, size_t count,
                           tally *t) {
    voters v;
    sp_status st = read_voters(r, row, subsample, folder, &v);
    if (!st && v.count >= 2) {
        add_scores(&v, metrics, count, t->sums);
        t->groups++;
        t->voters += v.count;
    }
    free_voters(&v);
    return st;
}

static void put_row(const sp_row *row, const tally *t, const sp_metric *const *metrics,
                    size_t count, sp_sheet *out) {
    double groups = (double)t->groups;
    sp_sheet_cell(out, row->title);
    sp_sheet_number(out, (double)t->voters / groups, t->voters % t->groups ? 1 : 0);
    for (size_t m = 0; m < count; m++)
        for (int o = 0; o < SP_VOTE_SCORES; o++)
            sp_sheet_number(out, t->sums[m][o] / groups, metrics[m]->decimals);
}

/* Subsamples of a row stand together in the list of runs. */
static sp_status tally_row(const sp_results *r, const sp_row *row, const char *folder,
                           const sp_metric *const *metrics, size_t count, tally *t) {
    sp_status st = SP_OK;
    for (size_t i = row->first; !st && i < row->first + row->count; i++) {
        int subsample = r->runs->items[i].subsample;
        if (i > row->first && r->runs->items[i - 1].subsample == subsample) continue;
        st = add_group(r, row, subsample, folder, metrics, count, t);
    }
    return st;
}

static void start_sheet(const sp_results *r, const sp_metric *const *metrics, size_t count,
                        sp_sheet *out) {
    static const char *const names[SP_VOTE_SCORES] = {"average", "best", "ensemble"};
    char *title = sp_format("%s: ensembles of seeds", r->spec->title);
    sp_sheet_start(out, "ensemble", title);
    free(title);
    sp_sheet_column(out, "Method", false);
    sp_sheet_column(out, "Voters", true);
    for (size_t m = 0; m < count; m++)
        for (int o = 0; o < SP_VOTE_SCORES; o++) {
            title = sp_format("%s, %s", metrics[m]->title, names[o]);
            sp_sheet_column(out, title, true);
            free(title);
        }
}

sp_status sp_ensemble_sheet(const sp_results *r, const char *folder, sp_sheet *out) {
    if (!r->spec->ensemble) return SP_OK;
    const sp_metric *metrics[SP_METRIC_COUNT];
    size_t count = choose_metrics(r, metrics);
    sp_status st = prepare(metrics, count);
    if (st) return st;
    start_sheet(r, metrics, count, out);
    for (size_t i = 0; !st && i < r->row_count; i++) {
        tally t = {0};
        st = tally_row(r, &r->rows[i], folder, metrics, count, &t);
        if (!st && t.groups) put_row(&r->rows[i], &t, metrics, count, out);
    }
    sp_sheet_note(out, "Ensemble: the majority of the seeds' answers to each test example; of "
                       "answers with as many votes, that of the earliest seed (softprompt ensemble "
                       "has probabilities to decide by, so its score differs a little). Best: the "
                       "seed with the best score on test, so chosen after the fact.");
    return st;
}
