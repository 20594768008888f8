/* The spec of a user's own study: which methods, rates and sizes suit data and model. */
#ifndef SP_EXPERIMENT_STARTER_SPEC_H
#define SP_EXPERIMENT_STARTER_SPEC_H

#include "data/own.h"
#include "tuning/class_head.h"

/* What the spec follows from. */
typedef struct sp_starter_facts {
    const char *name, *model;
    const char *dataset; /* path of the card */
    sp_set_kind kind;
    sp_output output;
    const char *why_output; /* for a comment; "" for text */
    bool encoder;
    double parameters;        /* of the model */
    size_t counts[SP_SPLITS]; /* examples */
    double mean_tokens;       /* of an example, its answer included */
    int longest_answer;       /* tokens */
} sp_starter_facts;

/* Rows that the longest prompt of such a spec puts before an example. */
enum { SP_STARTER_ROWS = 20 };

/* Steps of a run and examples of a step, by the number and length of the examples. */
int sp_starter_batch(const sp_starter_facts *facts);
int sp_starter_steps(const sp_starter_facts *facts);

/* About how many hours all runs of the spec take on one CPU: to choose a model by, before the plan
 * knows more. */
double sp_starter_hours(const sp_starter_facts *facts);

/* Appends the spec. */
void sp_starter_spec(const sp_starter_facts *facts, sp_buf *out);

#endif
