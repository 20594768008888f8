#include "report/cost.h"

#include "model/outline.h"
#include "report/kept.h"
#include "training/flops.h"
#include "tuning/class_head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double sp_pscp(double score, const double *costs, const double *references,
               const double *exponents) {
    for (int i = 0; i < SP_COST_KINDS; i++)
        if (exponents[i] > 0) score *= pow(1 + costs[i] / references[i], -exponents[i]);
    return score;
}

/* ---- what is known of the rows ---- */

/* A model without its weights. */
typedef struct known_model {
    const char *name; /* lives in the list of runs */
    sp_model *model;  /* NULL: it was not found */
    char *problem;    /* why not */
} known_model;

typedef struct row_facts {
    size_t run; /* the first finished one */
    sp_output output;
    const sp_model *model; /* NULL: not found, or no run has finished */
    sp_kept kept;
    double length; /* tokens of its own examples without virtual rows; NaN: it did not train */
} row_facts;

typedef struct costing {
    const sp_results *r;
    known_model *models; /* [row_count] at most */
    size_t model_count;
    row_facts *facts;                    /* [row_count] */
    bool per_token, per_example, merges; /* which of them the table has */
} costing;

static const sp_model *find_model(costing *c, const char *name) {
    for (size_t i = 0; i < c->model_count; i++)
        if (strcmp(c->models[i].name, name) == 0) return c->models[i].model;
    known_model *m = &c->models[c->model_count++];
    *m = (known_model){.name = name};
    if (sp_model_outline(name, &m->model)) m->problem = sp_strdup(sp_error());
    return m->model;
}

static size_t first_finished(const sp_results *r, const sp_row *row) {
    size_t i = row->first;
    while (r->states[i] != SP_RUN_FINISHED) i++;
    return i;
}

static sp_output output_of(const sp_runlog *log) {
    const char *name = sp_runlog_get_text(log, "output");
    for (int i = 0; name && sp_output_names[i]; i++)
        if (strcmp(sp_output_names[i], name) == 0) return (sp_output)i;
    return SP_OUTPUT_TEXT;
}

/* Tokens of a sequence in training, virtual rows included; NaN if nothing was trained. */
static double trained_length(const sp_results *r, size_t run) {
    const sp_column *tokens = sp_runlog_get_train(&r->logs[run], "tokens");
    if (!tokens || !tokens->len) return NAN;
    return tokens->data[tokens->len - 1] / ((double)tokens->len * r->runs->items[run].train.batch);
}

static sp_status learn_row(costing *c, const sp_row *row, const char *folder, row_facts *out) {
    out->run = first_finished(c->r, row);
    const sp_run_spec *run = &c->r->runs->items[out->run];
    out->output = output_of(&c->r->logs[out->run]);
    out->model = find_model(c, run->model);
    if (!out->model) return SP_OK;
    char *path = sp_run_path(run, folder);
    sp_status st = sp_kept_read(path, out->model, &out->kept);
    out->length = trained_length(c->r, out->run) - out->kept.virtual_rows;
    free(path);
    return st;
}

static sp_status learn(costing *c, const char *folder) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < c->r->row_count; i++)
        if (c->r->rows[i].finished) st = learn_row(c, &c->r->rows[i], folder, &c->facts[i]);
    return st;
}

static void forget(costing *c) {
    for (size_t i = 0; i < c->model_count; i++) {
        sp_model_free(c->models[i].model);
        free(c->models[i].problem);
    }
    for (size_t i = 0; i < c->r->row_count; i++) sp_kept_free(&c->facts[i].kept);
    free(c->models), free(c->facts);
}

/* ---- operations of inference ---- */

static bool same_examples(const costing *c, const row_facts *a, const row_facts *b) {
    const sp_run_spec *x = &c->r->runs->items[a->run], *y = &c->r->runs->items[b->run];
    return b->model && strcmp(x->model, y->model) == 0 && strcmp(x->dataset, y->dataset) == 0 &&
           (a->output == SP_OUTPUT_TEXT) == (b->output == SP_OUTPUT_TEXT);
}

