/* The language of claims: a recursive descent over its text. Sums and differences of weighted atoms
 * are kept as a flat list of terms. */
#include "experiment/claim.h"
#include "experiment/figure.h"
#include "tuning/method.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LETTERS = 4096, MOST_TERMS = 64, MOST_FILTERS = 16, MOST_LEVELS = 16 };

typedef struct parser {
    const sp_yaml *node, *entries;
    const sp_strings *groups;
    const char *id, *text, *at;
    int level; /* of parentheses */
} parser;

static const char white[] = " \t\r\n";
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
static const char *const attributes[] = {"trainable_parameters", "train_seconds", "pscp",
                                         "class_words", NULL};

/* "file:line: test of claim 'a', character 12, at 'mena(': ..." */
__attribute__((format(printf, 2, 3))) static sp_status fail(const parser *p, const char *format,
                                                            ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t rest = strlen(p->at);
    if (!rest) return sp_yaml_fail(p->node, "test of claim '%s', at its end: %s", p->id, message);
    return sp_yaml_fail(p->node, "test of claim '%s', character %zu, at '%.*s%s': %s", p->id,
                        (size_t)(p->at - p->text) + 1, rest > 20 ? 17 : (int)rest, p->at,
                        rest > 20 ? "..." : "", message);
}

/* The last error, which names another place, as one of the test. */
static sp_status fail_again(const parser *p) {
    const char *message = sp_error(), *colon = strstr(message, ": ");
    char *copy = sp_strdup(colon ? colon + 2 : message);
    sp_status st = fail(p, "%s", copy);
    free(copy);
    return st;
}

static void skip(parser *p) {
    p->at += strspn(p->at, white);
}

static bool take(parser *p, const char *mark) {
    skip(p);
    if (strncmp(p->at, mark, strlen(mark)) != 0) return false;
    p->at += strlen(mark);
    return true;
}

static sp_status expect(parser *p, const char *mark, const char *what) {
    return take(p, mark) ? SP_OK : fail(p, "expected '%s' %s", mark, what);
}

/* The length of the name that comes next. */
static size_t name_length(parser *p) {
    skip(p);
    return strspn(p->at, plain);
}

/* A name, which is the caller's; the position stays before it, for what checks it. */
static sp_status peek_name(parser *p, const char *what, char **out) {
    size_t len = name_length(p);
    *out = NULL;
    if (!len) return fail(p, "expected %s", what);
    *out = sp_strndup(p->at, len);
    return SP_OK;
}

static bool next_is(parser *p, const char *word) {
    size_t len = name_length(p);
    return len == strlen(word) && strncmp(p->at, word, len) == 0;
}

/* ---- atoms ---- */

bool sp_claim_score_is_attribute(const char *score) {
    for (const char *const *a = attributes; *a; a++)
        if (strcmp(*a, score) == 0) return true;
    return false;
}

static sp_status read_score(parser *p, sp_claim_term *term) {
    sp_status st = peek_name(p, "a score like test.all.bleu", &term->score);
    if (st) return st;
    const char *score = term->score, *dot = strchr(score, '.');
    bool of_test = strncmp(score, "test.", 5) == 0 && strchr(dot + 1, '.');
    if (!of_test && strncmp(score, "dev.best.", 9) != 0 && !sp_claim_score_is_attribute(score))
        return fail(p, "no such score; use test.GROUP.METRIC, dev.best.SERIES, "
                       "trainable_parameters, train_seconds, pscp or class_words");
    if (sp_claim_score_is_attribute(score) && term->statistic == SP_CLAIM_VOTE)
        return fail(p, "a vote has no %s", score);
    if (!of_test && term->statistic == SP_CLAIM_VOTE)
        return fail(p, "only test answers are kept to vote with; use test.GROUP.METRIC");
    if (!sp_claim_score_is_attribute(score) && sp_check_score(p->node, score, p->groups))
        return fail_again(p);
    p->at += strlen(score);
    return SP_OK;
}

/* The next value of a filter, quoted or not; the caller's. */
static sp_status read_value(parser *p, char **out) {
    skip(p);
    *out = NULL;
    char quote = *p->at;
    if (quote == '"' || quote == '\'') {
        const char *end = strchr(p->at + 1, quote);
        if (!end) return fail(p, "the quote does not end");
        *out = sp_strndup(p->at + 1, (size_t)(end - p->at - 1));
        p->at = end + 1;
        return SP_OK;
    }
    size_t len = strcspn(p->at, " \t\r\n,|()/'\"=<>");
    if (!len) return fail(p, "expected a value");
    *out = sp_strndup(p->at, len);
    p->at += len;
    return SP_OK;
}

