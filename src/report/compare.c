#include "report/compare.h"

#include "core/random.h"
#include "report/claim_cells.h"
#include "report/claim_statistics.h"
#include "report/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static sp_status fail_unfinished(const sp_compared_run *run, const char *status) {
    return sp_fail(SP_ERR_DATA, "%s: its status is %s; only finished runs can be compared",
                   run->path, status ? status : "unknown");
}

static sp_status read_run(const char *path, sp_compared_run *run) {
    run->path = sp_strdup(path);
    sp_status st = sp_runlog_read(path, &run->log);
    if (st) return st;
    const char *status = sp_runlog_get_text(&run->log, "status");
    const char *spec = sp_runlog_get_text(&run->log, "spec");
    if (!status || strcmp(status, "finished") != 0) return fail_unfinished(run, status);
    if (!spec) return sp_fail(SP_ERR_FORMAT, "%s: has no attribute 'spec'; is it a run?", path);
    st = sp_yaml_parse(spec, strlen(spec), path, &run->settings);
    return st ? st : sp_predictions_read_file(path, &run->predictions);
}

/* Paired tests need pairs. */
static sp_status check_examples(const sp_compared_run *first, const sp_compared_run *run) {
    const sp_predictions *a = &first->predictions, *b = &run->predictions;
    if (a->inputs.len != b->inputs.len)
        return sp_fail(SP_ERR_DATA,
                       "%s and %s were tested on different examples, %zu and %zu of them; compare "
                       "runs with one data set and one test.limit",
                       first->path, run->path, a->inputs.len, b->inputs.len);
    for (size_t i = 0; i < a->inputs.len; i++)
        if (strcmp(a->inputs.data[i], b->inputs.data[i]) != 0 ||
            strcmp(a->references.data[i], b->references.data[i]) != 0)
            return sp_fail(SP_ERR_DATA,
                           "%s and %s were tested on different examples (the %zu-th is another); "
                           "compare runs with one data set and one test.limit",
                           first->path, run->path, i + 1);
    return SP_OK;
}

/* ---- titles ---- */

static const char *text_of(const sp_compared_run *run, const char *name) {
    const char *text = sp_runlog_get_text(&run->log, name);
    return text ? text : "";
}

static const sp_yaml **settings_of(const sp_comparison *c) {
    const sp_yaml **trees = sp_alloc(c->count, sizeof *trees);
    for (size_t i = 0; i < c->count; i++) trees[i] = c->runs[i].settings;
    return trees;
}

/* The runs with the label of one of them. */
static size_t namesakes(const sp_comparison *c, size_t run, const sp_yaml **trees) {
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(text_of(&c->runs[i], "label"), text_of(&c->runs[run], "label")) == 0)
            trees[n++] = c->runs[i].settings;
    return n;
}

/* The label, and the settings in which the run differs from others with the label. */
static char *make_title(const sp_comparison *c, size_t run) {
    const sp_yaml **trees = sp_alloc(c->count, sizeof *trees);
    size_t n = namesakes(c, run, trees);
    sp_strings paths = {0};
    sp_settings_paths(trees, n, &paths);
    sp_buf title = {0};
    sp_buf_puts(&title, text_of(&c->runs[run], "label"));
    for (size_t i = 0; i < paths.len; i++) {
        const char *dot = strrchr(paths.data[i], '.');
        char *value = sp_settings_value(c->runs[run].settings, paths.data[i]);
        if (value && sp_settings_differ(trees, n, paths.data[i]))
            sp_buf_printf(&title, " %s %s", dot ? dot + 1 : paths.data[i], value);
        free(value);
    }
    sp_strings_free(&paths);
    free(trees);
    return sp_buf_take(&title);
}

/* Equal titles are told apart by the place in the list. */
static void make_titles(sp_comparison *c) {
    for (size_t i = 0; i < c->count; i++) c->runs[i].title = make_title(c, i);
    for (size_t i = 1; i < c->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(c->runs[i].title, c->runs[j].title) == 0) {
                char *longer = sp_format("%s (%zu)", c->runs[i].title, i + 1);
                free(c->runs[i].title);
                c->runs[i].title = longer;
            }
}

/* ---- the metric ---- */

static bool all_have(const sp_comparison *c, const char *metric) {
    for (size_t i = 0; i < c->count; i++)
        if (isnan(sp_runlog_get_test(&c->runs[i].log, NULL, metric))) return false;
    return true;
}

static sp_status choose_metric(sp_comparison *c, const char *name) {
    for (size_t i = 0; i < SP_METRIC_COUNT; i++) {
        bool wanted = !name || strcmp(sp_metrics[i]->name, name) == 0;
        if (!wanted || !all_have(c, sp_metrics[i]->name)) continue;
        c->metric = sp_metrics[i];
        return c->metric->prepare ? c->metric->prepare() : SP_OK;
    }
    return sp_fail(SP_ERR_USAGE, "%s: not a metric that all these runs have a test score of",
                   name ? name : "--metric");
}

