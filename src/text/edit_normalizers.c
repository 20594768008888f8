/* Normalizers that edit a text as a whole: Strip, Replace, Prepend, and bytes as symbols. */
#include "text/alphabet.h"
#include "text/json_part.h"
#include "text/normalizers.h"
#include "text/pattern.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

typedef struct sides {
    bool left, right;
} sides;

static sp_status read_strip(const json_t *part, void **settings) {
    sides *s = sp_alloc(1, sizeof *s);
    s->left = sp_part_flag(part, "strip_left", true);
    s->right = sp_part_flag(part, "strip_right", true);
    *settings = s;
    return SP_OK;
}

static sp_status strip(const void *settings, const char *text, size_t len, sp_buf *out) {
    const sides *s = settings;
    if (s->right) len = sp_without_white_end(text, len);
    size_t start = s->left ? sp_white_start(text, len) : 0;
    sp_buf_append(out, text + start, len - start);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_strip = {
    .type = "Strip", .read = read_strip, .free = free, .apply = strip};

typedef struct replacement {
    sp_pattern *pattern;
    char *content;
} replacement;

static void free_replacement(void *settings) {
    replacement *r = settings;
    sp_pattern_free(r->pattern);
    free(r->content), free(r);
}

static sp_status read_replace(const json_t *part, void **settings) {
    const char *content = sp_part_text(part, "content");
    if (!content) return sp_fail(SP_ERR_FORMAT, "a Replace has no content");
    replacement *r = sp_alloc(1, sizeof *r);
    r->content = sp_strdup(content);
    sp_status st = sp_pattern_read(json_object_get(part, "pattern"), &r->pattern);
    if (st)
        free_replacement(r);
    else
        *settings = r;
    return st;
}

/* The most that a Replace may make of a text. */
static size_t most_bytes(size_t len) {
    return 64 * (len + 4096);
}

static sp_status replace(const void *settings, const char *text, size_t len, sp_buf *out) {
    const replacement *r = settings;
    sp_spans cuts = {0};
    sp_status st = sp_pattern_find(r->pattern, text, 0, len, &cuts);
    for (size_t i = 0; !st && i < cuts.len; i++) {
        const sp_span *cut = &cuts.data[i];
        if (cut->flag)
            sp_buf_puts(out, r->content);
        else
            sp_buf_append(out, text + cut->start, cut->end - cut->start);
        if (out->len > most_bytes(len))
            st = sp_fail(SP_ERR_FORMAT, "a Replace of the tokenizer makes too much of %zu bytes",
                         len);
    }
    sp_spans_free(&cuts);
    return st;
}

const sp_normalizer_kind sp_normalizer_replace = {
    .type = "Replace", .read = read_replace, .free = free_replacement, .apply = replace};

static sp_status read_prepend(const json_t *part, void **settings) {
    const char *text = sp_part_text(part, "prepend");
    if (!text) return sp_fail(SP_ERR_FORMAT, "a Prepend has no text");
    *settings = sp_strdup(text);
    return SP_OK;
}

static sp_status prepend(const void *settings, const char *text, size_t len, sp_buf *out) {
    if (len) sp_buf_puts(out, settings);
    sp_buf_append(out, text, len);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_prepend = {
    .type = "Prepend", .read = read_prepend, .free = free, .apply = prepend};

static sp_status to_symbols(const void *settings, const char *text, size_t len, sp_buf *out) {
    (void)settings;
    sp_bytes_to_symbols(text, len, out);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_byte_level = {.type = "ByteLevel", .apply = to_symbols};
