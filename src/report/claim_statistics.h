/* What a claim's values and their bootstrap replicates say: effect, interval, p-value. Plain
 * arithmetic on arrays; docs/methods.md, "Claims", has the statistics in words. */
#ifndef SP_REPORT_CLAIM_STATISTICS_H
#define SP_REPORT_CLAIM_STATISTICS_H

#include "experiment/claim.h"

/* The values of a claim: of the two sides of a relation, or along a curve; and the same in each
 * bootstrap replicate. */
typedef struct sp_claim_values {
    const double *y;          /* [points] */
    const double *replicates; /* [replicate_count, points] */
    size_t points, replicate_count;
} sp_claim_values;

typedef struct sp_claim_effect {
    double effect, low, high; /* with its 95 % percentile interval */
    double p;                 /* two-sided against 0 */
    /* A curve goes its way and yet not as the claim says: a clear step back, no flat end; "" if
     * not. It then fails where it would hold. */
    const char *against;
    /* What the claim presupposes is not there; "" if it is. It then cannot hold. */
    const char *lacking;
} sp_claim_effect;

/* The fewest points that a claim of this form needs. */
size_t sp_claim_points_needed(sp_claim_form form);
/* +1 if a positive effect speaks for the claim, -1 if a negative one does. */
int sp_claim_direction(sp_claim_form form);
/* Needs at least one replicate and sp_claim_points_needed points. */
void sp_claim_measure(sp_claim_form form, const sp_claim_values *values, sp_claim_effect *out);

/* Holm's step-down correction of p [count] for `count` tests, in place; each at most 1. */
void sp_holm(double *p, size_t count);

#endif
