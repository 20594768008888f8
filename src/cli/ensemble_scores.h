/* `softprompt ensemble --data`: the scores of each run, their average, the best of them, and the
 * ensemble's. */
#ifndef SP_CLI_ENSEMBLE_SCORES_H
#define SP_CLI_ENSEMBLE_SCORES_H

#include "core/memory.h"
#include "metrics/metric.h"

#include <stdbool.h>

/* What several runs and their majority said to a data set; all is borrowed. */
typedef struct sp_ensemble_answers {
    const char *model, *data, *split;
    bool one_batch;         /* all prompts had each batch */
    bool by_probability;    /* votes that are even go by the labels\' summed probabilities */
    char *const *paths;     /* [count] of the run files */
    const sp_strings *runs; /* [count]: the answers of each */
    size_t count;           /* runs */
    sp_strings winners;     /* the majority's answers */
    sp_strings references;  /* several of an example are joined by ends of line */
} sp_ensemble_answers;

/* Prints a table, or one JSON object, of all metrics of the task, which must have been prepared. */
void sp_ensemble_scores_print(const sp_ensemble_answers *answers, sp_task task, bool json);

#endif