/* ---- tests ---- */

/* What a run said as a cell, whose score for a resampled test set is at hand. */
static void open_cell(const sp_comparison *c, const sp_prediction_texts *texts, sp_cell *cell) {
    *cell = (sp_cell){.metric = c->metric, .count = texts->count, .texts = texts->items};
    cell->examples = sp_alloc(texts->count, sizeof *cell->examples);
    for (size_t i = 0; i < texts->count; i++) cell->examples[i] = i;
    if (!c->metric->sums) return;
    cell->sums = sp_alloc(texts->count * c->metric->sums, sizeof *cell->sums);
    c->metric->measure(texts->items, texts->count, cell->sums);
}

static void draw(sp_rng *rng, size_t n, uint32_t *counts) {
    memset(counts, 0, n * sizeof *counts);
    for (size_t i = 0; i < n; i++) counts[sp_rng_below(rng, (uint32_t)n)]++;
}

/* Scores [resamples, runs] and, in the runs, those of the test set itself. */
static double *resample(sp_comparison *c, const sp_cell *cells) {
    double *scores = sp_alloc(c->resamples * c->count, sizeof *scores);
    uint32_t *counts = sp_alloc(c->examples, sizeof *counts);
    sp_rng rng = sp_rng_make(1, "compare");
    for (size_t i = 0; i < c->examples; i++) counts[i] = 1;
    for (size_t i = 0; i < c->count; i++) c->runs[i].score = sp_cell_score(&cells[i], counts);
    for (size_t b = 0; b < c->resamples; b++) {
        draw(&rng, c->examples, counts);
        for (size_t i = 0; i < c->count; i++)
            scores[b * c->count + i] = sp_cell_score(&cells[i], counts);
    }
    free(counts);
    return scores;
}

static void test_pair(const sp_comparison *c, const double *scores, sp_compared_pair *pair) {
    double *both = sp_alloc(2 * c->resamples, sizeof *both);
    for (size_t b = 0; b < c->resamples; b++) {
        both[2 * b] = scores[b * c->count + pair->a];
        both[2 * b + 1] = scores[b * c->count + pair->b];
    }
    const double y[2] = {c->runs[pair->a].score, c->runs[pair->b].score};
    sp_claim_effect effect;
    sp_claim_measure(SP_CLAIM_MORE, &(sp_claim_values){y, both, 2, c->resamples}, &effect);
    pair->difference = effect.effect, pair->low = effect.low, pair->high = effect.high;
    pair->p = effect.p;
    free(both);
}

static void test_pairs(sp_comparison *c, const double *scores) {
    c->pair_count = c->count * (c->count - 1) / 2;
    c->pairs = sp_alloc(c->pair_count, sizeof *c->pairs);
    double *p = sp_alloc(c->pair_count, sizeof *p);
    size_t n = 0;
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = a + 1; b < c->count; b++) {
            c->pairs[n] = (sp_compared_pair){.a = a, .b = b};
            test_pair(c, scores, &c->pairs[n]);
            p[n] = c->pairs[n].p;
            n++;
        }
    sp_holm(p, n);
    for (size_t i = 0; i < n; i++) c->pairs[i].adjusted = p[i];
    free(p);
}

static void test_all(sp_comparison *c) {
    sp_cell *cells = sp_alloc(c->count, sizeof *cells);
    sp_prediction_texts *texts = sp_alloc(c->count, sizeof *texts);
    c->resamples = c->metric->sums ? SP_RESAMPLES : SP_FEW_RESAMPLES;
    for (size_t i = 0; i < c->count; i++) {
        const sp_predictions *p = &c->runs[i].predictions;
        sp_prediction_texts_make(&p->hypotheses, &p->references, &texts[i]);
        open_cell(c, &texts[i], &cells[i]);
    }
    double *scores = resample(c, cells);
    test_pairs(c, scores);
    for (size_t i = 0; i < c->count; i++) {
        free(cells[i].examples), free(cells[i].sums);
        sp_prediction_texts_free(&texts[i]);
    }
    free(scores), free(cells), free(texts);
}

/* ---- public ---- */

sp_status sp_compare(const char *const *paths, size_t count, const char *metric,
                     sp_comparison *out) {
    *out = (sp_comparison){.runs = sp_alloc(count, sizeof *out->runs), .count = count};
    if (count < 2 || count > SP_MOST_COMPARED)
        return sp_fail(SP_ERR_USAGE, "%zu runs: from 2 to %d can be compared", count,
                       SP_MOST_COMPARED);
    sp_status st = SP_OK;
    for (size_t i = 0; i < count; i++) {
        st = read_run(paths[i], &out->runs[i]);
        if (!st) st = check_examples(&out->runs[0], &out->runs[i]);
        if (st) return st;
    }
    out->examples = out->runs[0].predictions.inputs.len;
    if (!out->examples)
        return sp_fail(SP_ERR_DATA, "%s: has no test predictions to compare", out->runs[0].path);
    if ((st = choose_metric(out, metric))) return st;
    make_titles(out);
    test_all(out);
    return SP_OK;
}