/* The mean over all rows on the same data, so that no method is charged for the examples that it
 * happened to draw, and one that does not train has a length too. */
static double shared_length(const costing *c, const row_facts *facts) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < c->r->row_count; i++) {
        const row_facts *f = &c->facts[i];
        if (same_examples(c, facts, f) && !isnan(f->length)) sum += f->length, n++;
    }
    return n > 0 ? sum / n : NAN;
}

/* A generated token stands behind a whole example, whose keys and values are there, as are those of
 * virtual rows; a text that gets a label, or one for each word, is read whole. */
static sp_inference pass_of(const row_facts *f, const sp_kept *kept, double length) {
    double whole = length + kept->virtual_rows;
    bool text = f->output == SP_OUTPUT_TEXT;
    return (sp_inference){.tokens = text ? 1 : whole,
                          .cached = text ? whole : 0,
                          .prefix = kept->prefix,
                          .prefix_layers = kept->prefix_layers,
                          .prefix_queries = text || kept->infix ? 1 : whole,
                          .wanted = f->output == SP_OUTPUT_TOKEN_LINEAR ? whole : 1,
                          .answers = text ? f->model->config.vocab_size : f->kept.answers};
}

typedef struct flops {
    double merged, unmerged, bare; /* the last: of the model without a method */
} flops;

static flops count_flops(const costing *c, const row_facts *f) {
    if (!f->model) return (flops){NAN, NAN, NAN};
    size_t count = (size_t)f->model->projection_count;
    double *all = sp_alloc(count, sizeof *all), length = shared_length(c, f);
    for (size_t i = 0; i < count; i++) all[i] = f->kept.low_rank[i] + f->kept.bottleneck[i];
    sp_inference with = pass_of(f, &f->kept, length), bare = pass_of(f, &(sp_kept){0}, length);
    flops out = {.bare = sp_inference_flops(f->model, &bare)};
    with.added = f->kept.bottleneck;
    out.merged = sp_inference_flops(f->model, &with);
    with.added = all;
    out.unmerged = sp_inference_flops(f->model, &with);
    free(all);
    return out;
}

/* ---- time ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median, in which evaluations between steps have no part; NaN for fewer than two steps. */
static double step_seconds(const sp_runlog *log) {
    const sp_column *times = sp_runlog_get_train(log, "seconds");
    if (!times || times->len < 2) return NAN;
    size_t n = times->len - 1;
    double *steps = sp_alloc(n, sizeof *steps);
    for (size_t i = 0; i < n; i++) steps[i] = times->data[i + 1] - times->data[i];
    qsort(steps, n, sizeof *steps, by_value);
    double median = (steps[(n - 1) / 2] + steps[n / 2]) / 2;
    free(steps);
    return median;
}

/* Over the finished runs of a row: seconds of a step, and tokens trained on in a second. */
static void measure_speed(const sp_results *r, const sp_row *row, double *step, double *speed) {
    double steps = 0, speeds = 0, n = 0;
    for (size_t i = row->first; i < row->first + row->count; i++) {
        double seconds = r->states[i] == SP_RUN_FINISHED ? step_seconds(&r->logs[i]) : NAN;
        if (isnan(seconds) || seconds <= 0) continue;
        steps += seconds, n++;
        speeds += trained_length(r, i) * r->runs->items[i].train.batch / seconds;
    }
    *step = n > 0 ? steps / n : NAN;
    *speed = n > 0 ? speeds / n : NAN;
}

/* ---- the table ---- */

enum { PSCP_COLUMN = 13 };

