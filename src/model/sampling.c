#include "model/decoding.h"

#include "tensor/kernels.h"

#include <math.h>
#include <stdlib.h>

static int likeliest(const float *logits, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

typedef struct candidate {
    float p;
    int token;
} candidate;

/* Likelier first; equal ones in the order of their ids. */
static int compare_candidates(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? 1 : -1;
    return x->token - y->token;
}

/* How many of the sorted candidates stay: at most top_k, and no more than reach top_p. */
static int count_kept(const sp_decode_options *o, const candidate *sorted, int n) {
    int kept = o->top_k > 0 && o->top_k < n ? o->top_k : n;
    double total = 0, reached = 0;
    for (int i = 0; i < kept; i++) total += sorted[i].p;
    for (int i = 0; i < kept; i++) {
        reached += sorted[i].p / total;
        if (reached >= o->top_p) return i + 1;
    }
    return kept;
}

int sp_choose_token(const sp_decode_options *o, float *logits, int vocabulary, sp_rng *rng) {
    if (o->temperature <= 0) return likeliest(logits, vocabulary);
    sp_scale(vocabulary, (float)(1.0 / o->temperature), logits, logits);
    sp_exp_sum(vocabulary, logits, sp_max(vocabulary, logits), logits);
    candidate *sorted = sp_alloc((size_t)vocabulary, sizeof *sorted);
    for (int i = 0; i < vocabulary; i++) sorted[i] = (candidate){logits[i], i};
    qsort(sorted, (size_t)vocabulary, sizeof *sorted, compare_candidates);
    int kept = count_kept(o, sorted, vocabulary);
    double total = 0;
    for (int i = 0; i < kept; i++) total += sorted[i].p;
    double point = (double)sp_rng_uniform(rng) * total;
    int chosen = 0;
    while (chosen + 1 < kept && (point -= sorted[chosen].p) >= 0) chosen++;
    int token = sorted[chosen].token;
    free(sorted);
    return token;
}
