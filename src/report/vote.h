/* Majority votes: over answers of several runs that a study has stored, and over labels with class
 * scores (Prompt Tuning, Lester et al. 2021, section 6: simple majority voting over prompts). */
#ifndef SP_REPORT_VOTE_H
#define SP_REPORT_VOTE_H

#include "core/memory.h"

/* Appends to `out`, for each example, the answer that most of hypotheses [voters] give; they are
 * equally long lists, compared byte by byte. Of answers with as many votes, the one of the earliest
 * voter wins. voters >= 1. */
void sp_vote(const sp_strings *hypotheses, size_t voters, sp_strings *out);

/* The label that most of labels [voters] are; of labels with as many votes, the one with the
 * largest sum over scores [voters, label_count]; of equal sums too, that of the earliest voter.
 * voters >= 1. */
int sp_vote_label(const int *labels, const float *const *scores, size_t voters, size_t label_count);

#endif
