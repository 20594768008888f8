#include "report/claim_cells.h"

#include "experiment/subset.h"
#include "report/cost.h"
#include "report/persistence.h"
#include "report/vote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sp_cells_start(const sp_results *results, const char *folder, sp_assets *assets,
                    sp_cells *out) {
    *out = (sp_cells){.results = results, .folder = folder, .assets = assets};
}

static void free_set(sp_test_set *set) {
    sp_split_free(&set->split);
    free(set->dataset), free(set->group);
}

static void free_cell(sp_cell *cell) {
    free(cell->score), free(cell->examples), free(cell->sums), free(cell->texts);
    sp_strings_free(&cell->hypotheses);
}

void sp_cells_free(sp_cells *c) {
    for (size_t i = 0; i < c->set_count; i++) free_set(&c->sets[i]);
    for (size_t i = 0; i < c->count; i++) free_cell(&c->items[i]);
    free(c->sets), free(c->items), free(c->pscp);
    *c = (sp_cells){0};
}

/* ---- test sets ---- */

/* Numbers the groups of the examples in the order of their first sight. */
static void number_groups(sp_test_set *set) {
    size_t *first = sp_alloc(set->split.count, sizeof *first); /* an example of each group */
    set->group = sp_alloc(set->split.count, sizeof *set->group);
    for (size_t i = 0; i < set->split.count; i++) {
        size_t g = 0;
        while (g < set->group_count &&
               strcmp(set->split.items[first[g]].group, set->split.items[i].group) != 0)
            g++;
        if (g == set->group_count) first[set->group_count++] = i;
        set->group[i] = g;
    }
    free(first);
}

static sp_status open_set(sp_cells *c, const char *name, int limit, sp_test_set *out) {
    const sp_dataset *dataset;
    size_t label_count;
    *out = (sp_test_set){.dataset = sp_strdup(name), .limit = limit};
    sp_status st = sp_assets_dataset(c->assets, name, &dataset);
    if (!st) st = sp_dataset_labels(dataset, &out->labels, &label_count);
    if (!st) st = sp_dataset_load(dataset, "test", &out->split);
    if (st) {
        free_set(out);
        return st;
    }
    out->task = !label_count                    ? SP_GENERATION
                : sp_dataset_is_tagged(dataset) ? SP_TAGGING
                                                : SP_CLASSIFICATION;
    out->name = sp_dataset_name(dataset);
    sp_split_keep(&out->split, (size_t)limit, 0);
    number_groups(out);
    return SP_OK;
}

static sp_status find_set(sp_cells *c, const char *dataset, int limit, size_t *out) {
    for (*out = 0; *out < c->set_count; ++*out)
        if (c->sets[*out].limit == limit && strcmp(c->sets[*out].dataset, dataset) == 0)
            return SP_OK;
    sp_test_set opened;
    sp_status st = open_set(c, dataset, limit, &opened);
    if (st) return st;
    c->sets = sp_realloc(c->sets, c->set_count + 1, sizeof *c->sets);
    c->sets[c->set_count++] = opened;
    return SP_OK;
}

/* ---- what a run said ---- */

/* Whether the stored inputs are those of the set. */
static sp_status check_inputs(const sp_run_spec *run, const sp_test_set *set,
                              const sp_strings *inputs, size_t answers) {
    bool same = inputs->len == set->split.count && answers == inputs->len;
    for (size_t i = 0; same && i < inputs->len; i++)
        same = strcmp(inputs->data[i], set->split.items[i].input) == 0;
    if (same) return SP_OK;
    return sp_fail(SP_ERR_DATA, "run %s was tested on other texts than %s has now", run->id,
                   set->dataset);
}

/* The part of a score between "test." and the metric; the caller's. */
static char *group_of(const char *score) {
    const char *start = score + strlen("test."), *dot = strrchr(score, '.');
    return sp_strndup(start, (size_t)(dot - start));
}

/* The set whose group this is: of those that the run was tested on besides its own. */
static const char *transfer_set(const sp_run_spec *run, const char *group) {
    const char *found = group;
    for (size_t i = 0; i < run->transfer_count; i++) {
        char *name = sp_dataset_group(run->transfer[i]);
        if (strcmp(name, group) == 0) found = run->transfer[i];
        free(name);
    }
    return found;
}

