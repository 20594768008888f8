#include "text/splitter.h"
#include "core/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#define WHITE                                                                                      \
    "\\t-\\r "                                                                                     \
    "\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
const char sp_gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"
                               "| ?[^" WHITE "\\p{L}\\p{N}]+"
                               "|[" WHITE "]+(?![^" WHITE "])|[" WHITE "]+";

/* The match limit lets a pattern back out of a run of ten million characters, and ends a hostile
 * one within a second. */
enum { MAX_PATTERNS = 8, MATCH_LIMIT = 20000000 };

struct sp_splitter {
    pcre2_code *patterns[MAX_PATTERNS];
    int count;
    pcre2_match_context *limits;
};

sp_splitter *sp_splitter_new(void) {
    sp_splitter *splitter = sp_alloc(1, sizeof *splitter);
    splitter->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(splitter->limits, MATCH_LIMIT);
    return splitter;
}

void sp_splitter_free(sp_splitter *splitter) {
    if (!splitter) return;
    for (int i = 0; i < splitter->count; i++) pcre2_code_free(splitter->patterns[i]);
    pcre2_match_context_free(splitter->limits);
    free(splitter);
}

sp_status sp_splitter_add(sp_splitter *splitter, const char *pattern) {
    if (splitter->count == MAX_PATTERNS)
        return sp_fail(SP_ERR_FORMAT, "more than %d split patterns", MAX_PATTERNS);
    int error;
    PCRE2_SIZE place;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &place, NULL);
    if (!code) {
        PCRE2_UCHAR reason[128];
        pcre2_get_error_message(error, reason, sizeof reason);
        return sp_fail(SP_ERR_FORMAT, "split pattern '%.60s', character %zu: %s", pattern, place,
                       (const char *)reason);
    }
    /* Without JIT (a platform that lacks it) matching is slower, with the same result. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    splitter->patterns[splitter->count++] = code;
    return SP_OK;
}

static sp_status split_from(const sp_splitter *splitter, int stage, const char *text, size_t len,
                            sp_use_word use, void *context);

static sp_status next_stage(const sp_splitter *splitter, int stage, const char *text, size_t from,
                            size_t to, sp_use_word use, void *context) {
    if (from == to) return SP_OK;
    return split_from(splitter, stage + 1, text + from, to - from, use, context);
}

static sp_status apply_pattern(const sp_splitter *splitter, int stage, pcre2_match_data *match,
                               const char *text, size_t len, sp_use_word use, void *context) {
    const pcre2_code *code = splitter->patterns[stage];
    sp_status st = SP_OK;
    size_t done = 0;
    while (!st && done < len) {
        int rc =
            pcre2_match(code, (PCRE2_SPTR)text, len, done, PCRE2_NOTEMPTY, match, splitter->limits);
        if (rc == PCRE2_ERROR_NOMATCH) break;
        if (rc < 0)
            return sp_fail(SP_ERR_FORMAT,
                           "split pattern %d of the tokenizer gives up on a text of %zu bytes "
                           "(PCRE2 error %d)",
                           stage + 1, len, rc);
        const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
        /* A pattern with \K may report a start before the place searched from. */
        size_t start = range[0] < done ? done : range[0], end = range[1];
        if (end <= start) break;
        if ((st = next_stage(splitter, stage, text, done, start, use, context))) break;
        st = next_stage(splitter, stage, text, start, end, use, context);
        done = end;
    }
    return st ? st : next_stage(splitter, stage, text, done, len, use, context);
}

static sp_status split_from(const sp_splitter *splitter, int stage, const char *text, size_t len,
                            sp_use_word use, void *context) {
    if (stage == splitter->count) {
        use(context, text, len);
        return SP_OK;
    }
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    sp_status st = apply_pattern(splitter, stage, match, text, len, use, context);
    pcre2_match_data_free(match);
    return st;
}

sp_status sp_split_words(const sp_splitter *splitter, const char *text, size_t len, sp_use_word use,
                         void *context) {
    return len ? split_from(splitter, 0, text, len, use, context) : SP_OK;
}
