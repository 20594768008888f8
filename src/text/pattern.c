#include "text/pattern.h"
#include "text/expression.h"
#include "text/json_part.h"
#include "text/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char sp_gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                               "|\\s+(?!\\S)|\\s+";

/* The match limit lets a pattern back out of a run of ten million characters, and ends a hostile
 * one within a second. Memory for one that needs a stack is in kilobytes. */
enum {
    MATCH_LIMIT = 20000000,
    HEAP_LIMIT = 1 << 18,
    LONGEST_TRANSLATED = 1 << 17,
    MATCHES_PER_LOOK_AT_THE_CLOCK = 64
};

struct sp_pattern {
    pcre2_code *code; /* or NULL */
    pcre2_match_context *limits;
    char *text; /* or NULL */
    bool (*contains)(int c);
};

static sp_status compile(const char *expression, const sp_buf *translated, pcre2_code **out) {
    int error;
    PCRE2_SIZE place;
    if (translated->len > LONGEST_TRANSLATED)
        return sp_fail(SP_ERR_FORMAT, "expression '%.60s' has too many classes", expression);
    *out = pcre2_compile((PCRE2_SPTR)(translated->data ? translated->data : ""), translated->len,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_MATCH_INVALID_UTF |
                             PCRE2_NEVER_BACKSLASH_C,
                         &error, &place, NULL);
    if (*out) return SP_OK;
    PCRE2_UCHAR reason[128];
    pcre2_get_error_message(error, reason, sizeof reason);
    return sp_fail(SP_ERR_FORMAT, "expression '%.60s': %s", expression, (const char *)reason);
}

sp_status sp_pattern_new(const char *expression, sp_pattern **out) {
    *out = NULL;
    sp_buf translated = {0};
    pcre2_code *code = NULL;
    sp_status st = sp_translate_expression(expression, &translated);
    if (!st) st = compile(expression, &translated, &code);
    sp_buf_free(&translated);
    if (st) return st;
    /* Without JIT (a platform that lacks it) matching is slower, with the same result. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    sp_pattern *pattern = sp_alloc(1, sizeof *pattern);
    pattern->code = code;
    pattern->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT);
    *out = pattern;
    return SP_OK;
}

sp_pattern *sp_pattern_of_text(const char *text) {
    sp_pattern *pattern = sp_alloc(1, sizeof *pattern);
    pattern->text = sp_strdup(text);
    return pattern;
}

sp_pattern *sp_pattern_of_class(bool (*contains)(int c)) {
    sp_pattern *pattern = sp_alloc(1, sizeof *pattern);
    pattern->contains = contains;
    return pattern;
}

sp_status sp_pattern_read(const json_t *part, sp_pattern **out) {
    *out = NULL;
    const char *expression = sp_part_text(part, "Regex"), *text = sp_part_text(part, "String");
    if (expression) return sp_pattern_new(expression, out);
    if (!text || !*text)
        return sp_fail(SP_ERR_FORMAT, "a pattern is neither a Regex nor a String with content");
    *out = sp_pattern_of_text(text);
    return SP_OK;
}

void sp_pattern_free(sp_pattern *pattern) {
    if (!pattern) return;
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->limits);
    free(pattern->text), free(pattern);
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Expressions of real tokenizers take less than a tenth of a microsecond a byte. */
static bool takes_too_long(double started, size_t len) {
    return cpu_seconds() - started > 2 + 4e-6 * (double)len;
}

/* PCRE2's return code for the first match at or behind `from`. */
static int match_from(const sp_pattern *pattern, const char *text, size_t len, size_t from,
                      pcre2_match_data *match) {
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, from, 0, match, pattern->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, from, PCRE2_NO_JIT, match,
                         pattern->limits);
    return rc;
}

static size_t next_place(const char *text, size_t len, size_t at) {
    int c;
    return at < len ? at + sp_utf8_next(text + at, len - at, &c) : len + 1;
}

static sp_status find_matches(const sp_pattern *pattern, const char *text, size_t len, size_t base,
                              pcre2_match_data *match, sp_spans *cuts) {
    double started = cpu_seconds();
    size_t done = 0, from = 0;
    bool after_match = false;
    for (size_t count = 1; from <= len; count++) {
        int rc = match_from(pattern, text, len, from, match);
        if (rc == PCRE2_ERROR_NOMATCH) break;
        if (rc < 0 || (count % MATCHES_PER_LOOK_AT_THE_CLOCK == 0 && takes_too_long(started, len)))
            return sp_fail(SP_ERR_FORMAT,
                           "an expression of the tokenizer gives up on a text of %zu bytes "
                           "(PCRE2 code %d)",
                           len, rc);
        const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
        /* A pattern with \K may report a start before the place searched from. */
        size_t start = range[0] < done ? done : range[0], end = range[1];
        if (end < start || (end == start && after_match && end == done)) {
            from = next_place(text, len, from > end ? from : end);
            continue;
        }
        if (start > done) sp_spans_push(cuts, base + done, base + start, false);
        sp_spans_push(cuts, base + start, base + end, true);
        done = from = end;
        after_match = true;
    }
    if (done < len) sp_spans_push(cuts, base + done, base + len, false);
    return SP_OK;
}

static sp_status find_expression(const sp_pattern *pattern, const char *text, size_t start,
                                 size_t end, sp_spans *cuts) {
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    sp_status st = find_matches(pattern, text + start, end - start, start, match, cuts);
    pcre2_match_data_free(match);
    return st;
}

static void find_text(const char *wanted, const char *text, size_t start, size_t end,
                      sp_spans *cuts) {
    size_t len = strlen(wanted), done = start;
    const char *found;
    while ((found = memmem(text + done, end - done, wanted, len))) {
        size_t at = (size_t)(found - text);
        if (at > done) sp_spans_push(cuts, done, at, false);
        sp_spans_push(cuts, at, at + len, true);
        done = at + len;
    }
    if (done < end) sp_spans_push(cuts, done, end, false);
}

static void find_class(bool (*contains)(int c), const char *text, size_t start, size_t end,
                       sp_spans *cuts) {
    size_t done = start;
    for (size_t at = start, next; at < end; at = next) {
        int c;
        next = at + sp_utf8_next(text + at, end - at, &c);
        if (!contains(c)) continue;
        if (at > done) sp_spans_push(cuts, done, at, false);
        sp_spans_push(cuts, at, next, true);
        done = next;
    }
    if (done < end) sp_spans_push(cuts, done, end, false);
}

sp_status sp_pattern_find(const sp_pattern *pattern, const char *text, size_t start, size_t end,
                          sp_spans *cuts) {
    cuts->len = 0;
    if (pattern->code) return find_expression(pattern, text, start, end, cuts);
    if (pattern->text)
        find_text(pattern->text, text, start, end, cuts);
    else
        find_class(pattern->contains, text, start, end, cuts);
    return SP_OK;
}