static void put_columns(const sp_results *r, sp_sheet *out) {
    char *score = sp_score_title(r->spec->cost.score);
    const char *const titles[] = {"Trained",       "Share, %",      "Kept",     "Stored, kB",
                                  "Training, s",   "Step, ms",      "Tokens/s", "Memory, MB",
                                  "MFLOPs merged", "MFLOPs beside", score,      "SD over seeds",
                                  "PSCP"};
    sp_sheet_column(out, "Method", false);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        sp_sheet_column(out, titles[i], true);
    free(score);
}

static int score_decimals(const char *score) {
    const sp_metric *metric = sp_metric_find(strrchr(score, '.') + 1);
    return metric ? metric->decimals : 3;
}

static double mean_of(const sp_results *r, const sp_row *row, const char *attribute) {
    return sp_row_attribute(r, row, attribute).mean;
}

static double weigh(const sp_cost_settings *s, double score, double model_parameters, flops f,
                    double trained, double memory) {
    const double of_model[SP_COST_KINDS] = {model_parameters, f.bare, NAN};
    const double costs[SP_COST_KINDS] = {trained, f.merged, memory};
    double references[SP_COST_KINDS];
    for (int i = 0; i < SP_COST_KINDS; i++)
        references[i] = s->references[i] > 0 ? s->references[i] : of_model[i];
    return sp_pscp(score, costs, references, s->exponents);
}

static double weigh_row(const sp_results *r, const sp_row *row, double score, flops f) {
    return weigh(&r->spec->cost, score, mean_of(r, row, "total_parameters"), f,
                 mean_of(r, row, "trainable_parameters"), mean_of(r, row, "peak_rss_bytes"));
}

static double weigh_run(const sp_results *r, size_t run, flops f) {
    const sp_runlog *log = &r->logs[run];
    return weigh(&r->spec->cost, sp_results_score(r, run, r->spec->cost.score),
                 sp_runlog_get_number(log, "total_parameters"), f,
                 sp_runlog_get_number(log, "trainable_parameters"),
                 sp_runlog_get_number(log, "peak_rss_bytes"));
}

static void put_costs(const sp_results *r, const sp_row *row, sp_sheet *out) {
    double trained = mean_of(r, row, "trainable_parameters"), step, speed;
    double kept = mean_of(r, row, "kept_parameters");
    measure_speed(r, row, &step, &speed);
    sp_sheet_number(out, trained, 0);
    sp_sheet_number(out, 100 * trained / mean_of(r, row, "total_parameters"), 3);
    sp_sheet_number(out, kept, 0);
    sp_sheet_number(out, kept * (double)sizeof(float) / 1e3, 1);
    sp_sheet_number(out, mean_of(r, row, "train_seconds"), 1);
    sp_sheet_number(out, step * 1e3, 1);
    sp_sheet_number(out, speed, 0);
    sp_sheet_number(out, mean_of(r, row, "peak_rss_bytes") / 1e6, 0);
}

static void put_row(costing *c, size_t i, sp_sheet *out) {
    const sp_results *r = c->r;
    const sp_row *row = &r->rows[i];
    const char *score = r->spec->cost.score;
    sp_summary s = sp_row_score(r, row, score);
    flops f = count_flops(c, &c->facts[i]);
    int decimals = score_decimals(score);
    sp_sheet_cell(out, row->title);
    put_costs(r, row, out);
    sp_sheet_number(out, f.merged / 1e6, 3);
    sp_sheet_number(out, f.unmerged / 1e6, 3);
    sp_sheet_number(out, s.mean, decimals);
    sp_sheet_number(out, s.n > 1 ? s.deviation : NAN, decimals);
    sp_sheet_number(out, weigh_row(r, row, s.mean, f), decimals);
    bool text = c->facts[i].output == SP_OUTPUT_TEXT;
    c->per_token |= text, c->per_example |= !text;
    c->merges |= f.merged < f.unmerged;
}

/* ---- what the numbers are ---- */

