/* Regular expressions: from Oniguruma's syntax and Unicode tables to PCRE2's. */
#ifndef SP_TEXT_EXPRESSION_H
#define SP_TEXT_EXPRESSION_H

#include "core/memory.h"
#include "core/status.h"

/* Appends the expression for PCRE2 (options UTF, UCP and MULTILINE) that matches what `expression`
 * does in Oniguruma 6.9.10: \s, \w, \d, \h and general categories become sets with its tables
 * (Unicode 16). SP_ERR_FORMAT for what cannot be said: sets within sets, &&. */
sp_status sp_translate_expression(const char *expression, sp_buf *out);

#endif
