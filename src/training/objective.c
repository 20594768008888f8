#include "training/objective.h"

static long count_correct(const sp_class_head *head, const sp_var *logits, const int *labels) {
    long correct = 0;
    for (long r = 0; r < logits->rows; r++)
        correct += sp_class_best(head, logits->data + r * logits->ld) == labels[r];
    return correct;
}

sp_var *sp_objective_loss(sp_tape *t, const sp_objective *o, sp_var *hidden, const sp_packed *batch,
                          const int *labels, long *correct) {
    if (!o->head) return sp_lm_loss(t, hidden, o->model->head, batch->targets.data, NULL);
    sp_var *logits = sp_class_logits(t, o->head, o->model, hidden);
    logits = sp_class_mask(t, logits, o->allowed, o->tasks);
    *correct = count_correct(o->head, logits, labels);
    return sp_cross_entropy(t, logits, labels);
}
