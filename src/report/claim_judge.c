#include "report/claim_judge.h"

#include "core/random.h"
#include "report/claim_plan.h"
#include "report/claim_statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_SEEDS = 5 };
static const double LEVEL = 0.05;

const char *const sp_verdict_names[] = {"holds", "fails", "undecided", "not testable here"};

/* How seeds enter: as Student's t, drawn n of n (a spread has no weights), or as they are. */
typedef enum seed_mode { SEEDS_WEIGHTED, SEEDS_DRAWN, SEEDS_FIXED } seed_mode;

typedef struct judging {
    const sp_claim_test *test;
    sp_claim_plan plan;
    const sp_cells *cells;
    bool *needed;      /* [cells->count] */
    uint32_t **counts; /* [set_count][examples]: how often each is drawn; NULL: set not used */
    size_t **members;  /* [set_count][examples]: places by group */
    size_t **starts;   /* [set_count][groups + 1] into members */
    double *values;    /* [cells->count] */
    double *weights, *times; /* [units] */
    seed_mode mode;
    size_t resamples;
} judging;

/* ---- what is there to resample ---- */

typedef void visit(judging *j, const sp_planned_term *term, const sp_claim_row *row);

static void each_row(judging *j, visit *see) {
    for (size_t p = 0; p < j->plan.point_count; p++)
        for (size_t t = 0; t < j->plan.points[p].term_count; t++) {
            const sp_planned_term *term = &j->plan.points[p].terms[t];
            for (size_t k = 0; k < term->row_count; k++) see(j, term, &term->rows[k]);
        }
}

static void need_cells(judging *j, const sp_planned_term *term, const sp_claim_row *row) {
    bool one = term->term->statistic == SP_CLAIM_VOTE || term->term->statistic == SP_CLAIM_BEST;
    for (size_t i = 0; i < (one ? 1 : row->count); i++) {
        const sp_cell *cell = &j->cells->items[row->cells[i]];
        j->needed[row->cells[i]] = true;
        if (cell->texts) j->resamples = SP_FEW_RESAMPLES;
    }
}

static void choose_mode(judging *j, const sp_planned_term *term, const sp_claim_row *row) {
    (void)row;
    sp_claim_statistic s = term->term->statistic;
    if (s == SP_CLAIM_VOTE || s == SP_CLAIM_BEST) j->mode = SEEDS_FIXED;
    if (s == SP_CLAIM_SPREAD && j->mode == SEEDS_WEIGHTED) j->mode = SEEDS_DRAWN;
}

/* The examples of a set, group by group. */
static void sort_members(judging *j, size_t index) {
    const sp_test_set *set = &j->cells->sets[index];
    size_t n = 0;
    j->counts[index] = sp_alloc(set->split.count, sizeof **j->counts);
    j->members[index] = sp_alloc(set->split.count, sizeof **j->members);
    j->starts[index] = sp_alloc(set->group_count + 1, sizeof **j->starts);
    for (size_t g = 0; g < set->group_count; g++) {
        j->starts[index][g] = n;
        for (size_t i = 0; i < set->split.count; i++)
            if (set->group[i] == g) j->members[index][n++] = i;
    }
    j->starts[index][set->group_count] = n;
}

static void start(judging *j) {
    size_t sets = j->cells->set_count;
    j->resamples = SP_RESAMPLES;
    j->needed = sp_alloc(j->cells->count, sizeof *j->needed);
    j->values = sp_alloc(j->cells->count, sizeof *j->values);
    j->counts = sp_alloc(sets, sizeof *j->counts);
    j->members = sp_alloc(sets, sizeof *j->members);
    j->starts = sp_alloc(sets, sizeof *j->starts);
    j->weights = sp_alloc(j->plan.unit_count, sizeof *j->weights);
    j->times = sp_alloc(j->plan.unit_count, sizeof *j->times);
    each_row(j, need_cells);
    each_row(j, choose_mode);
    for (size_t i = 0; i < j->cells->count; i++) {
        size_t set = j->cells->items[i].set;
        if (j->needed[i] && set != SP_NO_SET && !j->counts[set]) sort_members(j, set);
    }
}

