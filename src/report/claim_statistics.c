#include "report/claim_statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* At the end of a curve that is flat, a change of up to this share of the rise is none. */
static const double FLAT = 0.1;
static const double LEVEL = 0.05;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The q-quantile (0 to 1) of sorted values [count], linear between two of them. */
static double quantile(const double *sorted, size_t count, double q) {
    double place = q * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Holm (1979): the k-th smallest of n counts n - k + 1 times, and never less than the ones before.
 */
void sp_holm(double *p, size_t count) {
    double **order = sp_alloc(count, sizeof *order), highest = 0;
    for (size_t i = 0; i < count; i++) order[i] = &p[i];
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && *order[k] < *order[k - 1]; k--) {
            double *other = order[k];
            order[k] = order[k - 1], order[k - 1] = other;
        }
    double *adjusted = sp_alloc(count, sizeof *adjusted);
    for (size_t i = 0; i < count; i++) {
        highest = fmax(highest, fmin(1, (double)(count - i) * *order[i]));
        adjusted[order[i] - p] = highest;
    }
    if (count) memcpy(p, adjusted, count * sizeof *p);
    free(adjusted), free(order);
}

size_t sp_claim_points_needed(sp_claim_form form) {
    return form == SP_CLAIM_RISES_THEN_FALLS || form == SP_CLAIM_RISES_THEN_FLAT ? 3 : 2;
}

int sp_claim_direction(sp_claim_form form) {
    return form == SP_CLAIM_LESS || form == SP_CLAIM_FALLS || form == SP_CLAIM_SHRINKS ? -1 : 1;
}

/* ---- contrasts ---- */

/* A number made of the points [points], of the estimate or of a replicate. */
typedef double contrast(const double *y, size_t points, const void *settings);

static const double *replicate(const sp_claim_values *v, size_t b) {
    return v->replicates + b * v->points;
}

/* Share of replicates on the other side of 0, both sides, with the estimate counted as one. */
static double two_sided(const double *values, size_t count) {
    size_t below = 0, above = 0;
    for (size_t b = 0; b < count; b++) below += values[b] <= 0, above += values[b] >= 0;
    size_t fewer = below < above ? below : above;
    return fmin(1, 2 * (double)(fewer + 1) / (double)(count + 1));
}

static void measure(const sp_claim_values *v, contrast *c, const void *settings,
                    sp_claim_effect *out) {
    double *all = sp_alloc(v->replicate_count, sizeof *all);
    for (size_t b = 0; b < v->replicate_count; b++)
        all[b] = c(replicate(v, b), v->points, settings);
    out->effect = c(v->y, v->points, settings);
    out->p = two_sided(all, v->replicate_count);
    qsort(all, v->replicate_count, sizeof *all, by_value);
    out->low = quantile(all, v->replicate_count, 0.025);
    out->high = quantile(all, v->replicate_count, 0.975);
    free(all);
}

/* y[to] - y[from] + shift */
typedef struct step {
    size_t from, to;
    double shift;
} step;

static double step_of(const double *y, size_t points, const void *settings) {
    (void)points;
    const step *s = settings;
    return y[s->to] - y[s->from] + s->shift;
}

static double point_of(const double *y, size_t points, const void *settings) {
    (void)points;
    return y[*(const size_t *)settings];
}

/* The change from the first to the last point along the least-squares line over the ranks. */
static double fitted_change(const double *y, size_t points, const void *settings) {
    (void)settings;
    double middle = (double)(points - 1) / 2, up = 0, across = 0;
    for (size_t i = 0; i < points; i++) {
        double x = (double)i - middle;
        up += x * y[i], across += x * x;
    }
    return up / across * (double)(points - 1);
}

static double smaller_flank(const double *y, size_t points, const void *settings) {
    size_t peak = *(const size_t *)settings;
    return fmin(y[peak] - y[0], y[peak] - y[points - 1]);
}

/* Whether a step is negative, beyond chance for one of `tries` looks. */
static bool is_down(const sp_claim_values *v, step s, size_t tries) {
    sp_claim_effect e;
    measure(v, step_of, &s, &e);
    return e.effect < 0 && e.p * (double)tries < LEVEL;
}

/* ---- monotone curves ---- */

static void negate(double *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = -values[i];
}

static void measure_rise(const sp_claim_values *v, sp_claim_effect *out) {
    measure(v, fitted_change, NULL, out);
    for (size_t i = 1; i < v->points; i++)
        if (is_down(v, (step){i - 1, i, 0}, v->points - 1)) out->against = "a step goes back";
}

