/* What the methods of a generation study say: a few test records with every method's text. */
#ifndef SP_REPORT_EXAMPLES_H
#define SP_REPORT_EXAMPLES_H

#include "report/results.h"

enum { SP_EXAMPLES = 10 };

/* Appends up to SP_EXAMPLES test records of each data set, evenly spaced: input, references, and
 * the hypothesis of the first finished run of each row. Nothing is appended where no run generates
 * free text (classification). `folder` has the run files. SP_ERR_FORMAT, SP_ERR_IO. */
sp_status sp_examples_text(const sp_results *results, const char *folder, sp_buf *out);

#endif