static void finish(judging *j) {
    for (size_t s = 0; s < j->cells->set_count; s++)
        free(j->counts[s]), free(j->members[s]), free(j->starts[s]);
    free(j->counts), free(j->members), free(j->starts);
    free(j->needed), free(j->values), free(j->weights), free(j->times);
}

/* ---- replicates ---- */

/* As many examples of each group as there are, with replacement. */
static void draw_examples(judging *j, sp_rng *rng /* [sets] */) {
    for (size_t s = 0; s < j->cells->set_count; s++) {
        const sp_test_set *set = &j->cells->sets[s];
        if (!j->counts[s]) continue;
        memset(j->counts[s], 0, set->split.count * sizeof **j->counts);
        for (size_t g = 0; g < set->group_count; g++) {
            size_t first = j->starts[s][g], n = j->starts[s][g + 1] - first;
            for (size_t i = 0; i < n; i++)
                j->counts[s][j->members[s][first + sp_rng_below(&rng[s], (uint32_t)n)]]++;
        }
    }
}

/* Weights with which the mean of n seeds varies as Student's t with n - 1 degrees of freedom says:
 * normal deviates, centred, over the root of a chi-square's mean. */
static void weigh_units(judging *j, sp_rng *rng) {
    size_t n = j->plan.unit_count;
    double mean = 0, chi_square = 0;
    for (size_t u = 0; u < n; u++) {
        j->weights[u] = sp_rng_normal(rng);
        mean += j->weights[u] / (double)n;
    }
    for (size_t u = 1; u < n; u++) {
        double x = sp_rng_normal(rng);
        chi_square += x * x;
    }
    double scale = sqrt((double)n / fmax(chi_square, 1e-12));
    for (size_t u = 0; u < n; u++) j->weights[u] = 1 + scale * (j->weights[u] - mean);
}

static void draw_units(judging *j, sp_rng *rng) {
    size_t n = j->plan.unit_count;
    for (size_t u = 0; u < n; u++) j->weights[u] = j->times[u] = 1;
    if (n < 2 || j->mode == SEEDS_FIXED) return;
    if (j->mode == SEEDS_WEIGHTED) {
        weigh_units(j, rng);
        return;
    }
    for (size_t u = 0; u < n; u++) j->times[u] = 0;
    for (size_t u = 0; u < n; u++) j->times[sp_rng_below(rng, (uint32_t)n)] += 1;
    memcpy(j->weights, j->times, n * sizeof *j->weights);
}

static void evaluate(const judging *j, const sp_unit_draw *draw, double *y) {
    for (size_t p = 0; p < j->plan.point_count; p++)
        y[p] = sp_claim_point_value(&j->plan.points[p], j->values, draw);
}

/* What the seeds' weights add to each point y [points]: of the scores on the test set as it is, not
 * of the resampled ones, so that chance in the examples does not count once more. */
static void add_seeds(judging *j, const sp_unit_draw *draw, const double *y, double *replicate) {
    for (size_t i = 0; i < j->cells->count; i++) j->values[i] = j->cells->items[i].value;
    for (size_t p = 0; p < j->plan.point_count; p++)
        replicate[p] += sp_claim_point_value(&j->plan.points[p], j->values, draw) - y[p];
}

/* Fills replicates [resamples, points]; y [points] is the estimate.
 * The streams are the same for all claims: a board can be made again, and claims over the same test
 * set see the same resamples. */