/* Finds the test set of a score and reads what the run said to it. A group is either a part of the
 * run's own test set (then *own), or another data set it was tested on. */
static sp_status read_answers(sp_cells *c, size_t index, const char *group, size_t *set, bool *own,
                              sp_strings *answers) {
    const sp_run_spec *run = &c->results->runs->items[index];
    char *path = sp_run_path(run, c->folder), *other = sp_format("/test/%s/predictions", group);
    sp_strings inputs = {0};
    sp_h5 *file = NULL;
    sp_status st = sp_h5_open(path, &file);
    *own = st || !sp_h5_exists(file, other);
    const char *base = *own ? "/test/predictions" : other;
    char *input = sp_format("%s/input", base), *answer = sp_format("%s/hypothesis", base);
    if (!st) st = sp_h5_read_texts(file, input, &inputs);
    if (!st) st = sp_h5_read_texts(file, answer, answers);
    if (!st) st = find_set(c, *own ? run->dataset : transfer_set(run, group), run->test_limit, set);
    if (!st) st = check_inputs(run, &c->sets[*set], &inputs, answers->len);
    sp_h5_close(file);
    sp_strings_free(&inputs);
    free(path), free(other), free(input), free(answer);
    return st;
}

static sp_scored_text scored_text(const sp_test_set *set, const sp_example *e,
                                  const char *hypothesis) {
    if (set->task == SP_CLASSIFICATION)
        return (sp_scored_text){hypothesis, (const char *const *)&set->labels[e->label].name, 1};
    return (sp_scored_text){hypothesis, (const char *const *)e->references.data, e->references.len};
}

/* ---- cells ---- */

/* Fills what the cell has by example, for the examples of the group (all of them unless `own`). */
static sp_status take_apart(const sp_test_set *set, const char *group, bool own, sp_cell *cell) {
    bool all = !own || strcmp(group, "all") == 0;
    cell->examples = sp_alloc(set->split.count, sizeof *cell->examples);
    cell->texts = sp_alloc(set->split.count, sizeof *cell->texts);
    for (size_t i = 0; i < set->split.count; i++) {
        const sp_example *e = &set->split.items[i];
        if (!all && strcmp(e->group, group) != 0) continue;
        cell->texts[cell->count] = scored_text(set, e, cell->hypotheses.data[i]);
        cell->examples[cell->count++] = i;
    }
    if (!cell->count)
        return sp_fail(SP_ERR_DATA, "%s has no test examples of group %s", set->dataset, group);
    if (cell->metric->task != set->task)
        return sp_fail(SP_ERR_DATA, "%s has no %s", set->dataset, cell->score);
    sp_status st = cell->metric->prepare ? cell->metric->prepare() : SP_OK;
    if (st) return st;
    if (!cell->metric->sums) {
        cell->value = cell->metric->score(cell->texts, cell->count);
        return SP_OK;
    }
    cell->sums = sp_alloc(cell->count * cell->metric->sums, sizeof *cell->sums);
    cell->metric->measure(cell->texts, cell->count, cell->sums);
    free(cell->texts);
    cell->texts = NULL;
    sp_strings_free(&cell->hypotheses);
    uint32_t *once = sp_alloc(set->split.count, sizeof *once);
    for (size_t i = 0; i < set->split.count; i++) once[i] = 1;
    cell->value = sp_cell_score(cell, once);
    free(once);
    return SP_OK;
}

static sp_status fill_tested(sp_cells *c, const size_t *runs, size_t count, sp_cell *cell) {
    char *group = group_of(cell->score);
    sp_strings *answers = sp_alloc(count, sizeof *answers);
    bool own = true;
    sp_status st = SP_OK;
    cell->metric = sp_metric_find(strrchr(cell->score, '.') + 1);
    for (size_t i = 0; !st && i < count; i++) {
        size_t set = 0;
        st = read_answers(c, runs[i], group, &set, &own, &answers[i]);
        if (!st && i && set != cell->set)
            st = sp_fail(SP_ERR_DATA, "a vote over runs with different test sets");
        cell->set = set;
    }
    if (!st) sp_vote(answers, count, &cell->hypotheses);
    if (!st) st = take_apart(&c->sets[cell->set], group, own, cell);
    for (size_t i = 0; i < count; i++) sp_strings_free(&answers[i]);
    free(answers), free(group);
    return st;
}

