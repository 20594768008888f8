/* Labels for the records of a split, or for their words, from a model with a class head, steered by
 * a soft prompt. */
#ifndef SP_TRAINING_CLASSIFY_H
#define SP_TRAINING_CLASSIFY_H

#include "training/examples.h"
#include "tuning/soft_prompt.h"

typedef struct sp_classify_job {
    const sp_model *model;
    const sp_class_head *head;
    sp_soft_prompt *prompt;
    const sp_examples *examples; /* encoded for a class head */
    size_t count;                /* the first of them */
    const bool
        *allowed; /* [tasks, labels] of the records' tasks (sp_class_mask); NULL: all labels */
    int batch;    /* sequences at a time */
    void (*on_done)(void *user, size_t done); /* NULL, or told how many are done */
    void *user;
} sp_classify_job;

/* labels [n] receives the likeliest label of each record (or of each word, record by record),
 * probabilities [n, labels] (or NULL) the softmax of its logits; n is sp_examples_label_count.
 * SP_ERR_DATA if an input does not fit into the context, SP_ERR_NUMERIC if a logit is not a number,
 * SP_ERR_INTERRUPTED after Ctrl-C. */
sp_status sp_classify(const sp_classify_job *job, int *labels, float *probabilities);

/* One of several soft prompts that label the same examples at a time. */
typedef struct sp_voter {
    const sp_template *template; /* its virtual tokens are rows of the common steering */
    const sp_class_head *head;
} sp_voter;

/* The same for voters [voter_count], whose virtual rows `steering` has: each batch holds `batch`
 * examples once per voter, in one forward pass. Head and prompt of the job are not read; labels are
 * [voter_count, n], probabilities [voter_count, n, labels]. */
sp_status sp_classify_together(const sp_classify_job *job, const sp_steering *steering,
                               const sp_voter *voters, size_t voter_count, int *labels,
                               float *probabilities);

#endif
