/* The tokenizer "13a" of the WMT evaluations (mteval-v13a.pl), sacrebleu's default for BLEU. */
#ifndef SP_METRICS_TOKENIZE_13A_H
#define SP_METRICS_TOKENIZE_13A_H

#include "metrics/symbols.h"

/* Replaces the content of `out` by the characters of `text` with white space between the tokens:
 * ASCII punctuation stands alone, but for "'", for "." and "," between digits, and for "-" that
 * follows no digit. */
void sp_tokenize_13a(const char *text, sp_symbols *out);

#endif
