#include "text/pre_tokenizer.h"
#include "text/alphabet.h"
#include "text/json_part.h"
#include "text/pattern.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 32, MAX_DEPTH = 8 };

typedef enum when { NEVER, FIRST, ALWAYS } when;

/* What a stage does to each piece, in this order; each part may be missing. */
typedef struct stage {
    char *space;         /* stands for ' ' */
    char *prefix;        /* put before a piece that does not begin with it ... */
    when prefix_when;    /* ... at these pieces */
    sp_pattern *pattern; /* where the piece is cut, ... */
    bool invert;         /* ... or where it is not */
    sp_cutting cutting;
    bool to_symbols; /* bytes -> byte-level symbols */
} stage;

struct sp_pre_tokenizer {
    stage stages[MAX_STAGES];
    int count;
    bool gives_bytes;
};

void sp_pre_tokenizer_free(sp_pre_tokenizer *pre_tokenizer) {
    if (!pre_tokenizer) return;
    for (int i = 0; i < pre_tokenizer->count; i++) {
        stage *s = &pre_tokenizer->stages[i];
        free(s->space), free(s->prefix);
        sp_pattern_free(s->pattern);
    }
    free(pre_tokenizer);
}

bool sp_pre_tokenizer_gives_bytes(const sp_pre_tokenizer *pre_tokenizer) {
    return pre_tokenizer->gives_bytes;
}

/* ---- reading ---- */

static sp_status read_byte_level(const json_t *part, stage *s) {
    s->to_symbols = true;
    if (sp_part_flag(part, "add_prefix_space", true)) {
        s->prefix = sp_strdup(" ");
        s->prefix_when = ALWAYS;
    }
    s->cutting = SP_CUT_ISOLATED;
    return sp_part_flag(part, "use_regex", true) ? sp_pattern_new(sp_gpt2_pattern, &s->pattern)
                                                 : SP_OK;
}

static sp_status read_cutting(const json_t *part, const char *fallback, sp_cutting *out) {
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    const char *name = sp_part_text(part, "behavior");
    if (!name) name = fallback;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *out = (sp_cutting)i;
        if (strcmp(name, names[i]) == 0) return SP_OK;
    }
    return sp_fail(SP_ERR_FORMAT, "behavior '%.40s' of a pre-tokenizer is not known", name);
}

static sp_status read_split(const json_t *part, stage *s) {
    s->invert = sp_part_flag(part, "invert", false);
    sp_status st = read_cutting(part, "", &s->cutting);
    return st ? st : sp_pattern_read(json_object_get(part, "pattern"), &s->pattern);
}

static sp_status read_punctuation(const json_t *part, stage *s) {
    s->pattern = sp_pattern_of_class(sp_is_punctuation);
    return read_cutting(part, "Isolated", &s->cutting);
}

static sp_status read_digits(const json_t *part, stage *s) {
    s->pattern = sp_pattern_of_class(sp_is_numeric);
    s->cutting =
        sp_part_flag(part, "individual_digits", false) ? SP_CUT_ISOLATED : SP_CUT_CONTIGUOUS;
    return SP_OK;
}

static sp_status read_white_split(const json_t *part, stage *s) {
    (void)part;
    s->pattern = sp_pattern_of_class(sp_is_white);
    s->cutting = SP_CUT_REMOVED;
    return SP_OK;
}

static sp_status read_delimiter(const json_t *part, stage *s) {
    const char *delimiter = sp_part_text(part, "delimiter");
    if (!delimiter || !*delimiter)
        return sp_fail(SP_ERR_FORMAT, "CharDelimiterSplit has no delimiter");
    s->pattern = sp_pattern_of_text(delimiter);
    s->cutting = SP_CUT_REMOVED;
    return SP_OK;
}

static sp_status read_scheme(const json_t *part, when *out) {
    static const char *const names[] = {"never", "first", "always"};
    const char *name = sp_part_text(part, "prepend_scheme");
    *out = sp_part_flag(part, "add_prefix_space", true) ? ALWAYS : NEVER;
    if (!name) return SP_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *out = (when)i;
        if (strcmp(name, names[i]) == 0) return SP_OK;
    }
    return sp_fail(SP_ERR_FORMAT, "prepend_scheme is '%.40s'; use always, first or never", name);
}