/* An entry of this spec, or a method that exists; other settings take any value. `at` is where the
 * value stands. */
static sp_status check_value(parser *p, const char *setting, const char *value, const char *at) {
    const char *names[64] = {NULL};
    size_t n = 0;
    if (strcmp(setting, "entry") == 0) {
        for (size_t i = 0; p->entries && i < p->entries->count && n < 63; i++)
            names[n++] = p->entries->keys[i];
    } else if (strcmp(setting, "method.name") == 0) {
        for (const sp_method *const *m = sp_methods(); *m && n < 63; m++) names[n++] = (*m)->name;
    } else {
        return SP_OK;
    }
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], value) == 0) return SP_OK;
    p->at = at;
    return fail(p, "there is no %s of that name%s",
                strcmp(setting, "entry") == 0 ? "entry" : "method", sp_did_you_mean(value, names));
}

/* A setting that a claim may name; "method" is short for "method.name". The caller's. */
static sp_status read_setting(parser *p, const char *what, char **out) {
    static const char *const extra[] = {"entry", "method", "method.name", "seed", NULL};
    sp_status st = peek_name(p, what, out);
    if (st) return st;
    if (sp_check_setting(p->node, what, *out, extra)) return fail_again(p);
    p->at += strlen(*out);
    if (strcmp(*out, "method") != 0) return SP_OK;
    free(*out);
    *out = sp_strdup("method.name");
    return SP_OK;
}

static sp_status read_filter(parser *p, sp_claim_filter *filter) {
    sp_status st = read_setting(p, "a setting", &filter->setting);
    if (!st) st = expect(p, "=", "and a value after the setting");
    do {
        if (st) return st;
        skip(p);
        const char *at = p->at;
        char *value;
        if ((st = read_value(p, &value))) return st;
        sp_strings_take(&filter->values, value);
        st = check_value(p, filter->setting, value, at);
    } while (!st && take(p, "/"));
    return st;
}

static sp_status read_filters(parser *p, sp_claim_term *term) {
    sp_status st = SP_OK;
    do {
        if (term->filter_count == MOST_FILTERS)
            return fail(p, "more than %d filters", MOST_FILTERS);
        term->filters = sp_realloc(term->filters, term->filter_count + 1, sizeof *term->filters);
        term->filters[term->filter_count] = (sp_claim_filter){0};
        st = read_filter(p, &term->filters[term->filter_count++]);
    } while (!st && take(p, ","));
    return st;
}

static sp_status read_statistic(parser *p, sp_claim_statistic *out) {
    static const char *const names[] = {"mean", "spread", "vote", "best", NULL};
    char *name;
    sp_status st = peek_name(p, "mean(...), spread(...), vote(...), best(...) or a number", &name);
    if (st) return st;
    int i = 0;
    while (names[i] && strcmp(names[i], name) != 0) i++;
    if (!names[i]) st = fail(p, "use mean, spread, vote or best%s", sp_did_you_mean(name, names));
    free(name);
    if (st) return st;
    *out = (sp_claim_statistic)i;
    p->at += strlen(names[i]);
    return SP_OK;
}

static sp_status read_atom(parser *p, double weight, sp_claim_expr *out) {
    if (out->term_count == MOST_TERMS) return fail(p, "more than %d terms", MOST_TERMS);
    out->terms = sp_realloc(out->terms, out->term_count + 1, sizeof *out->terms);
    sp_claim_term *term = &out->terms[out->term_count++];
    *term = (sp_claim_term){.weight = weight};
    sp_status st = read_statistic(p, &term->statistic);
    if (!st) st = expect(p, "(", "");
    if (!st) st = read_score(p, term);
    if (!st && take(p, "|")) st = read_filters(p, term);
    return st ? st : expect(p, ")", "after the score and its filters");
}

/* ---- sums ---- */

static bool read_digits(const char **at) {
    size_t len = strspn(*at, "0123456789");
    *at += len;
    return len > 0;
}

/* Digits, a point and digits, an exponent. */
static sp_status read_number(parser *p, double *out) {
    const char *end = p->at;
    bool digits = read_digits(&end);
    if (*end == '.') end++, digits = read_digits(&end) || digits;
    if (!digits) return fail(p, "expected a number");
    if (*end == 'e' || *end == 'E') {
        end += end[1] == '-' || end[1] == '+' ? 2 : 1;
        if (!read_digits(&end)) return fail(p, "the exponent of the number is missing");
    }
    char *digits_only = sp_strndup(p->at, (size_t)(end - p->at));
    *out = strtod(digits_only, NULL);
    free(digits_only);
    if (!isfinite(*out)) return fail(p, "the number is too large");
    p->at = end;
    return SP_OK;
}

