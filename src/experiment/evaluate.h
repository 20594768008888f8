/* What a model says to the examples of a split, and how good that is, by the form of its output. */
#ifndef SP_EXPERIMENT_EVALUATE_H
#define SP_EXPERIMENT_EVALUATE_H

#include "experiment/setup.h"

typedef struct sp_evaluation {
    sp_setup *setup;
    const sp_part *part;
    size_t count;                             /* the first examples of the part */
    const sp_decode_options *decode;          /* for text; `batch` for all forms */
    uint64_t seed;                            /* of sampling */
    void (*on_done)(void *user, size_t done); /* NULL, or told how many examples are done */
    void *user;
} sp_evaluation;

/* Appends one hypothesis an example. Generation: the text. Classification: the name of a label; of
 * a text, of the label that has it as a word, white space at the ends aside, or "?" and the text
 * if none has. Tagging: the tags' names separated by spaces. Errors as sp_predict and sp_classify.
 */
sp_status sp_evaluate(const sp_evaluation *evaluation, sp_strings *hypotheses);

/* The name of the label of labels [count] that has the text as a word, white space at the ends
 * aside, or "?" and the text. Owned by the caller. */
char *sp_label_said(const sp_label *labels, size_t count, const char *text);

/* The metric's score of hypotheses for the first examples of `part`, only those of `group` (NULL:
 * all). NaN if there is none. */
double sp_evaluate_score(const sp_setup *setup, const sp_part *part, const sp_strings *hypotheses,
                         const char *group, const sp_metric *metric);

/* The right answers to an example of a part, joined by ends of line: references, or the name of its
 * label, or its tags. Owned by the caller. */
char *sp_evaluate_reference(const sp_setup *setup, const sp_part *part, const sp_example *example);

#endif
