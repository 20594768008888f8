#include "report/claim_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which runs ---- */

static bool read_real(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end;
}

/* Numbers are the same however they are written. */
static bool same_value(const char *a, const char *b) {
    double x, y;
    if (strcmp(a, b) == 0) return true;
    return read_real(a, &x) && read_real(b, &y) && x == y;
}

static bool passes(const sp_results *r, size_t run, const sp_claim_term *term) {
    for (size_t i = 0; i < term->filter_count; i++) {
        const sp_claim_filter *f = &term->filters[i];
        const char *value = sp_results_setting(r, run, f->setting);
        bool found = false;
        for (size_t k = 0; value && k < f->values.len; k++)
            found = found || same_value(value, f->values.data[k]);
        if (!found) return false;
    }
    return true;
}

/* The matching runs [runs->count] of a term, those with the value `at` of the setting `over`. A
 * term whose runs all lack the setting is the same at every value. */
static bool *match(const sp_results *r, const sp_claim_term *term, const char *over,
                   const char *at) {
    bool *matching = sp_alloc(r->runs->count, sizeof *matching), has_setting = false;
    for (size_t i = 0; i < r->runs->count; i++) {
        matching[i] = passes(r, i, term);
        has_setting |= matching[i] && over && sp_results_setting(r, i, over);
    }
    for (size_t i = 0; has_setting && i < r->runs->count; i++) {
        const char *value = sp_results_setting(r, i, over);
        matching[i] = matching[i] && value && same_value(value, at);
    }
    return matching;
}

static void add_row(const sp_row *row, const bool *matching, sp_planned_term *out) {
    sp_claim_row found = {.runs = sp_alloc(row->count, sizeof *found.runs)};
    for (size_t i = row->first; i < row->first + row->count; i++)
        if (matching[i]) found.runs[found.count++] = i;
    if (!found.count) {
        free(found.runs);
        return;
    }
    found.cells = sp_alloc(found.count, sizeof *found.cells);
    found.units = sp_alloc(found.count, sizeof *found.units);
    out->rows = sp_realloc(out->rows, out->row_count + 1, sizeof *out->rows);
    out->rows[out->row_count++] = found;
}

static char *describe_term(const sp_claim_term *term, const char *over, const char *at) {
    sp_buf text = {0};
    for (size_t i = 0; i < term->filter_count; i++) {
        sp_buf_printf(&text, "%s%s=", i ? ", " : "", term->filters[i].setting);
        for (size_t k = 0; k < term->filters[i].values.len; k++)
            sp_buf_printf(&text, "%s%s", k ? "/" : "", term->filters[i].values.data[k]);
    }
    if (over) sp_buf_printf(&text, "%s%s=%s", text.len ? ", " : "", over, at);
    return sp_buf_take(&text);
}

static void plan_point(const sp_results *r, const sp_claim_expr *e, const char *over,
                       const char *at, sp_claim_plan *plan, sp_claim_point *out) {
    *out = (sp_claim_point){.constant = e->constant, .value = at};
    out->terms = sp_alloc(e->term_count, sizeof *out->terms);
    out->term_count = e->term_count;
    for (size_t i = 0; i < e->term_count; i++) {
        sp_planned_term *term = &out->terms[i];
        term->term = &e->terms[i];
        bool *matching = match(r, term->term, over, at);
        for (size_t k = 0; k < r->row_count; k++) add_row(&r->rows[k], matching, term);
        free(matching);
        if (term->row_count || plan->problem) continue;
        char *what = describe_term(term->term, over, at);
        plan->problem = sp_format("this study, as asked for, has no run with %s", what);
        free(what);
    }
}

/* ---- the values along a curve ---- */

typedef struct curve_value {
    const char *text;
    double x;
    size_t first; /* run */
} curve_value;

static int by_x(const void *a, const void *b) {
    const curve_value *u = a, *v = b;
    if (u->x != v->x) return u->x < v->x ? -1 : 1;
    return u->first < v->first ? -1 : u->first > v->first;
}

/* Models stand in the order of their sizes, where runs tell them; numbers in theirs; a data.limit
 * of 0, all there is, last; other texts in the order of the runs. */
static double place_of(const sp_results *r, const char *over, const char *text, size_t run) {
    double x;
    if (strcmp(over, "model") == 0) {
        x = sp_runlog_get_number(&r->logs[run], "total_parameters");
        return isfinite(x) ? x : 0;
    }
    if (!read_real(text, &x) || !isfinite(x)) return 0;
    return strcmp(over, "data.limit") == 0 && x == 0 ? INFINITY : x;
}

