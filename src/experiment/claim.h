/* A claim of a paper as a spec states it: what is said, by whom, and the test over runs that tells
 * whether it holds here. The language of tests is described in docs/formats.md. */
#ifndef SP_EXPERIMENT_CLAIM_H
#define SP_EXPERIMENT_CLAIM_H

#include "format/yaml.h"

/* What is made of the scores of the runs that an atom matches. */
typedef enum sp_claim_statistic {
    SP_CLAIM_MEAN,   /* over all of them */
    SP_CLAIM_SPREAD, /* standard deviation over the seeds */
    SP_CLAIM_VOTE,   /* score of the majority's answers (Prompt Tuning, section 6) */
    SP_CLAIM_BEST    /* of the best single run */
} sp_claim_statistic;

/* The setting has one of the values. */
typedef struct sp_claim_filter {
    char *setting;
    sp_strings values;
} sp_claim_filter;

/* weight * statistic(score | filters) */
typedef struct sp_claim_term {
    double weight;
    sp_claim_statistic statistic;
    char *score;
    sp_claim_filter *filters;
    size_t filter_count;
} sp_claim_term;

/* constant + the sum of the terms */
typedef struct sp_claim_expr {
    double constant;
    sp_claim_term *terms;
    size_t term_count;
} sp_claim_expr;

typedef enum sp_claim_form {
    SP_CLAIM_MORE, /* left > right */
    SP_CLAIM_LESS, /* left < right */
    SP_CLAIM_RISES,
    SP_CLAIM_FALLS,
    SP_CLAIM_RISES_THEN_FALLS,
    SP_CLAIM_RISES_THEN_FLAT,
    SP_CLAIM_SHRINKS
} sp_claim_form;

typedef struct sp_claim_test {
    sp_claim_form form;
    sp_claim_expr left, right; /* a curve has only a left side */
    char *over;                /* the setting on a curve's x axis; NULL otherwise */
} sp_claim_test;

typedef struct sp_claim {
    const char *id, *text;      /* live in the tree, as the next three */
    const char *source, *paper; /* "": not given */
    const char *not_testable;   /* the reason; NULL: there is a test */
    sp_claim_test test;
} sp_claim;

/* Whether the test is about a curve. */
bool sp_claim_is_curve(const sp_claim_test *test);

/* Reads and checks the test of claim `id` at `node`, a scalar. `entries`, a map, has the names that
 * `entry` may have, `groups` those of test examples. SP_ERR_SPEC with file, line and the place in
 * the text for a syntax error, an unknown setting, score, entry or method. Release with
 * sp_claim_test_free, also after a failure.
 */
sp_status sp_claim_parse(const sp_yaml *node, const char *id, const sp_yaml *entries,
                         const sp_strings *groups, sp_claim_test *out);
void sp_claim_test_free(sp_claim_test *test);

/* Reads `claims` of a spec whose runs have scores of `groups`; *out is NULL if there are none.
 * SP_ERR_SPEC with file and line. Release with sp_claims_free. */
sp_status sp_claims_read(const sp_yaml *root, const sp_strings *groups, sp_claim **out,
                         size_t *count);
void sp_claims_free(sp_claim *claims, size_t count);

/* Scores that are numbers of a run and of no test example. */
bool sp_claim_score_is_attribute(const char *score);

#endif
