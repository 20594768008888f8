/* Text as part of an HTML page that is well-formed XML too. */
#ifndef SP_REPORT_HTML_H
#define SP_REPORT_HTML_H

#include "core/memory.h"

/* Appends any bytes as text of an element or of a quoted attribute: marks of HTML are escaped, what
 * is not UTF-8, and control characters that XML forbids, become U+FFFD. */
void sp_html_text(sp_buf *out, const char *text);

#endif
