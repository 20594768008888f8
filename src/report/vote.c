#include "report/vote.h"

#include "report/predictions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many voters give the example the answer of `voter`. */
static size_t count_votes(const sp_strings *hypotheses, size_t voters, size_t voter, size_t i) {
    size_t votes = 0;
    for (size_t v = 0; v < voters; v++)
        votes += strcmp(hypotheses[v].data[i], hypotheses[voter].data[i]) == 0;
    return votes;
}

void sp_vote(const sp_strings *hypotheses, size_t voters, sp_strings *out) {
    for (size_t i = 0; i < hypotheses->len; i++) {
        size_t winner = 0, most = 0;
        for (size_t v = 0; v < voters; v++) {
            size_t votes = count_votes(hypotheses, voters, v, i);
            if (votes > most) winner = v, most = votes;
        }
        sp_strings_push(out, hypotheses[winner].data[i]);
    }
}

static double sum_of(const float *const *scores, size_t voters, int label) {
    double sum = 0;
    for (size_t v = 0; v < voters; v++) sum += (double)scores[v][label];
    return sum;
}

int sp_vote_label(const int *labels, const float *const *scores, size_t voters,
                  size_t label_count) {
    size_t *votes = sp_alloc(label_count, sizeof *votes);
    for (size_t v = 0; v < voters; v++) votes[labels[v]]++;
    int winner = labels[0];
    for (size_t v = 1; v < voters; v++) {
        int rival = labels[v];
        if (votes[rival] > votes[winner] ||
            (votes[rival] == votes[winner] &&
             sum_of(scores, voters, rival) > sum_of(scores, voters, winner)))
            winner = rival;
    }
    free(votes);
    return winner;
}

void sp_vote_score(const sp_strings *answers, size_t voters, const sp_strings *winners,
                   const sp_strings *references, const sp_metric *metric, double *each,
                   double *out) {
    double total = 0, best = NAN;
    for (size_t v = 0; v < voters; v++) {
        double score = sp_predictions_score(&answers[v], references, metric);
        bool better = metric->higher_is_better ? score > best : score < best;
        if (v == 0 || better) best = score;
        total += score;
        if (each) each[v] = score;
    }
    out[SP_VOTE_AVERAGE] = total / (double)voters;
    out[SP_VOTE_BEST] = best;
    out[SP_VOTE_MAJORITY] = sp_predictions_score(winners, references, metric);
}