static sp_status read_metaspace(const json_t *part, stage *s) {
    const char *replacement = sp_part_text(part, "replacement");
    if (!replacement || !*replacement) replacement = "\xe2\x96\x81";
    if (strlen(replacement) > 4)
        return sp_fail(SP_ERR_FORMAT, "Metaspace's replacement is more than one character");
    s->space = sp_strdup(replacement);
    s->prefix = sp_strdup(replacement);
    if (sp_part_flag(part, "split", true)) s->pattern = sp_pattern_of_text(replacement);
    s->cutting = SP_CUT_MERGED_WITH_NEXT;
    return read_scheme(part, &s->prefix_when);
}

typedef struct kind {
    const char *type;
    sp_status (*read)(const json_t *part, stage *out);
} kind;

static const kind kinds[] = {
    {"ByteLevel", read_byte_level},
    {"Split", read_split},
    {"Digits", read_digits},
    {"Punctuation", read_punctuation},
    {"WhitespaceSplit", read_white_split},
    {"Metaspace", read_metaspace},
    {"CharDelimiterSplit", read_delimiter},
};

static sp_status new_stage(sp_pre_tokenizer *pre_tokenizer, stage **out) {
    if (pre_tokenizer->count == MAX_STAGES)
        return sp_fail(SP_ERR_FORMAT, "more than %d pre-tokenizers", MAX_STAGES);
    *out = &pre_tokenizer->stages[pre_tokenizer->count++];
    return SP_OK;
}

/* A cut at white space, which is removed, and one more at a class of characters. */
static sp_status add_white_and(sp_pre_tokenizer *pre_tokenizer, bool (*contains)(int c),
                               sp_cutting cutting) {
    stage *white = NULL, *other = NULL;
    sp_status st;
    if ((st = new_stage(pre_tokenizer, &white))) return st;
    if ((st = read_white_split(NULL, white))) return st;
    if ((st = new_stage(pre_tokenizer, &other))) return st;
    other->pattern = sp_pattern_of_class(contains);
    other->cutting = cutting;
    return SP_OK;
}

static sp_status add_stage(sp_pre_tokenizer *pre_tokenizer, const json_t *part) {
    if (sp_part_is(part, "BertPreTokenizer"))
        return add_white_and(pre_tokenizer, sp_is_punctuation, SP_CUT_ISOLATED);
    if (sp_part_is(part, "Whitespace"))
        return add_white_and(pre_tokenizer, sp_is_word, SP_CUT_CONTIGUOUS);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!sp_part_is(part, kinds[i].type)) continue;
        stage *s = NULL;
        sp_status st = new_stage(pre_tokenizer, &s);
        return st ? st : kinds[i].read(part, s);
    }
    return sp_fail(SP_ERR_FORMAT, "pre-tokenizer %.40s is not supported", sp_part_type(part));
}

static sp_status add_part(sp_pre_tokenizer *pre_tokenizer, const json_t *part, int depth) {
    if (!sp_part_is(part, "Sequence")) return add_stage(pre_tokenizer, part);
    if (depth == MAX_DEPTH)
        return sp_fail(SP_ERR_FORMAT, "pre-tokenizers are nested deeper than %d", MAX_DEPTH);
    size_t i;
    json_t *inner;
    json_array_foreach(json_object_get(part, "pretokenizers"), i, inner) {
        sp_status st = add_part(pre_tokenizer, inner, depth + 1);
        if (st) return st;
    }
    return SP_OK;
}

/* The symbols of the last stage are left to the model. */
static void leave_bytes(sp_pre_tokenizer *pre_tokenizer) {
    if (!pre_tokenizer->count) return;
    stage *last = &pre_tokenizer->stages[pre_tokenizer->count - 1];
    pre_tokenizer->gives_bytes = last->to_symbols;
    last->to_symbols = false;
}

sp_status sp_pre_tokenizer_read(const json_t *part, sp_pre_tokenizer **out) {
    sp_pre_tokenizer *pre_tokenizer = sp_alloc(1, sizeof *pre_tokenizer);
    sp_status st = sp_part_absent(part) ? SP_OK : add_part(pre_tokenizer, part, 0);
    leave_bytes(pre_tokenizer);
    if (st) {
        sp_pre_tokenizer_free(pre_tokenizer);
        pre_tokenizer = NULL;
    }
    *out = pre_tokenizer;
    return st;
}

/* ---- use ---- */