static sp_status read_sum(parser *p, double weight, sp_claim_expr *out);

/* [NUMBER "*"] ATOM, NUMBER, or a sum in parentheses, which may have a factor too. */
static sp_status read_product(parser *p, double weight, sp_claim_expr *out) {
    skip(p);
    if (strchr("0123456789.", *p->at) && *p->at) {
        double number = 0;
        sp_status st = read_number(p, &number);
        if (st) return st;
        if (!take(p, "*")) {
            out->constant += weight * number;
            return SP_OK;
        }
        weight *= number;
    }
    if (!take(p, "(")) return read_atom(p, weight, out);
    if (++p->level > MOST_LEVELS) return fail(p, "more than %d parentheses", MOST_LEVELS);
    sp_status st = read_sum(p, weight, out);
    p->level--;
    return st ? st : expect(p, ")", "");
}

static sp_status read_sum(parser *p, double weight, sp_claim_expr *out) {
    bool minus = take(p, "-");
    sp_status st = read_product(p, minus ? -weight : weight, out);
    while (!st) {
        if (take(p, "+"))
            st = read_product(p, weight, out);
        else if (take(p, "-"))
            st = read_product(p, -weight, out);
        else
            break;
    }
    return st;
}

/* ---- tests ---- */

static const char *const curve_names[] = {"rises", "falls", "rises-then-falls", "rises-then-flat",
                                          "shrinks"};
enum { CURVES = sizeof curve_names / sizeof *curve_names };

bool sp_claim_is_curve(const sp_claim_test *test) {
    return test->form >= SP_CLAIM_RISES;
}

static sp_status need_terms(parser *p, const sp_claim_test *test) {
    if (test->left.term_count + test->right.term_count) return SP_OK;
    return fail(p, "nothing here depends on a run; use mean(...)");
}

static sp_status read_curve(parser *p, sp_claim_test *out) {
    sp_status st = expect(p, "(", "");
    if (!st) st = read_sum(p, 1, &out->left);
    if (!st && !next_is(p, "over")) st = fail(p, "expected 'over' and a setting");
    if (st) return st;
    p->at += strlen("over");
    st = read_setting(p, "a setting", &out->over);
    return st ? st : expect(p, ")", "after the setting");
}

static sp_status read_relation(parser *p, sp_claim_test *out) {
    sp_status st = read_sum(p, 1, &out->left);
    if (st) return st;
    out->form = take(p, ">") ? SP_CLAIM_MORE : SP_CLAIM_LESS;
    if (out->form == SP_CLAIM_LESS && !take(p, "<")) return fail(p, "expected >, >=, < or <=");
    if (*p->at == '=') p->at++;
    return read_sum(p, 1, &out->right);
}

static sp_status read_test(parser *p, sp_claim_test *out) {
    for (int i = 0; i < CURVES; i++) {
        if (!next_is(p, curve_names[i])) continue;
        p->at += strlen(curve_names[i]);
        out->form = (sp_claim_form)(SP_CLAIM_RISES + i);
        return read_curve(p, out);
    }
    return read_relation(p, out);
}

sp_status sp_claim_parse(const sp_yaml *node, const char *id, const sp_yaml *entries,
                         const sp_strings *groups, sp_claim_test *out) {
    *out = (sp_claim_test){0};
    sp_status st = sp_yaml_expect(node, SP_YAML_SCALAR, "the test of a claim");
    if (st) return st;
    parser p = {.node = node,
                .entries = entries,
                .groups = groups,
                .id = id,
                .text = node->text,
                .at = node->text};
    if (strlen(p.text) > MOST_LETTERS)
        return sp_yaml_fail(node, "the test of claim '%s' has more than %d letters", id,
                            MOST_LETTERS);
    st = read_test(&p, out);
    if (!st) st = need_terms(&p, out);
    skip(&p);
    return st || !*p.at ? st : fail(&p, "the test should end here");
}

static void free_expr(sp_claim_expr *e) {
    for (size_t i = 0; i < e->term_count; i++) {
        sp_claim_term *term = &e->terms[i];
        for (size_t k = 0; k < term->filter_count; k++) {
            free(term->filters[k].setting);
            sp_strings_free(&term->filters[k].values);
        }
        free(term->filters), free(term->score);
    }
    free(e->terms);
}

void sp_claim_test_free(sp_claim_test *test) {
    free_expr(&test->left);
    free_expr(&test->right);
    free(test->over);
    *test = (sp_claim_test){0};
}
