/* How the reference tools of the metrics cut a text into words. Each function replaces the content
 * of `out` by the characters of `text` with white space between the words. */
#ifndef SP_METRICS_TOKENIZERS_H
#define SP_METRICS_TOKENIZERS_H

#include "metrics/symbols.h"

typedef void sp_tokenize(const char *text, sp_symbols *out);

/* "13a" of the WMT evaluations (mteval-v13a.pl), sacrebleu's default for BLEU: ASCII punctuation
 * stands alone, but for "'", for "." and "," between digits, and for "-" that follows no digit. */
sp_tokenize sp_tokenize_13a;
/* The same in lower case: mteval-v13a.pl without -c, as the E2E challenge scores. */
sp_tokenize sp_tokenize_13a_lower;
/* The WebNLG challenge of 2017: lower case, and all but letters, digits and "_" stands alone. */
sp_tokenize sp_tokenize_webnlg;
/* The rouge_score package: lower case, and all but a-z and 0-9 is white space. */
sp_tokenize sp_tokenize_rouge;
/* Lower case, cut at white space only: sacrebleu's default for TER. */
sp_tokenize sp_tokenize_ter;

#endif
