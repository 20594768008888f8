/* The table of a study: one line per entry and grid point, one column per metric and group, the
 * best of each column in bold, what is missing or failed named below, and the papers' numbers in
 * blocks of their own. */
#ifndef SP_EXPERIMENT_TABLE_H
#define SP_EXPERIMENT_TABLE_H

#include "experiment/results.h"

/* Each appends the whole document to `out`. */
void sp_table_markdown(const sp_results *results, sp_buf *out);
/* Numbers in full; empty where there is none. */
void sp_table_csv(const sp_results *results, sp_buf *out);
/* A tabular for \input, and one per block of the papers. */
void sp_table_tex(const sp_results *results, sp_buf *out);

#endif