static void note_formula(const sp_cost_settings *s, sp_sheet *out) {
    static const char *const units[] = {"", " FLOPs", " bytes"};
    static const char *const of_model[] = {"those of the model",
                                           "those of the model without a method", ""};
    sp_buf text = {0};
    sp_buf_puts(&text, "PSCP (PEFT-Bench): the score times (1 + M/C)^-b for each cost M:");
    for (int i = 0; i < SP_COST_KINDS; i++) {
        sp_buf_printf(&text, "%s %s with C ", i ? ";" : "", sp_cost_names[i]);
        if (s->references[i] > 0)
            sp_buf_printf(&text, "%g%s", s->references[i], units[i]);
        else
            sp_buf_puts(&text, of_model[i]);
        sp_buf_printf(&text, ", b %g", s->exponents[i]);
    }
    sp_buf_puts(&text, ". FLOPs are those with updates merged.");
    sp_sheet_note(out, text.data);
    sp_buf_free(&text);
}

static void put_notes(const costing *c, sp_sheet *out) {
    note_formula(&c->r->spec->cost, out);
    sp_sheet_note(out, "Stored: what a task keeps beside the model, 4 bytes a number. Training: "
                       "with evaluation on dev; a step without it (median). Times depend on what "
                       "else the machine did.");
    sp_sheet_note(out, "Memory: the most that the run's process had, training and test together, "
                       "with program, libraries, data and the model's pages that runs share.");
    if (c->per_token)
        sp_sheet_note(out, "MFLOPs of generation: a million operations for one token behind an "
                           "example of mean length, with keys and values cached, those of virtual "
                           "rows too.");
    if (c->per_example)
        sp_sheet_note(out, "MFLOPs of labels: a million operations to read an example of mean "
                           "length, virtual rows included, and to score the labels.");
    if (c->merges)
        sp_sheet_note(out,
                      "Merged: updates of low rank are added to the weights (as inference does "
                      "here). Beside: they are computed beside them, as for many tasks on one "
                      "model.");
    for (size_t i = 0; i < c->model_count; i++) {
        if (c->models[i].model) continue;
        char *text = sp_format("No FLOPs of %s: %s", c->models[i].name, c->models[i].problem);
        sp_sheet_note(out, text);
        free(text);
    }
}

static void fill(costing *c, sp_sheet *out) {
    char *title = sp_format("%s: costs", c->r->spec->title);
    sp_sheet_start(out, "cost", title);
    put_columns(c->r, out);
    for (size_t i = 0; i < c->r->row_count; i++)
        if (c->r->rows[i].finished) put_row(c, i, out);
    sp_sheet_mark_best(out, PSCP_COLUMN, true);
    put_notes(c, out);
    free(title);
}

static costing start_costing(const sp_results *r) {
    return (costing){.r = r,
                     .models = sp_alloc(r->row_count, sizeof(known_model)),
                     .facts = sp_alloc(r->row_count, sizeof(row_facts))};
}

sp_status sp_pscp_of_runs(const sp_results *r, const char *folder, double *out) {
    if (!r->spec->cost.score)
        return sp_fail(SP_ERR_DATA, "pscp needs report: cost in %s, which says how costs weigh",
                       r->spec->path);
    costing c = start_costing(r);
    sp_status st = learn(&c, folder);
    for (size_t i = 0; i < r->runs->count; i++) out[i] = NAN;
    for (size_t i = 0; !st && i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        if (!row->finished) continue;
        flops f = count_flops(&c, &c.facts[i]);
        for (size_t k = row->first; k < row->first + row->count; k++)
            if (r->states[k] == SP_RUN_FINISHED) out[k] = weigh_run(r, k, f);
    }
    forget(&c);
    return st;
}

sp_status sp_cost_sheet(const sp_results *r, const char *folder, sp_sheet *out) {
    if (!r->spec->cost.score) return SP_OK;
    costing c = start_costing(r);
    sp_status st = learn(&c, folder);
    if (!st) fill(&c, out);
    forget(&c);
    return st;
}