static void add_value(const sp_results *r, const char *over, size_t run, curve_value **values,
                      size_t *count) {
    const char *text = sp_results_setting(r, run, over);
    if (!text) return;
    double x = place_of(r, over, text, run);
    for (size_t i = 0; i < *count; i++)
        if (same_value((*values)[i].text, text)) {
            (*values)[i].x = fmax((*values)[i].x, x);
            return;
        }
    *values = sp_realloc(*values, *count + 1, sizeof **values);
    (*values)[(*count)++] = (curve_value){text, x, run};
}

static void plan_curve(const sp_results *r, const sp_claim_test *test, sp_claim_plan *out) {
    curve_value *values = NULL;
    size_t count = 0;
    for (size_t i = 0; i < r->runs->count; i++)
        for (size_t k = 0; k < test->left.term_count; k++)
            if (passes(r, i, &test->left.terms[k])) add_value(r, test->over, i, &values, &count);
    if (count) qsort(values, count, sizeof *values, by_x);
    out->points = sp_alloc(count, sizeof *out->points);
    out->point_count = count;
    for (size_t i = 0; i < count; i++)
        plan_point(r, &test->left, test->over, values[i].text, out, &out->points[i]);
    free(values);
}

/* ---- runs and units of all points ---- */

static void list_runs(const sp_results *r, sp_claim_plan *plan) {
    bool *used = sp_alloc(r->runs->count, sizeof *used);
    plan->runs = sp_alloc(r->runs->count, sizeof *plan->runs);
    for (size_t p = 0; p < plan->point_count; p++)
        for (size_t t = 0; t < plan->points[p].term_count; t++) {
            const sp_planned_term *term = &plan->points[p].terms[t];
            for (size_t k = 0; k < term->row_count; k++)
                for (size_t i = 0; i < term->rows[k].count; i++) used[term->rows[k].runs[i]] = true;
        }
    for (size_t i = 0; i < r->runs->count; i++) {
        if (!used[i]) continue;
        plan->runs[plan->run_count++] = i;
        plan->finished += r->states[i] == SP_RUN_FINISHED;
        plan->failed += r->states[i] == SP_RUN_FAILED;
    }
    free(used);
}

/* The distinct values of a run's number; the place of `value`, which is added if it is new. */
static size_t place_in(sp_ints *values, int value) {
    for (size_t i = 0; i < values->len; i++)
        if (values->data[i] == value) return i;
    sp_ints_push(values, value);
    return values->len - 1;
}

static void number_row(const sp_results *r, const sp_claim_plan *plan, sp_ints *units,
                       sp_claim_row *row) {
    size_t *often = sp_alloc(plan->unit_count, sizeof *often);
    for (size_t i = 0; i < row->count; i++) {
        const sp_run_spec *run = &r->runs->items[row->runs[i]];
        row->units[i] = place_in(units, plan->by_subsample ? run->subsample : run->seed);
        often[row->units[i]]++;
    }
    row->complete = true;
    for (size_t u = 1; u < plan->unit_count; u++) row->complete &= often[u] == often[0];
    free(often);
}

static void number_units(const sp_results *r, sp_claim_plan *plan) {
    sp_ints seeds = {0}, subsamples = {0};
    for (size_t i = 0; i < plan->run_count; i++) {
        place_in(&seeds, r->runs->items[plan->runs[i]].seed);
        place_in(&subsamples, r->runs->items[plan->runs[i]].subsample);
    }
    plan->seed_count = seeds.len, plan->subsample_count = subsamples.len;
    plan->by_subsample = subsamples.len > 1;
    sp_ints *units = plan->by_subsample ? &subsamples : &seeds;
    plan->unit_count = units->len;
    for (size_t p = 0; p < plan->point_count; p++)
        for (size_t t = 0; t < plan->points[p].term_count; t++) {
            sp_planned_term *term = &plan->points[p].terms[t];
            for (size_t k = 0; k < term->row_count; k++) number_row(r, plan, units, &term->rows[k]);
        }
    sp_ints_free(&seeds), sp_ints_free(&subsamples);
}

void sp_claim_plan_make(const sp_results *r, const sp_claim_test *test, sp_claim_plan *out) {
    *out = (sp_claim_plan){0};
    if (sp_claim_is_curve(test)) {
        plan_curve(r, test, out);
    } else {
        out->points = sp_alloc(2, sizeof *out->points);
        out->point_count = 2;
        plan_point(r, &test->left, NULL, NULL, out, &out->points[0]);
        plan_point(r, &test->right, NULL, NULL, out, &out->points[1]);
    }
    list_runs(r, out);
    number_units(r, out);
    if (!out->problem && !out->run_count) out->problem = sp_strdup("this study has no such runs");
}