/* Weighed once for all runs, which share the length of the examples. */
static sp_status find_pscp(sp_cells *c, size_t run, double *out) {
    sp_status st = SP_OK;
    if (!c->pscp) {
        c->pscp = sp_alloc(c->results->runs->count, sizeof *c->pscp);
        st = sp_pscp_of_runs(c->results, c->folder, c->pscp);
        if (st) free(c->pscp), c->pscp = NULL;
    }
    if (!st) *out = c->pscp[run];
    return st;
}

static sp_status find_number(sp_cells *c, size_t run, const char *score, double *out) {
    const sp_results *r = c->results;
    if (strcmp(score, "pscp") == 0) return find_pscp(c, run, out);
    if (strcmp(score, "class_words") == 0)
        return sp_class_words_found(&r->runs->items[run], c->folder, c->assets, out);
    *out = sp_claim_score_is_attribute(score) ? sp_runlog_get_number(&r->logs[run], score)
                                              : sp_results_score(r, run, score);
    return SP_OK;
}

static sp_status fill_number(sp_cells *c, size_t run, sp_cell *cell) {
    const sp_results *r = c->results;
    cell->set = SP_NO_SET;
    sp_status st = find_number(c, run, cell->score, &cell->value);
    if (st) return st;
    if (isfinite(cell->value)) return SP_OK;
    return sp_fail(SP_ERR_DATA, "run %s has no %s", r->runs->items[run].id, cell->score);
}

sp_status sp_cells_find(sp_cells *c, const size_t *runs, size_t count, bool vote, const char *score,
                        size_t *out) {
    for (*out = 0; !vote && *out < c->count; ++*out) {
        const sp_cell *cell = &c->items[*out];
        if (!cell->vote && cell->run == runs[0] && strcmp(cell->score, score) == 0) return SP_OK;
    }
    *out = c->count;
    sp_cell cell = {.run = runs[0], .vote = vote, .score = sp_strdup(score)};
    bool tested = strncmp(score, "test.", strlen("test.")) == 0;
    sp_status st = tested ? fill_tested(c, runs, count, &cell) : fill_number(c, runs[0], &cell);
    if (st) {
        free_cell(&cell);
        return st;
    }
    c->items = sp_realloc(c->items, c->count + 1, sizeof *c->items);
    c->items[c->count++] = cell;
    return SP_OK;
}

/* ---- resampled ---- */

static double score_sums(const sp_cell *cell, const uint32_t *counts) {
    double total[SP_METRIC_SUMS] = {0};
    size_t width = cell->metric->sums, texts = 0;
    for (size_t i = 0; i < cell->count; i++) {
        uint32_t times = counts[cell->examples[i]];
        if (!times) continue;
        texts += times;
        for (size_t k = 0; k < width; k++) total[k] += times * cell->sums[i * width + k];
    }
    return cell->metric->combine(total, texts);
}

static double score_texts(const sp_cell *cell, const uint32_t *counts) {
    size_t texts = 0, n = 0;
    for (size_t i = 0; i < cell->count; i++) texts += counts[cell->examples[i]];
    sp_scored_text *drawn = sp_alloc(texts, sizeof *drawn);
    for (size_t i = 0; i < cell->count; i++)
        for (uint32_t k = 0; k < counts[cell->examples[i]]; k++) drawn[n++] = cell->texts[i];
    double score = cell->metric->score(drawn, texts);
    free(drawn);
    return score;
}

double sp_cell_score(const sp_cell *cell, const uint32_t *counts) {
    if (cell->set == SP_NO_SET) return cell->value;
    return cell->sums ? score_sums(cell, counts) : score_texts(cell, counts);
}
