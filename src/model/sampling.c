#include "model/decoding.h"

#include <math.h>

/* A heap of tokens by probability: the root is the likeliest, of equal ones the smaller id. What is
 * popped lies behind the heap, so that item i of the descending order is at [n - 1 - i]. */
typedef struct ranking {
    sp_candidate *items; /* [n]; `logit` holds exp(logit / temperature), up to a factor */
    int n, left;         /* left: how many are still in the heap */
} ranking;

static bool before(sp_candidate a, sp_candidate b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

static void sink(ranking *r, int at) {
    sp_candidate moved = r->items[at];
    for (int child; (child = 2 * at + 1) < r->left; at = child) {
        if (child + 1 < r->left && before(r->items[child + 1], r->items[child])) child++;
        if (!before(r->items[child], moved)) break;
        r->items[at] = r->items[child];
    }
    r->items[at] = moved;
}

static void pop(ranking *r) {
    sp_candidate root = r->items[0];
    r->items[0] = r->items[--r->left];
    sink(r, 0);
    r->items[r->left] = root;
}

/* Item i of the descending order; sorts no more than is asked for. */
static sp_candidate ranked(ranking *r, int i) {
    while (r->n - r->left <= i) pop(r);
    return r->items[r->n - 1 - i];
}

static ranking make_ranking(double temperature, sp_candidate *items, int n) {
    ranking r = {items, n, n};
    float inverse = (float)(1.0 / temperature), shift = items[0].logit;
    for (int i = 1; i < n; i++) shift = items[i].logit > shift ? items[i].logit : shift;
    for (int i = 0; i < n; i++) items[i].logit = expf(items[i].logit * inverse - shift * inverse);
    for (int i = n / 2 - 1; i >= 0; i--) sink(&r, i);
    return r;
}

/* The sum of the first n items. */
static double mass(ranking *r, int n) {
    double sum = 0;
    if (n == r->n)
        for (int i = 0; i < n; i++) sum += r->items[i].logit;
    else
        for (int i = 0; i < n; i++) sum += ranked(r, i).logit;
    return sum;
}

/* How many of the first n items stay: no more than reach top_p of their sum. */
static int count_kept(ranking *r, int n, double top_p) {
    double total = mass(r, n), reached = 0;
    for (int i = 0; i < n; i++) {
        reached += ranked(r, i).logit / total;
        if (reached >= top_p) return i + 1;
    }
    return n;
}

int sp_sample_token(const sp_decode_options *o, sp_candidate *candidates, int n, sp_rng *rng) {
    ranking r = make_ranking(o->temperature, candidates, n);
    int kept = o->top_k > 0 && o->top_k < n ? o->top_k : n;
    if (o->top_p < 1) kept = count_kept(&r, kept, o->top_p);
    double point = (double)sp_rng_uniform(rng) * mass(&r, kept);
    int chosen = 0;
    while (chosen + 1 < kept && (point -= ranked(&r, chosen).logit) >= 0) chosen++;
    return ranked(&r, chosen).token;
}
