/* Judges the claims of a study from its finished runs: a paired bootstrap over test examples within
 * seeds, seeds (or subsamples) as the outer level, Holm's correction over the study's claims.
 * docs/methods.md, "Claims", says how and why. */
#ifndef SP_REPORT_CLAIM_JUDGE_H
#define SP_REPORT_CLAIM_JUDGE_H

#include "experiment/assets.h"
#include "report/results.h"
#include "report/sheet.h"

typedef enum sp_verdict { SP_HOLDS, SP_FAILS, SP_UNDECIDED, SP_NOT_TESTABLE } sp_verdict;
/* "holds", "fails", "undecided", "not testable here". */
extern const char *const sp_verdict_names[SP_NOT_TESTABLE + 1];

typedef struct sp_judgement {
    char *study;
    sp_claim claim; /* its texts are the judgement's own, its test is left out */
    sp_verdict verdict;
    char *reason; /* why it is not testable here, "" else */
    char *here;   /* our numbers: "45.6 > 27.7", "12.1 → 30.4 → 31.0" */
    /* Left less right side; of a curve the change that docs/methods.md names; NaN if not tested. */
    double effect, low, high;
    double p, adjusted; /* two-sided; after Holm's correction */
    bool in_points;     /* of a score from 0 to 100 */
    double size;        /* the largest value the effect is made of */
    int direction;      /* of an effect that speaks for the claim: 1, -1 */
    size_t seeds, subsamples, examples, runs, resamples;
    char *note; /* what to know about the sample; "" for nothing */
} sp_judgement;

/* Judges every claim of the results' spec; `folder` is the study's. *out has spec->claim_count
 * judgements, to release with sp_judgements_free. A claim whose runs are missing, failed or cannot
 * be compared is not testable here, which is no error. SP_ERR_MISSING, SP_ERR_FORMAT if the data
 * set cannot be read. */
sp_status sp_claims_judge(const sp_results *results, const char *folder, sp_assets *assets,
                          sp_judgement **out, size_t *count);
/* What `st`, the outcome of judging and of all before it, leaves. A model or data set that is
 * missing or unusable (SP_ERR_MISSING, SP_ERR_DATA) makes the claims of the spec not testable here,
 * for that reason where the spec gives none, and gives SP_OK; any other outcome is returned as it
 * is. */
sp_status sp_claims_settle(sp_status st, const sp_spec *spec, sp_judgement **out, size_t *count);
void sp_judgements_free(sp_judgement *judgements, size_t count);

#endif