static void replicate_all(judging *j, const double *y, double *replicates) {
    sp_rng units = sp_rng_make(1, "claims: seeds");
    sp_rng *examples = sp_alloc(j->cells->set_count, sizeof *examples);
    for (size_t s = 0; s < j->cells->set_count; s++)
        examples[s] = sp_rng_make(1, j->cells->sets[s].name);
    sp_unit_draw draw = {j->weights, j->times};
    for (size_t b = 0; b < j->resamples; b++) {
        draw_examples(j, examples);
        draw_units(j, &units);
        for (size_t i = 0; i < j->cells->count; i++) {
            const sp_cell *cell = &j->cells->items[i];
            if (j->needed[i])
                j->values[i] =
                    sp_cell_score(cell, cell->set == SP_NO_SET ? NULL : j->counts[cell->set]);
        }
        double *replicate = replicates + b * j->plan.point_count;
        evaluate(j, j->mode == SEEDS_WEIGHTED ? NULL : &draw, replicate);
        if (j->mode == SEEDS_WEIGHTED) add_seeds(j, &draw, y, replicate);
    }
    free(examples);
}

/* ---- what comes out ---- */

/* Decimals of numbers of this size. */
static int decimals_for(double size) {
    return size >= 1000 ? 0 : size >= 10 ? 1 : 2;
}

static char *here_text(const judging *j, const double *y, double size) {
    static const char *const signs[] = {" > ", " < ", " = "};
    sp_buf text = {0};
    int decimals = decimals_for(size);
    size_t points = j->plan.point_count;
    for (size_t i = 0; i < points; i++) {
        const char *between = sp_claim_is_curve(j->test) ? " \xe2\x86\x92 "
                                                         : signs[y[0] > y[1]   ? 0
                                                                 : y[0] < y[1] ? 1
                                                                               : 2];
        sp_buf_printf(&text, "%s%.*f", i ? between : "", decimals, y[i]);
    }
    return sp_buf_take(&text);
}

static bool is_in_points(const sp_cell *cell) {
    static const char *const others[] = {"nist",          "cider", "loss", "trainable_parameters",
                                         "train_seconds", NULL};
    const char *dot = strrchr(cell->score, '.'), *name = dot ? dot + 1 : cell->score;
    for (int i = 0; others[i]; i++)
        if (strcmp(others[i], name) == 0) return false;
    return true;
}

static void describe_sample(const judging *j, sp_judgement *out) {
    out->in_points = true;
    for (size_t i = 0; i < j->cells->count; i++) {
        const sp_cell *cell = &j->cells->items[i];
        if (!j->needed[i]) continue;
        if (cell->count > out->examples) out->examples = cell->count;
        out->in_points &= is_in_points(cell);
    }
    out->seeds = j->plan.seed_count;
    out->subsamples = j->plan.by_subsample ? j->plan.subsample_count : 0;
    out->runs = j->plan.run_count;
    out->resamples = j->resamples;
}

/* Whether a replicate can differ from the estimate, or the numbers are the same in every run. */
static bool can_vary(const judging *j) {
    bool counted = true;
    for (size_t i = 0; i < j->cells->count; i++) {
        if (!j->needed[i]) continue;
        if (j->cells->items[i].set != SP_NO_SET) return true;
        counted &= strcmp(j->cells->items[i].score, "trainable_parameters") == 0;
    }
    return counted || j->plan.unit_count > 1;
}

static void note_sample(const judging *j, const sp_claim_effect *e, sp_judgement *out) {
    sp_buf note = {0};
    const char *units = j->plan.by_subsample ? "subsamples" : "seeds";
    if (!can_vary(j))
        sp_buf_puts(&note, "one seed and no test examples, so no interval");
    else if (j->mode == SEEDS_FIXED && j->plan.unit_count > 1)
        sp_buf_puts(&note, "for these seeds: the interval holds test examples only");
    else if (j->plan.unit_count > 1 && j->plan.unit_count < FEW_SEEDS)
        sp_buf_printf(&note, "only %zu %s", j->plan.unit_count, units);
    const char *more[] = {e->against, e->lacking};
    for (int i = 0; i < 2; i++)
        if (*more[i]) sp_buf_printf(&note, "%s%s", note.len ? "; " : "", more[i]);
    free(out->note);
    out->note = note.len ? sp_buf_take(&note) : sp_strdup("");
}

