/* How PEFT names modules: ends of names, regular expressions, patterns with a number. */
#include "tuning/peft_config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* A hostile expression ends soon; a name has some fifty characters. */
enum { LONGEST_PATTERN = 4096, MOST_PATTERNS = 16384, MATCH_LIMIT = 10000 };

/* `name` is `end` or ends in a dot and it. */
static bool has_end(const char *name, const char *end) {
    size_t n = strlen(name), k = strlen(end);
    if (k > n || strcmp(name + n - k, end) != 0) return false;
    return k == n || name[n - k - 1] == '.';
}

/* ---- regular expressions ---- */

static sp_status bad_pattern(const sp_peft_config *c, const char *pattern, int error) {
    PCRE2_UCHAR reason[128];
    pcre2_get_error_message(error, reason, sizeof reason);
    return sp_fail(SP_ERR_FORMAT, "%s: the regular expression '%.60s' cannot be used: %s", c->path,
                   pattern, (const char *)reason);
}

/* Whether the expression matches the whole name. */
static sp_status match_whole(const sp_peft_config *c, const char *pattern, const char *name,
                             bool *matches) {
    *matches = false;
    if (strlen(pattern) > LONGEST_PATTERN)
        return sp_fail(SP_ERR_FORMAT, "%s: a regular expression has %zu characters; at most %d",
                       c->path, strlen(pattern), LONGEST_PATTERN);
    int error;
    PCRE2_SIZE place;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error, &place, NULL);
    if (!code) return bad_pattern(c, pattern, error);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    int rc = pcre2_match(code, (PCRE2_SPTR)name, strlen(name), 0, 0, data, limits);
    *matches = rc >= 0;
    sp_status st = rc >= 0 || rc == PCRE2_ERROR_NOMATCH ? SP_OK : bad_pattern(c, pattern, rc);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return st;
}

/* Whether an end of the name matches: (.*\.)?(pattern). Nearly all patterns are names as they
 * stand, which need no expression: in them only the dot stands for any character. */
static sp_status match_end(const sp_peft_config *c, const char *pattern, const char *name,
                           bool *matches) {
    size_t n = strlen(name), k = strlen(pattern);
    if (!strpbrk(pattern, "\\^$|?*+()[]{}")) {
        *matches = k <= n && (k == n || name[n - k - 1] == '.');
        for (size_t i = 0; *matches && i < k; i++)
            *matches = pattern[i] == '.' || pattern[i] == name[n - k + i];
        return SP_OK;
    }
    char *whole = sp_format("(?:.*\\.)?(?:%s)", pattern);
    sp_status st = match_whole(c, whole, name, matches);
    free(whole);
    return st;
}

/* ---- targets ---- */

/* A list of ends of names, or an expression for the whole name. */
static sp_status match_list(const sp_peft_config *c, const char *key, const char *name,
                            bool *matches) {
    const json_t *value = json_object_get(c->root, key), *item;
    *matches = false;
    if (json_is_string(value)) return match_whole(c, json_string_value(value), name, matches);
    size_t i;
    json_array_foreach(value, i, item) {
        if (!json_is_string(item))
            return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" has an entry that is no text", c->path, key);
        *matches = *matches || has_end(name, json_string_value(item));
    }
    return SP_OK;
}

static sp_status check_target_value(const sp_peft_config *c) {
    const json_t *value = json_object_get(c->root, "target_modules");
    if (json_is_string(value) || (json_is_array(value) && json_array_size(value) <= MOST_PATTERNS))
        return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: \"target_modules\" must be a list of at most %d names or a regular "
                   "expression",
                   c->path, MOST_PATTERNS);
}

/* "all-linear" is PEFT's word for every linear map but the head. */
static bool takes_all(const sp_peft_config *c) {
    const char *text = json_string_value(json_object_get(c->root, "target_modules"));
    return text && strcasecmp(text, "all-linear") == 0;
}

sp_status sp_peft_targets(const sp_peft_config *c, const sp_model *m, bool *chosen) {
    sp_status st = check_target_value(c);
    bool any = false, all = takes_all(c);
    for (int i = 0; !st && i < m->projection_count; i++) {
        bool excluded;
        chosen[i] = all;
        if (!all) st = match_list(c, "target_modules", m->projections[i].name, &chosen[i]);
        if (!st) st = match_list(c, "exclude_modules", m->projections[i].name, &excluded);
        if (!st) chosen[i] = chosen[i] && !excluded;
        any = any || chosen[i];
    }
    if (!st && !any)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: \"target_modules\" names no linear map of this model (its first is %s); "
                     "use the model that the adapter was made for",
                     c->path, m->projections[0].name);
    return st;
}

/* A linear map's name within its block: behind the first number. */
static const char *name_in_block(const char *name) {
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t digits = strspn(dot + 1, "0123456789");
        if (digits && dot[1 + digits] == '.') return dot + digits + 2;
    }
    return name;
}

static bool in_array(const json_t *list, const char *text) {
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item) if (strcmp(json_string_value(item), text) == 0) return true;
    return false;
}

/* Whether the ends in `list` name no linear map that is not chosen. */
static bool names_only_chosen(const json_t *list, const sp_model *m, const bool *chosen) {
    const json_t *item;
    size_t k;
    for (int i = 0; i < m->projection_count; i++)
        json_array_foreach(list, k,
                           item) if (!chosen[i] && has_end(m->projections[i].name,
                                                           json_string_value(item))) return false;
    return true;
}

json_t *sp_peft_target_names(const sp_model *m, const bool *chosen) {
    json_t *ends = json_array(), *names = json_array();
    for (int i = 0; i < m->projection_count; i++) {
        if (!chosen[i]) continue;
        const char *name = m->projections[i].name, *end = name_in_block(name);
        json_array_append_new(names, json_string(name));
        if (!in_array(ends, end)) json_array_append_new(ends, json_string(end));
    }
    bool exact = names_only_chosen(ends, m, chosen);
    json_decref(exact ? names : ends);
    return exact ? ends : names;
}

/* ---- patterns ---- */

/* The first entry of a table of patterns that matches the module; NULL if none does. */
static sp_status find_entry(const sp_peft_config *c, const char *patterns, const char *module,
                            const json_t **out) {
    json_t *table = json_object_get(c->root, patterns), *value;
    const char *pattern;
    *out = NULL;
    if (!table || json_is_null(table)) return SP_OK;
    if (!json_is_object(table) || json_object_size(table) > MOST_PATTERNS)
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be an object of at most %d entries", c->path,
                       patterns, MOST_PATTERNS);
    json_object_foreach(table, pattern, value) {
        bool matches;
        sp_status st = match_end(c, pattern, module, &matches);
        if (st) return st;
        if (matches) {
            *out = value;
            return SP_OK;
        }
    }
    return SP_OK;
}

sp_status sp_peft_module_number(const sp_peft_config *c, const char *patterns, const char *key,
                                const char *module, double least, double most, double *out) {
    const json_t *value;
    sp_status st = find_entry(c, patterns, module, &value);
    if (st) return st;
    const char *place = value ? patterns : key;
    if (!value) value = json_object_get(c->root, key);
    *out = json_number_value(value);
    if (!json_is_number(value) || !(*out >= least) || !(*out <= most))
        return sp_fail(SP_ERR_FORMAT, "%s: \"%s\" must be a number from %g to %g for %s", c->path,
                       place, least, most, module);
    return SP_OK;
}