void sp_comparison_free(sp_comparison *c) {
    for (size_t i = 0; i < c->count; i++) {
        sp_compared_run *run = &c->runs[i];
        free(run->path), free(run->title);
        sp_runlog_free(&run->log);
        sp_yaml_free(run->settings);
        sp_predictions_free(&run->predictions);
    }
    free(c->runs), free(c->pairs);
    *c = (sp_comparison){0};
}

/* ---- sheets ---- */

static void put_attribute(const sp_comparison *c, const char *title, const char *name, int decimals,
                          sp_sheet *out) {
    sp_sheet_cell(out, title);
    for (size_t i = 0; i < c->count; i++)
        sp_sheet_number(out, sp_runlog_get_number(&c->runs[i].log, name), decimals);
}

static void put_differences(const sp_comparison *c, sp_sheet *out) {
    const sp_yaml **trees = settings_of(c);
    sp_strings paths = {0};
    sp_settings_paths(trees, c->count, &paths);
    for (size_t i = 0; i < paths.len; i++) {
        if (!sp_settings_differ(trees, c->count, paths.data[i])) continue;
        sp_sheet_cell(out, paths.data[i]);
        for (size_t j = 0; j < c->count; j++) {
            char *value = sp_settings_value(trees[j], paths.data[i]);
            sp_sheet_cell(out, value ? value : "\xe2\x80\x93");
            free(value);
        }
    }
    sp_strings_free(&paths);
    free(trees);
}

/* The best of a row is bold. */
static void put_scores(const sp_comparison *c, const sp_metric *metric, sp_sheet *out) {
    char *title =
        sp_format("%s%s", metric->title, metric->higher_is_better ? "" : " (lower is better)");
    size_t first = out->cell_count + 1;
    double best = NAN;
    sp_sheet_cell(out, title);
    for (size_t i = 0; i < c->count; i++) {
        double x = sp_runlog_get_test(&c->runs[i].log, NULL, metric->name);
        sp_sheet_number(out, x, metric->decimals);
        bool better = metric->higher_is_better ? x > best : x < best;
        if (!isnan(x) && (isnan(best) || better)) best = x;
    }
    for (size_t i = first; i < out->cell_count; i++)
        out->cells[i].best = out->cells[i].value == best;
    free(title);
}

void sp_comparison_sheet(const sp_comparison *c, sp_sheet *out) {
    char *caption = sp_format("%zu runs, tested on the same %zu examples; settings in which they "
                              "differ, then scores, with the best in bold.",
                              c->count, c->examples);
    sp_sheet_start(out, "compare", "Runs side by side");
    sp_sheet_caption(out, caption);
    sp_sheet_column(out, "", false);
    for (size_t i = 0; i < c->count; i++) sp_sheet_column(out, c->runs[i].title, true);
    sp_sheet_cell(out, "study");
    for (size_t i = 0; i < c->count; i++) sp_sheet_cell(out, text_of(&c->runs[i], "experiment"));
    put_differences(c, out);
    put_attribute(c, "trained parameters", "trainable_parameters", 0, out);
    put_attribute(c, "kept parameters", "kept_parameters", 0, out);
    put_attribute(c, "training, s", "train_seconds", 1, out);
    for (size_t i = 0; i < SP_METRIC_COUNT; i++)
        if (all_have(c, sp_metrics[i]->name)) put_scores(c, sp_metrics[i], out);
    free(caption);
}

void sp_comparison_tests(const sp_comparison *c, sp_sheet *out) {
    char *title = sp_format("%s, every two runs", c->metric->title);
    char *caption =
        sp_format("Difference A less B%s with its 95 %% interval and two-sided p: paired "
                  "bootstrap, %zu resamples of %zu test examples; Holm's correction "
                  "over %zu pairs. One run each: seeds are not in the interval.",
                  c->metric->higher_is_better ? "" : " (lower is better)", c->resamples,
                  c->examples, c->pair_count);
    sp_sheet_start(out, "tests", title);
    sp_sheet_caption(out, caption);
    static const char *const names[] = {"A", "B", "Difference", "from", "to", "p", "p, corrected"};
    for (int i = 0; i < 7; i++) sp_sheet_column(out, names[i], i > 1);
    for (size_t i = 0; i < c->pair_count; i++) {
        const sp_compared_pair *pair = &c->pairs[i];
        sp_sheet_cell(out, c->runs[pair->a].title);
        sp_sheet_cell(out, c->runs[pair->b].title);
        sp_sheet_number(out, pair->difference, c->metric->decimals);
        sp_sheet_number(out, pair->low, c->metric->decimals);
        sp_sheet_number(out, pair->high, c->metric->decimals);
        sp_sheet_number(out, pair->p, 4);
        sp_sheet_number(out, pair->adjusted, 4);
    }
    free(title), free(caption);
}