static void measure(judging *j, sp_judgement *out, sp_claim_effect *effect) {
    size_t points = j->plan.point_count;
    start(j);
    double *y = sp_alloc(points, sizeof *y);
    double *replicates = sp_alloc(j->resamples * points, sizeof *replicates);
    for (size_t i = 0; i < j->cells->count; i++) j->values[i] = j->cells->items[i].value;
    evaluate(j, NULL, y);
    replicate_all(j, y, replicates);
    sp_claim_values values = {y, replicates, points, j->resamples};
    sp_claim_measure(j->test->form, &values, effect);
    if (!can_vary(j)) effect->low = effect->high = NAN, effect->p = 1;
    for (size_t i = 0; i < points; i++) out->size = fmax(out->size, fabs(y[i]));
    out->effect = effect->effect, out->low = effect->low, out->high = effect->high;
    out->p = out->adjusted = effect->p;
    free(out->here);
    out->here = here_text(j, y, out->size);
    describe_sample(j, out);
    note_sample(j, effect, out);
    free(y), free(replicates);
    finish(j);
}

/* ---- why a claim is not testable ---- */

/* A row that is too short for its statistic, or a curve with too few points; the caller's. */
static char *find_shortage(const judging *j) {
    size_t needed = sp_claim_points_needed(j->test->form);
    if (j->plan.point_count < needed)
        return sp_format("the curve needs %zu values of %s, and there are %zu", needed,
                         j->test->over ? j->test->over : "it", j->plan.point_count);
    for (size_t p = 0; p < j->plan.point_count; p++)
        for (size_t t = 0; t < j->plan.points[p].term_count; t++) {
            const sp_planned_term *term = &j->plan.points[p].terms[t];
            bool many =
                term->term->statistic == SP_CLAIM_SPREAD || term->term->statistic == SP_CLAIM_VOTE;
            for (size_t k = 0; many && k < term->row_count; k++)
                if (term->rows[k].count < 2)
                    return sp_strdup("it needs several seeds, and there is one");
        }
    return NULL;
}

static char *find_problem(const sp_results *r, const judging *j) {
    const sp_claim_plan *plan = &j->plan;
    if (plan->problem) return sp_strdup(plan->problem);
    size_t missing = plan->run_count - plan->finished - plan->failed;
    if (!missing && !plan->failed) return find_shortage(j);
    sp_buf text = {0};
    if (missing) sp_buf_printf(&text, "%zu of %zu runs missing", missing, plan->run_count);
    if (plan->failed)
        sp_buf_printf(&text, "%s%zu of %zu runs failed", missing ? ", " : "", plan->failed,
                      plan->run_count);
    sp_buf_printf(&text, "; softprompt run %s", r->spec->path);
    if (r->spec->preset) sp_buf_printf(&text, " --preset %s", r->spec->preset);
    return sp_buf_take(&text);
}

static void set_aside(sp_judgement *out, const char *reason) {
    out->verdict = SP_NOT_TESTABLE;
    free(out->reason);
    out->reason = sp_strdup(reason);
}

/* A run file or a test set that does not fit is the claim's trouble, not the command's. */
static sp_status judge(const sp_results *r, const sp_claim *claim, sp_cells *cells,
                       sp_judgement *out, sp_claim_effect *effect) {
    judging j = {.test = &claim->test, .cells = cells};
    *effect = (sp_claim_effect){.against = "", .lacking = ""};
    if (claim->not_testable) {
        set_aside(out, claim->not_testable);
        return SP_OK;
    }
    sp_claim_plan_make(r, &claim->test, &j.plan);
    char *problem = find_problem(r, &j);
    sp_status st = problem ? SP_OK : sp_claim_plan_fill(&j.plan, cells);
    if (problem || st == SP_ERR_DATA)
        set_aside(out, problem ? problem : sp_error());
    else if (!st)
        measure(&j, out, effect);
    free(problem);
    sp_claim_plan_free(&j.plan);
    return st == SP_ERR_DATA ? SP_OK : st;
}

