#include "report/html.h"

#include "text/unicode.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static const char *escape_of(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return (unsigned char)c < 0x20 && !strchr("\t\n\r", c) ? replacement : NULL;
    }
}

/* U+FFFE and U+FFFF are UTF-8 but no characters of XML. */
static int is_no_character(const char *c) {
    return strncmp(c, "\xef\xbf\xbe", 3) == 0 || strncmp(c, "\xef\xbf\xbf", 3) == 0;
}

void sp_html_text(sp_buf *out, const char *text) {
    sp_buf clean = {0};
    sp_utf8_repair(text, strlen(text), &clean);
    for (const char *c = clean.data; c && *c; c++) {
        const char *escape = escape_of(*c);
        if (is_no_character(c))
            sp_buf_puts(out, replacement), c += 2;
        else if (escape)
            sp_buf_puts(out, escape);
        else
            sp_buf_putc(out, *c);
    }
    sp_buf_free(&clean);
}