static void measure_fall(const sp_claim_values *v, sp_claim_effect *out) {
    size_t all = v->points * v->replicate_count;
    double *y = sp_alloc(v->points, sizeof *y), *replicates = sp_alloc(all, sizeof *replicates);
    memcpy(y, v->y, v->points * sizeof *y);
    memcpy(replicates, v->replicates, all * sizeof *replicates);
    negate(y, v->points), negate(replicates, all);
    sp_claim_values down = *v;
    down.y = y, down.replicates = replicates;
    measure_rise(&down, out);
    double low = out->low;
    out->effect = -out->effect, out->low = -out->high, out->high = -low;
    free(y), free(replicates);
}

static void measure_shrinking(const sp_claim_values *v, sp_claim_effect *out) {
    measure(v, fitted_change, NULL, out);
    sp_claim_effect first;
    measure(v, point_of, &(size_t){0}, &first);
    double last = v->y[v->points - 1];
    if (first.effect <= 0 || first.p >= LEVEL)
        out->lacking = "there is no clear gap at the start";
    else if (last >= first.effect)
        out->lacking = "the last gap is not below the first";
    else if (last <= -first.effect)
        out->lacking = "the last gap is as wide, the other way round";
}

/* ---- curves with a peak ---- */

/* How far the points [first, end) stand above both ends (or the start alone), of which the largest
 * counts: looking for the peak is part of the test. */
static double height(const double *y, size_t i, size_t last, bool both) {
    return both ? fmin(y[i] - y[0], y[i] - y[last]) : y[i] - y[0];
}

static size_t find_peak(const double *y, size_t points, bool both) {
    size_t end = both ? points - 1 : points, peak = 1;
    for (size_t i = 1; i < end; i++)
        if (height(y, i, points - 1, both) > height(y, peak, points - 1, both)) peak = i;
    return peak;
}

/* How often the largest height above chance alone, of replicates around the estimate, reaches the
 * one observed; twice, for two sides. `from` is the end that the peak is compared with. */
static double peak_p(const sp_claim_values *v, size_t from, size_t end, double observed) {
    size_t reached = 0;
    for (size_t b = 0; b < v->replicate_count; b++) {
        const double *y = replicate(v, b);
        double largest = -INFINITY;
        for (size_t i = 1; i < end; i++)
            largest = fmax(largest, y[i] - y[from] - (v->y[i] - v->y[from]));
        reached += largest >= observed;
    }
    return fmin(1, 2 * (double)(reached + 1) / (double)(v->replicate_count + 1));
}

static void measure_flat_end(const sp_claim_values *v, sp_claim_effect *out) {
    size_t last = v->points - 1, peak = find_peak(v->y, v->points, false);
    measure(v, step_of, &(step){0, peak, 0}, out);
    if (out->effect <= 0) return;
    out->p = peak_p(v, 0, v->points, out->effect);
    double margin = FLAT * out->effect;
    if (peak < last && is_down(v, (step){peak, last, margin}, 1))
        out->against = "the end is clearly below the best point";
    else if (peak == last && is_down(v, (step){last, last - 1, margin}, 1))
        out->against = "the end still rises";
}

static void measure_peak(const sp_claim_values *v, sp_claim_effect *out) {
    size_t last = v->points - 1, peak = find_peak(v->y, v->points, true);
    measure(v, smaller_flank, &peak, out);
    if (out->effect <= 0) return;
    out->p = fmax(peak_p(v, 0, last, v->y[peak] - v->y[0]),
                  peak_p(v, last, last, v->y[peak] - v->y[last]));
}

void sp_claim_measure(sp_claim_form form, const sp_claim_values *v, sp_claim_effect *out) {
    *out = (sp_claim_effect){.against = "", .lacking = ""};
    switch (form) {
    case SP_CLAIM_MORE:
    case SP_CLAIM_LESS:
        measure(v, step_of, &(step){1, 0, 0}, out);
        return;
    case SP_CLAIM_RISES:
        measure_rise(v, out);
        return;
    case SP_CLAIM_FALLS:
        measure_fall(v, out);
        return;
    case SP_CLAIM_SHRINKS:
        measure_shrinking(v, out);
        return;
    case SP_CLAIM_RISES_THEN_FLAT:
        measure_flat_end(v, out);
        return;
    case SP_CLAIM_RISES_THEN_FALLS:
        measure_peak(v, out);
        return;
    }
}
