/* What a tokenizer.json looks for in a text: a regular expression, a string, or a class of
 * characters. A search gives cuts: the matches (flag set) and what lies between them, in order, so
 * that they cover the text. */
#ifndef SP_TEXT_PATTERN_H
#define SP_TEXT_PATTERN_H

#include "core/status.h"
#include "text/spans.h"

#include <jansson.h>

/* GPT-2's expression (Radford et al. 2019; the one of the ByteLevel pre-tokenizer). */
extern const char sp_gpt2_pattern[];

typedef struct sp_pattern sp_pattern;

/* An expression in Oniguruma's syntax, as `tokenizers` takes it; PCRE2 does the matching. Character
 * sets within sets and intersections (&&) are refused. SP_ERR_FORMAT with the reason. */
sp_status sp_pattern_new(const char *expression, sp_pattern **out);
/* A pattern that is this text, which is not empty. */
sp_pattern *sp_pattern_of_text(const char *text);
/* A pattern that is any one character of a class. */
sp_pattern *sp_pattern_of_class(bool (*contains)(int c));
/* {"String": "..."} or {"Regex": "..."}. */
sp_status sp_pattern_read(const json_t *part, sp_pattern **out);
void sp_pattern_free(sp_pattern *pattern); /* NULL is allowed */

/* Replaces `cuts` by those of text[start .. end), with places counted from `text`; what is before
 * and behind is not looked at. Broken UTF-8 is never part of a match of an expression. May be
 * called by several threads at once. SP_ERR_FORMAT if an expression needs too much work on this
 * text. */
sp_status sp_pattern_find(const sp_pattern *pattern, const char *text, size_t start, size_t end,
                          sp_spans *cuts);

#endif
