#include "report/svg.h"

#include "report/html.h"

#include <string.h>

/* What stands before the name of an element in a tag, and the quote that ends it. */
static const char *const references[] = {" id='", " id=\"", "href='#",     "href=\"#",
                                         "url(#", "url('#", "url(&quot;#", "url(&#39;#"};
enum { REFERENCES = sizeof references / sizeof *references };

static size_t reference_at(const char *text) {
    for (int i = 0; i < REFERENCES; i++)
        if (strncmp(text, references[i], strlen(references[i])) == 0) return strlen(references[i]);
    return 0;
}

/* Text between tags stays as it is. */
static void put_body(const char *from, const char *end, const char *prefix, sp_buf *out) {
    bool in_tag = false;
    while (from < end) {
        size_t len = in_tag ? reference_at(from) : 0;
        in_tag = *from == '<' || (in_tag && *from != '>');
        sp_buf_append(out, from, len ? len : 1);
        if (len) sp_buf_puts(out, prefix);
        from += len ? len : 1;
    }
}

/* The value of an attribute in the first tag, or an empty text. */
static size_t attribute(const char *svg, const char *tag_end, const char *name,
                        const char **value) {
    const char *found = strstr(svg, name);
    *value = "";
    if (!found || found >= tag_end) return 0;
    *value = found + strlen(name);
    return strcspn(*value, "\"");
}

/* Behind an element that stands next, if it does. */
static const char *skip_element(const char *text, const char *open, const char *close) {
    const char *start = text + strspn(text, " \n\r\t");
    const char *end = strncmp(start, open, strlen(open)) == 0 ? strstr(start, close) : NULL;
    return end ? end + strlen(close) : text;
}

bool sp_svg_inline(const char *svg, const char *prefix, const char *label, sp_buf *out) {
    const char *start = strstr(svg, "<svg"), *body = start ? strchr(start, '>') : NULL;
    const char *end = body ? strstr(body, "</svg>") : NULL;
    if (!end) return false;
    const char *box;
    size_t len = attribute(start, body, "viewBox=\"", &box);
    sp_buf_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                     "xmlns:xlink=\"http://www.w3.org/1999/xlink\" role=\"img\" viewBox=\"");
    sp_buf_append(out, box, len);
    sp_buf_puts(out, "\" aria-label=\"");
    sp_html_text(out, label);
    sp_buf_puts(out, "\">");
    body = skip_element(body + 1, "<title>", "</title>");
    body = skip_element(body, "<desc>", "</desc>");
    put_body(body, end, prefix, out);
    sp_buf_puts(out, "</svg>");
    return true;
}
