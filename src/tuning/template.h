/* Where virtual tokens stand around the input (P-Tuning section 3; Prefix-Tuning's infix, 7.3).
 *
 * A template is words separated by spaces: P is a run of virtual tokens, x the input, any other
 * word an anchor token kept as text. "P x" is prompt tuning, "x P" infix, "P x P ?" a P-tuning
 * template with an anchor. The virtual tokens are spread over the runs, the first ones taking what
 * is left over. The target follows at the end. */
#ifndef SP_TUNING_TEMPLATE_H
#define SP_TUNING_TEMPLATE_H

#include "core/memory.h"
#include "core/status.h"
#include "text/tokenizer.h"

/* Token ids before and after the input; -1 - i stands for virtual token i. Start from {0}. */
typedef struct sp_template {
    sp_ints before, after;
    /* An encoder's: [CLS] and [SEP] are among these ids, and nothing follows (tuning/frame.h). */
    bool framed;
    int row; /* framed: what a class head reads, from the start of the sequence; from its end, -1
              * being its last token, if negative */
} sp_template;

/* SP_ERR_SPEC unless `text` has exactly one x, and a P if there are virtual tokens. */
sp_status sp_template_parse(const char *text, int virtual_tokens, const sp_tokenizer *tokenizer,
                            sp_template *out);
void sp_template_free(sp_template *t);

/* Appends template and input: the ids of one sequence up to its target. */
void sp_template_apply(const sp_template *template, const sp_ints *input, sp_ints *out);
/* The row that a class head reads of a framed sequence of `length` tokens. */
int sp_template_row(const sp_template *template, size_t length);

#endif
