/* Majority votes: over answers of several runs that a study has stored, and over labels with class
 * scores (Prompt Tuning, Lester et al. 2021, section 6: simple majority voting over prompts). */
#ifndef SP_REPORT_VOTE_H
#define SP_REPORT_VOTE_H

#include "core/memory.h"
#include "metrics/metric.h"

/* Appends to `out`, for each example, the answer that most of hypotheses [voters] give; they are
 * equally long lists, compared byte by byte. Of answers with as many votes, the one of the earliest
 * voter wins. voters >= 1. */
void sp_vote(const sp_strings *hypotheses, size_t voters, sp_strings *out);

/* The label that most of labels [voters] are; of labels with as many votes, the one with the
 * largest sum over scores [voters, label_count]; of equal sums too, that of the earliest voter.
 * voters >= 1. */
int sp_vote_label(const int *labels, const float *const *scores, size_t voters, size_t label_count);

/* What is said of one metric: the mean over the voters, the best of them, that of the vote. */
enum { SP_VOTE_AVERAGE, SP_VOTE_BEST, SP_VOTE_MAJORITY, SP_VOTE_SCORES };

/* Scores answers [voters] and their majority `winners` against references that are stored
 * (sp_predictions). `each` [voters] (NULL: not wanted) becomes the voters' scores, `out`
 * [SP_VOTE_SCORES] the rest. The metric must have been prepared. */
void sp_vote_score(const sp_strings *answers, size_t voters, const sp_strings *winners,
                   const sp_strings *references, const sp_metric *metric, double *each,
                   double *out);

#endif
