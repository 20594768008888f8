/* What a finished run said to the test examples, as its file keeps it. */
#ifndef SP_REPORT_PREDICTIONS_H
#define SP_REPORT_PREDICTIONS_H

#include "experiment/run.h"
#include "metrics/metric.h"

/* Lists of the same length; several references of an example are joined by ends of line. */
typedef struct sp_predictions {
    sp_strings inputs, hypotheses, references;
} sp_predictions;

/* Reads /test/predictions of the run's file in `folder`, that of the study. SP_ERR_MISSING,
 * SP_ERR_FORMAT. Release with sp_predictions_free. */
sp_status sp_predictions_read(const sp_run_spec *run, const char *folder, sp_predictions *out);
/* The same from any run file. */
sp_status sp_predictions_read_file(const char *path, sp_predictions *out);
void sp_predictions_free(sp_predictions *predictions); /* and {0} again */

/* Hypotheses [count] with their references taken apart, as metrics read them. Borrows the
 * hypotheses. */
typedef struct sp_prediction_texts {
    sp_scored_text *items;
    char **copies; /* of the references */
    size_t count;
} sp_prediction_texts;

void sp_prediction_texts_make(const sp_strings *hypotheses, const sp_strings *references,
                              sp_prediction_texts *out);
void sp_prediction_texts_free(sp_prediction_texts *texts);

/* The metric's score of hypotheses [n] for the examples of which `references` [n] are stored. The
 * metric must have been prepared. */
double sp_predictions_score(const sp_strings *hypotheses, const sp_strings *references,
                            const sp_metric *metric);

#endif
