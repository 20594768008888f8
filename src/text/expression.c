#include "text/expression.h"
#include "text/unicode.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 8192 };

/* PCRE2's own \s also has U+180E. */
#define WHITE                                                                                      \
    "\\t-\\r "                                                                                     \
    "\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define ALPHABETIC_SYMBOLS                                                                         \
    "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
/* Numbers of Latin-1 that Oniguruma takes for word characters. */
#define LATIN_NUMBERS "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"

static void put_category(sp_buf *out, const char *category) {
    sp_buf_printf(out, "\\p{%s}", category);
    sp_young_ranges(category, out);
}

static void put_word(sp_buf *out) {
    static const char *const categories[] = {"L", "M", "Nd", "Nl", "Pc"};
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        put_category(out, categories[i]);
    sp_buf_puts(out, ALPHABETIC_SYMBOLS LATIN_NUMBERS);
}

/* The inside of the set that a one-letter escape stands for; false if it is none. */
static bool put_escape_set(char letter, sp_buf *out) {
    switch (tolower((unsigned char)letter)) {
    case 's':
        sp_buf_puts(out, WHITE);
        return true;
    case 'w':
        put_word(out);
        return true;
    case 'd':
        put_category(out, "Nd");
        return true;
    case 'h':
        sp_buf_puts(out, "0-9a-fA-F");
        return true;
    default:
        return false;
    }
}

/* The general category at "p{L}" or "p{Lu}", as PCRE2 writes it; 0 if there is none, else the
 * length of that text. */
static size_t read_category(const char *at, char category[3]) {
    if (at[1] != '{' || !isalpha((unsigned char)at[2])) return 0;
    category[0] = (char)toupper((unsigned char)at[2]);
    if (!strchr("LMNPSZC", category[0])) return 0;
    if (at[3] == '}') {
        category[1] = 0;
        return 4;
    }
    if (!isalpha((unsigned char)at[3]) || at[4] != '}') return 0;
    category[1] = (char)tolower((unsigned char)at[3]);
    category[2] = 0;
    return 5;
}

/* Translates the escape behind a backslash; returns its length. A negated one inside a set stays as
 * it is: PCRE2 cannot say it otherwise. */
static size_t put_escape(const char *at, bool in_set, sp_buf *out) {
    bool negated = isupper((unsigned char)*at);
    char category[3];
    size_t start = out->len, len = 1;
    if (!in_set) sp_buf_puts(out, negated ? "[^" : "[");
    bool known = !(in_set && negated) && put_escape_set(*at, out);
    if (!known && !(in_set && negated) && tolower((unsigned char)*at) == 'p' &&
        (len = read_category(at, category))) {
        put_category(out, category);
        known = true;
    }
    if (known) {
        if (!in_set) sp_buf_putc(out, ']');
        return len;
    }
    out->len = start;
    sp_buf_putc(out, '\\');
    if (*at) sp_buf_putc(out, *at);
    return *at ? 1 : 0;
}

/* Copies the start of a set: "[", a negation, and a bracket that stands for itself. */
static size_t put_set_start(const char *at, sp_buf *out) {
    size_t len = 1;
    if (at[len] == '^') len++;
    sp_buf_append(out, at, len);
    if (at[len] != ']') return len;
    sp_buf_puts(out, "\\]");
    return len + 1;
}

/* Copies "[:alpha:]" inside a set; 0 if there is none. */
static size_t put_posix_class(const char *at, sp_buf *out) {
    const char *end = at[1] == ':' ? strstr(at, ":]") : NULL;
    if (!end) return 0;
    sp_buf_append(out, at, (size_t)(end + 2 - at));
    return (size_t)(end + 2 - at);
}

sp_status sp_translate_expression(const char *expression, sp_buf *out) {
    if (strlen(expression) > LONGEST)
        return sp_fail(SP_ERR_FORMAT, "an expression of more than %d characters", LONGEST);
    bool in_set = false;
    for (const char *at = expression; *at;) {
        size_t len = 1;
        if (*at == '\\') {
            len = 1 + put_escape(at + 1, in_set, out);
        } else if (!in_set && *at == '[') {
            len = put_set_start(at, out);
            in_set = true;
        } else if (in_set && *at == '[') {
            if (!(len = put_posix_class(at, out)))
                return sp_fail(SP_ERR_FORMAT, "expression '%.60s' has a set within a set",
                               expression);
        } else if (in_set && at[0] == '&' && at[1] == '&') {
            return sp_fail(SP_ERR_FORMAT, "expression '%.60s' has an intersection of sets",
                           expression);
        } else {
            if (*at == ']') in_set = false;
            sp_buf_putc(out, *at);
        }
        at += len;
    }
    return SP_OK;
}
