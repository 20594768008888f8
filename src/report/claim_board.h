/* The board: judgements as sheets, as text and as a figure. */
#ifndef SP_REPORT_CLAIM_BOARD_H
#define SP_REPORT_CLAIM_BOARD_H

#include "report/claim_judge.h"

/* The paper a claim is from, as its source begins ("Prompt Tuning"), or its study's name where it
 * has no source; the caller's. */
char *sp_claim_paper(const sp_judgement *judgement);
/* Whether claim i is from another paper than the one before. */
bool sp_claim_begins_paper(const sp_judgement *judgements, size_t i);
/* By the names of the papers, and within one in the order there is. */
void sp_claims_sort(sp_judgement *judgements, size_t count);

/* For readers; `name` is that of its files. */
void sp_claims_sheet(const sp_judgement *judgements, size_t count, const char *name, sp_sheet *out);
/* A paragraph for each claim, for a terminal. */
void sp_claims_text(const sp_judgement *judgements, size_t count, sp_buf *out);

/* Writes <folder>/NAME.md, for readers, and NAME.csv, one number or text a column; makes the
 * folder. SP_ERR_IO. */
sp_status sp_claims_write(const sp_judgement *judgements, size_t count, const char *folder,
                          const char *name);
/* Draws <folder>/claims.{dat,svg,png,pdf}: a row for each claim with its effect in the claim's
 * direction and the interval, below the names of the papers. SP_ERR_IO, SP_ERR_MISSING without
 * gnuplot. */
sp_status sp_claims_draw(const sp_judgement *judgements, size_t count, const char *folder);

#endif
