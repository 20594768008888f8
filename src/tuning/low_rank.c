#include "tuning/low_rank.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char *last_part(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static bool matches(const char *pattern, const sp_projection *p) {
    return fnmatch(pattern, p->name, 0) == 0 || fnmatch(pattern, last_part(p->name), 0) == 0;
}

static sp_status no_match(const sp_model *m, const char *pattern) {
    sp_buf names = {0};
    for (int i = 0; i < m->projection_count && m->projections[i].layer == 0; i++)
        sp_buf_printf(&names, "%s%s", i ? ", " : "", m->projections[i].name);
    sp_status st =
        sp_fail(SP_ERR_SPEC,
                "targets has '%s', which matches no linear map; every layer has those of "
                "layer 0: %s; use such a name, its last part, or a pattern with * and ?",
                pattern, names.data);
    sp_buf_free(&names);
    return st;
}

/* Marks what one pattern matches. */
static sp_status mark(const sp_model *m, const char *pattern, bool *chosen) {
    bool any = false;
    for (int i = 0; i < m->projection_count; i++) {
        if (!matches(pattern, &m->projections[i])) continue;
        chosen[i] = any = true;
    }
    return any ? SP_OK : no_match(m, pattern);
}

sp_status sp_low_rank_targets(const sp_tuner *tuner, sp_ints *out) {
    const sp_model *m = tuner->model;
    bool *chosen = sp_alloc((size_t)m->projection_count, sizeof *chosen);
    bool automatic = strcmp(tuner->options.targets, "auto") == 0;
    char *patterns = sp_strdup(automatic ? m->family->targets : tuner->options.targets);
    char *rest = patterns, *pattern;
    sp_status st = SP_OK;
    while (!st && (pattern = strsep(&rest, ","))) {
        pattern += strspn(pattern, " ");
        pattern[strcspn(pattern, " ")] = '\0';
        st = mark(m, pattern, chosen);
    }
    for (int i = 0; !st && i < m->projection_count; i++)
        if (chosen[i]) sp_ints_push(out, i);
    free(patterns);
    free(chosen);
    return st;
}
