/* What generation needs of the LM head, without a [rows, vocabulary] matrix: the likeliest tokens
 * of each row and the logarithm of the sum of all exponentials. */
#ifndef SP_MODEL_HEAD_H
#define SP_MODEL_HEAD_H

#include "autograd/tape.h"
#include "core/status.h"

typedef struct sp_candidate {
    float logit;
    int token;
} sp_candidate;

/* The `k` likeliest tokens of each row of hidden [n, d] under head [vocabulary, d], k of at most
 * `vocabulary`: best [n, k], likeliest first, of equal ones the smaller id first. log_sum [n] or
 * NULL: log sum exp(logits) of the whole row. Works in chunks of the vocabulary, spread over the
 * threads; temporaries come from `scratch`. SP_ERR_NUMERIC for logits that are not finite. */
sp_status sp_head_best(const sp_var *head, const sp_var *hidden, int k, sp_candidate *best,
                       double *log_sum, sp_arena *scratch);

/* All logits [count, vocabulary] of rows first .. first + count of hidden. SP_ERR_NUMERIC. */
sp_status sp_head_logits(const sp_var *head, const sp_var *hidden, long first, long count,
                         float *logits);

#endif