void sp_claim_plan_free(sp_claim_plan *plan) {
    for (size_t p = 0; p < plan->point_count; p++) {
        sp_claim_point *point = &plan->points[p];
        for (size_t t = 0; t < point->term_count; t++) {
            for (size_t k = 0; k < point->terms[t].row_count; k++) {
                sp_claim_row *row = &point->terms[t].rows[k];
                free(row->runs), free(row->cells), free(row->units);
            }
            free(point->terms[t].rows);
        }
        free(point->terms);
    }
    free(plan->points), free(plan->runs), free(plan->problem);
    *plan = (sp_claim_plan){0};
}

/* ---- cells ---- */

/* Of the cells of a row's runs, that of the run with the best score comes first. */
static void put_best_first(const sp_cells *cells, const char *score, sp_claim_row *row) {
    bool lower = sp_lower_is_better(score) || strcmp(score, "train_seconds") == 0;
    for (size_t i = 1; i < row->count; i++) {
        double x = cells->items[row->cells[i]].value, y = cells->items[row->cells[0]].value;
        if (lower ? x < y : x > y) row->cells[0] = row->cells[i];
    }
}

static sp_status fill_row(sp_cells *cells, const sp_claim_term *term, sp_claim_row *row) {
    if (term->statistic == SP_CLAIM_VOTE)
        return sp_cells_find(cells, row->runs, row->count, true, term->score, row->cells);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < row->count; i++)
        st = sp_cells_find(cells, &row->runs[i], 1, false, term->score, &row->cells[i]);
    if (!st && term->statistic == SP_CLAIM_BEST) put_best_first(cells, term->score, row);
    return st;
}

sp_status sp_claim_plan_fill(sp_claim_plan *plan, sp_cells *cells) {
    sp_status st = SP_OK;
    for (size_t p = 0; p < plan->point_count; p++)
        for (size_t t = 0; t < plan->points[p].term_count; t++) {
            sp_planned_term *term = &plan->points[p].terms[t];
            for (size_t k = 0; !st && k < term->row_count; k++)
                st = fill_row(cells, term->term, &term->rows[k]);
        }
    return st;
}

/* ---- values ---- */

static double weigh(const sp_claim_row *row, const double *values, const double *weights) {
    double sum = 0;
    for (size_t i = 0; i < row->count; i++) {
        bool drawn = weights && row->complete;
        sum += (drawn ? weights[row->units[i]] : 1) * values[row->cells[i]];
    }
    return sum;
}

/* The standard deviation over the runs. Of n that are drawn from n the variance is (n - 1) / n of
 * what it should be on average, which is made good. */
static double spread_of(const sp_claim_row *row, const double *values, const double *times) {
    double n = (double)row->count, squares = 0;
    if (row->count < 2) return 0;
    if (!row->complete) times = NULL;
    double mean = weigh(row, values, times) / n;
    for (size_t i = 0; i < row->count; i++) {
        double away = values[row->cells[i]] - mean;
        squares += (times ? times[row->units[i]] : 1) * away * away;
    }
    return sqrt(squares / (n - 1) * (times ? n / (n - 1) : 1));
}

static double term_value(const sp_planned_term *t, const double *values, const sp_unit_draw *draw) {
    double sum = 0, runs = 0;
    for (size_t k = 0; k < t->row_count; k++) {
        const sp_claim_row *row = &t->rows[k];
        switch (t->term->statistic) {
        case SP_CLAIM_MEAN:
            sum += weigh(row, values, draw ? draw->weights : NULL), runs += (double)row->count;
            break;
        case SP_CLAIM_SPREAD:
            sum += spread_of(row, values, draw ? draw->times : NULL), runs += 1;
            break;
        case SP_CLAIM_VOTE:
        case SP_CLAIM_BEST:
            sum += values[row->cells[0]], runs += 1;
            break;
        }
    }
    return t->term->weight * sum / runs;
}

double sp_claim_point_value(const sp_claim_point *point, const double *values,
                            const sp_unit_draw *draw) {
    double sum = point->constant;
    for (size_t i = 0; i < point->term_count; i++)
        sum += term_value(&point->terms[i], values, draw);
    return sum;
}
