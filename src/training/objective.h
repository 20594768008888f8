/* What the loss of a batch is: of the target tokens, or of the labels. */
#ifndef SP_TRAINING_OBJECTIVE_H
#define SP_TRAINING_OBJECTIVE_H

#include "training/packed.h"
#include "tuning/class_head.h"

typedef struct sp_objective {
    const sp_model *model;
    const sp_class_head *head; /* NULL: the language model's loss */
    const bool *allowed;       /* of sp_class_mask; NULL: all labels */
    const int *tasks;          /* [scored] the same, of the batch */
} sp_objective;

/* hidden [scored, n_embd] of the batch's wanted rows (with a head these are one of each
 * sequence, or of each word) -> [1, 1]: without a head, the mean negative log-probability
 * of its target tokens; with one, the mean cross-entropy of labels [scored], and *correct
 * receives how many of them have the largest logit. */
sp_var *sp_objective_loss(sp_tape *t, const sp_objective *objective, sp_var *hidden,
                          const sp_packed *batch, const int *labels, long *correct);

#endif