void sp_pre_tokenizer_scratch_free(sp_pre_tokenizer_scratch *scratch) {
    sp_pieces_free(&scratch->other);
    sp_spans_free(&scratch->cuts);
}

static void put_replaced(const char *text, size_t len, const char *space, sp_buf *out) {
    size_t width = strlen(space);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            sp_buf_append(out, space, width);
        else
            sp_buf_putc(out, text[i]);
    }
}

static bool begins_with(const sp_buf *text, size_t start, const char *prefix) {
    size_t len = strlen(prefix);
    return text->len - start >= len && memcmp(text->data + start, prefix, len) == 0;
}

/* The pieces with spaces replaced and prefixes added. */
static void rewrite(const stage *s, const sp_pieces *in, sp_pieces *out) {
    sp_buf piece = {0};
    for (size_t i = 0; i < in->spans.len; i++) {
        const sp_span *span = &in->spans.data[i];
        sp_buf_clear(&piece);
        const char *text = in->text.data + span->start;
        if (s->space)
            put_replaced(text, span->end - span->start, s->space, &piece);
        else
            sp_buf_append(&piece, text, span->end - span->start);
        bool wanted = s->prefix_when == ALWAYS || (s->prefix_when == FIRST && span->flag);
        size_t start = out->text.len;
        if (wanted && !begins_with(&piece, 0, s->prefix)) sp_buf_puts(&out->text, s->prefix);
        sp_buf_append(&out->text, piece.data, piece.len);
        sp_spans_push(&out->spans, start, out->text.len, span->flag);
    }
    sp_buf_free(&piece);
}

static void put_symbols(const sp_pieces *in, sp_pieces *out) {
    for (size_t i = 0; i < in->spans.len; i++) {
        const sp_span *span = &in->spans.data[i];
        size_t start = out->text.len;
        sp_bytes_to_symbols(in->text.data + span->start, span->end - span->start, &out->text);
        sp_spans_push(&out->spans, start, out->text.len, span->flag);
    }
}

static sp_status cut(const stage *s, const sp_pieces *in, sp_spans *cuts, sp_spans *out) {
    for (size_t i = 0; i < in->spans.len; i++) {
        const sp_span *piece = &in->spans.data[i];
        sp_status st = sp_pattern_find(s->pattern, in->text.data, piece->start, piece->end, cuts);
        if (st) return st;
        for (size_t c = 0; s->invert && c < cuts->len; c++)
            cuts->data[c].flag = !cuts->data[c].flag;
        sp_cut_piece(cuts, s->cutting, piece, out);
    }
    return SP_OK;
}

static void swap(sp_pieces *a, sp_pieces *b) {
    sp_pieces c = *a;
    *a = *b;
    *b = c;
}

static void swap_spans(sp_spans *a, sp_spans *b) {
    sp_spans c = *a;
    *a = *b;
    *b = c;
}

static sp_status apply_stage(const stage *s, sp_pre_tokenizer_scratch *scratch, sp_pieces *pieces) {
    sp_pieces *other = &scratch->other;
    if (s->prefix || s->space) {
        sp_pieces_clear(other);
        rewrite(s, pieces, other);
        swap(pieces, other);
    }
    if (s->pattern) {
        other->spans.len = 0;
        sp_status st = cut(s, pieces, &scratch->cuts, &other->spans);
        if (st) return st;
        swap_spans(&pieces->spans, &other->spans);
    }
    if (s->to_symbols) {
        sp_pieces_clear(other);
        put_symbols(pieces, other);
        swap(pieces, other);
    }
    return SP_OK;
}

/* A stage adds a few bytes to each piece, which the next may cut once more. */
static sp_status check_growth(size_t before, size_t after) {
    if (after / 32 <= before + 64) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "the tokenizer's pre-tokenizers make %zu bytes of %zu", after,
                   before);
}

sp_status sp_pre_tokenize(const sp_pre_tokenizer *pre_tokenizer, const char *text, size_t len,
                          bool at_start, sp_pre_tokenizer_scratch *scratch, sp_pieces *out) {
    sp_pieces_clear(out);
    sp_buf_append(&out->text, text, len);
    if (len) sp_spans_push(&out->spans, 0, len, at_start);
    sp_status st = SP_OK;
    for (int i = 0; !st && i < pre_tokenizer->count; i++) {
        st = apply_stage(&pre_tokenizer->stages[i], scratch, out);
        if (!st) st = check_growth(len, out->text.len);
    }
    return st;
}