/* ---- a study ---- */

static const char *copy(const char *text) {
    return sp_strdup(text ? text : "");
}

static void start_judgement(const sp_spec *spec, const sp_claim *claim, sp_judgement *out) {
    *out = (sp_judgement){.study = sp_strdup(spec->folder),
                          .claim = {.id = copy(claim->id),
                                    .text = copy(claim->text),
                                    .source = copy(claim->source),
                                    .paper = copy(claim->paper)},
                          .reason = sp_strdup(""),
                          .here = sp_strdup(""),
                          .note = sp_strdup(""),
                          .effect = NAN,
                          .low = NAN,
                          .high = NAN,
                          .p = NAN,
                          .adjusted = NAN,
                          .direction = sp_claim_direction(claim->test.form)};
}

/* Whether there is a p-value that chance has a part in. */
static bool was_tested(const sp_judgement *j) {
    return !isnan(j->p) && !isnan(j->low);
}

/* Holm's correction over the claims that were tested. */
static void correct(sp_judgement *all, size_t count) {
    double *p = sp_alloc(count, sizeof *p);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (was_tested(&all[i])) p[n++] = all[i].p;
    sp_holm(p, n);
    n = 0;
    for (size_t i = 0; i < count; i++)
        if (was_tested(&all[i])) all[i].adjusted = p[n++];
    free(p);
}

static sp_verdict decide(const sp_judgement *j, const sp_claim_effect *e) {
    if (!(j->adjusted < LEVEL)) return SP_UNDECIDED;
    if (j->effect * j->direction <= 0 || *e->against) return SP_FAILS;
    return *e->lacking ? SP_UNDECIDED : SP_HOLDS;
}

sp_status sp_claims_judge(const sp_results *r, const char *folder, sp_assets *assets,
                          sp_judgement **out, size_t *count) {
    const sp_spec *spec = r->spec;
    sp_cells cells;
    sp_status st = SP_OK;
    sp_cells_start(r, folder, assets, &cells);
    sp_claim_effect *effects = sp_alloc(spec->claim_count, sizeof *effects);
    *out = sp_alloc(spec->claim_count, sizeof **out);
    *count = spec->claim_count;
    for (size_t i = 0; i < *count; i++) start_judgement(spec, &spec->claims[i], &(*out)[i]);
    for (size_t i = 0; !st && i < *count; i++)
        st = judge(r, &spec->claims[i], &cells, &(*out)[i], &effects[i]);
    if (!st) correct(*out, *count);
    for (size_t i = 0; !st && i < *count; i++)
        if ((*out)[i].verdict != SP_NOT_TESTABLE)
            (*out)[i].verdict = decide(&(*out)[i], &effects[i]);
    free(effects);
    sp_cells_free(&cells);
    if (!st) return SP_OK;
    sp_judgements_free(*out, *count);
    *out = NULL, *count = 0;
    return st;
}

sp_status sp_claims_settle(sp_status st, const sp_spec *spec, sp_judgement **out, size_t *count) {
    if (st != SP_ERR_MISSING && st != SP_ERR_DATA) return st;
    *out = sp_alloc(spec->claim_count, sizeof **out);
    *count = spec->claim_count;
    for (size_t i = 0; i < *count; i++) {
        const char *given = spec->claims[i].not_testable;
        start_judgement(spec, &spec->claims[i], &(*out)[i]);
        set_aside(&(*out)[i], given ? given : sp_error());
    }
    return SP_OK;
}

void sp_judgements_free(sp_judgement *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sp_judgement *j = &all[i];
        const char *const texts[] = {j->claim.id, j->claim.text, j->claim.source, j->claim.paper};
        for (int k = 0; k < 4; k++) free((char *)(uintptr_t)texts[k]);
        free(j->study), free(j->reason), free(j->here), free(j->note);
    }
    free(all);
}
