#include "core/option.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static int min3(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein distance; long words are compared by their first 63 letters. */
static int edit_distance(const char *a, const char *b) {
    int row[LONGEST_WORD + 1];
    size_t m = strnlen(a, LONGEST_WORD), n = strnlen(b, LONGEST_WORD);
    for (size_t j = 0; j <= n; j++) row[j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *sp_nearest_word(const char *word, const char *const *names) {
    const char *best = NULL;
    int best_distance = 2 + (int)strnlen(word, LONGEST_WORD) / 3;
    for (; *names; names++) {
        int d = edit_distance(word, *names);
        if (d < best_distance) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}

const char *sp_did_you_mean(const char *word, const char *const *names) {
    static _Thread_local char hint[256];
    const char *near = sp_nearest_word(word, names);
    *hint = '\0';
    if (near) snprintf(hint, sizeof hint, "; did you mean '%s'?", near);
    return hint;
}

const sp_option *sp_options_find(const sp_option *table, const char *name) {
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0) return table;
    return NULL;
}

static sp_status unknown_option(const sp_option *table, const char *name) {
    const char *names[64];
    size_t n = 0;
    for (; table->name && n < 63; table++) names[n++] = table->name;
    names[n] = NULL;
    return sp_fail(SP_ERR_SPEC, "unknown key '%s'%s", name, sp_did_you_mean(name, names));
}

static bool is_choice(const char *choices, const char *value) {
    size_t n = strcspn(value, "|");
    if (value[n]) return false;
    for (const char *p = choices; p && *p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, value, n) == 0 && (p[n] == '|' || p[n] == '\0')) return n > 0;
    return false;
}

static sp_status set_number(const sp_option *o, void *field, const char *value) {
    char *end;
    double x = strtod(value, &end);
    bool whole = o->type == SP_REAL || x == floor(x);
    if (end == value || *end || !isfinite(x) || !whole)
        return sp_fail(SP_ERR_SPEC, "%s is '%s'; use a%s number", o->name, value,
                       o->type == SP_INT ? " whole" : "");
    if (x < o->min || x > o->max)
        return sp_fail(SP_ERR_SPEC, "%s is %s; use %g to %g", o->name, value, o->min, o->max);
    if (o->type == SP_INT)
        *(int *)field = (int)x;
    else
        *(double *)field = x;
    return SP_OK;
}

static sp_status set_text(const sp_option *o, void *field, const char *value) {
    if (o->type == SP_CHOICE && !is_choice(o->choices, value))
        return sp_fail(SP_ERR_SPEC, "%s is '%s'; use one of %s", o->name, value, o->choices);
    if (strlen(value) >= SP_OPTION_TEXT)
        return sp_fail(SP_ERR_SPEC, "%s is longer than %d bytes", o->name, SP_OPTION_TEXT - 1);
    snprintf(field, SP_OPTION_TEXT, "%s", value);
    return SP_OK;
}

sp_status sp_options_set(const sp_option *table, void *settings, const char *name,
                         const char *value) {
    const sp_option *o = sp_options_find(table, name);
    if (!o) return unknown_option(table, name);
    void *field = (char *)settings + o->offset;
    switch (o->type) {
    case SP_INT:
    case SP_REAL:
        return set_number(o, field, value);
    case SP_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return sp_fail(SP_ERR_SPEC, "%s is '%s'; use true or false", name, value);
        *(bool *)field = value[0] == 't';
        return SP_OK;
    case SP_CHOICE:
    case SP_TEXT:
        break;
    }
    return set_text(o, field, value);
}

void sp_options_default(const sp_option *table, void *settings) {
    for (const sp_option *o = table; o->name; o++)
        if (sp_options_set(table, settings, o->name, o->fallback))
            sp_panic("default of option %s: %s", o->name, sp_error());
}

char *sp_options_get(const sp_option *o, const void *settings) {
    const void *field = (const char *)settings + o->offset;
    switch (o->type) {
    case SP_INT:
        return sp_format("%d", *(const int *)field);
    case SP_REAL:
        return sp_format("%.17g", *(const double *)field);
    case SP_BOOL:
        return sp_strdup(*(const bool *)field ? "true" : "false");
    case SP_CHOICE:
    case SP_TEXT:
        break;
    }
    return sp_strdup(field);
}
