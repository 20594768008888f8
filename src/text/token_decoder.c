#include "text/token_decoder.h"
#include "text/alphabet.h"
#include "text/json_part.h"
#include "text/pattern.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 32, MAX_DEPTH = 8, MOST_GROWTH = 1024 };

typedef struct stage stage;

struct stage {
    /* Appends the decoded pieces of `in` to `out`, which is empty. */
    void (*apply)(const stage *s, const sp_pieces *in, sp_pieces *out);
    sp_pattern *pattern;     /* Replace */
    char *text;              /* prefix, suffix, replacement, content, by the kind */
    bool flag;               /* WordPiece: clean up; Metaspace: the first token loses its space */
    size_t at_start, at_end; /* Strip: how many characters */
};

struct sp_token_decoder {
    stage stages[MAX_STAGES];
    int count;
    size_t growth; /* how many bytes all Replace stages may make of one */
};

void sp_token_decoder_free(sp_token_decoder *decoder) {
    if (!decoder) return;
    for (int i = 0; i < decoder->count; i++) {
        sp_pattern_free(decoder->stages[i].pattern);
        free(decoder->stages[i].text);
    }
    free(decoder);
}

/* ---- the kinds ---- */

static const char *piece_text(const sp_pieces *pieces, size_t i, size_t *len) {
    const sp_span *span = &pieces->spans.data[i];
    *len = span->end - span->start;
    return pieces->text.data + span->start;
}

/* Makes what was appended since `start` a piece. */
static void close_piece(sp_pieces *out, size_t start) {
    sp_spans_push(&out->spans, start, out->text.len, false);
}

static void decode_byte_level(const stage *s, const sp_pieces *in, sp_pieces *out) {
    (void)s;
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        sp_symbols_to_bytes(token, len, &out->text);
    }
    close_piece(out, 0);
}

/* Replaces every `from` in what was appended since `start`. */
static void replace_tail(sp_buf *text, size_t start, const char *from, const char *to) {
    size_t from_len = strlen(from), to_len = strlen(to);
    char *write = text->data + start, *read = write, *end = text->data + text->len, *found;
    while ((found = memmem(read, (size_t)(end - read), from, from_len))) {
        memmove(write, read, (size_t)(found - read));
        write += found - read;
        memcpy(write, to, to_len);
        write += to_len;
        read = found + from_len;
    }
    memmove(write, read, (size_t)(end - read));
    text->len = (size_t)(write + (end - read) - text->data);
}

/* English as people write it; no replacement is longer than what it replaces. */
static void clean_up(sp_buf *text, size_t start) {
    static const char *const pairs[][2] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && text->len > start; i++)
        replace_tail(text, start, pairs[i][0], pairs[i][1]);
}

static void decode_wordpiece(const stage *s, const sp_pieces *in, sp_pieces *out) {
    size_t prefix = strlen(s->text);
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        size_t start = out->text.len;
        bool continues = len >= prefix && memcmp(token, s->text, prefix) == 0;
        if (i && !continues) sp_buf_putc(&out->text, ' ');
        size_t skip = i && continues ? prefix : 0;
        sp_buf_append(&out->text, token + skip, len - skip);
        if (s->flag) clean_up(&out->text, start);
        close_piece(out, start);
    }
}

static void decode_metaspace(const stage *s, const sp_pieces *in, sp_pieces *out) {
    size_t width = strlen(s->text);
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        size_t start = out->text.len;
        for (size_t at = 0; at < len;) {
            bool space = len - at >= width && memcmp(token + at, s->text, width) == 0;
            if (!space)
                sp_buf_putc(&out->text, token[at]);
            else if (i || !s->flag)
                sp_buf_putc(&out->text, ' ');
            at += space ? width : 1;
        }
        close_piece(out, start);
    }
}

static void decode_bpe(const stage *s, const sp_pieces *in, sp_pieces *out) {
    sp_spans cuts = {0};
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        size_t start = out->text.len;
        (void)sp_pattern_find(s->pattern, token, 0, len, &cuts);
        for (size_t c = 0; c < cuts.len; c++) {
            const sp_span *cut = &cuts.data[c];
            if (!cut->flag)
                sp_buf_append(&out->text, token + cut->start, cut->end - cut->start);
            else if (i + 1 < in->spans.len)
                sp_buf_putc(&out->text, ' ');
        }
        close_piece(out, start);
    }
    sp_spans_free(&cuts);
}

static void decode_replace(const stage *s, const sp_pieces *in, sp_pieces *out) {
    sp_spans cuts = {0};
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        size_t start = out->text.len;
        bool gave_up = sp_pattern_find(s->pattern, token, 0, len, &cuts) != SP_OK;
        if (gave_up) sp_buf_append(&out->text, token, len);
        for (size_t c = 0; !gave_up && c < cuts.len; c++) {
            const sp_span *cut = &cuts.data[c];
            if (cut->flag)
                sp_buf_puts(&out->text, s->text);
            else
                sp_buf_append(&out->text, token + cut->start, cut->end - cut->start);
        }
        close_piece(out, start);
    }
    sp_spans_free(&cuts);
}

static void decode_strip(const stage *s, const sp_pieces *in, sp_pieces *out) {
    size_t width = strlen(s->text);
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        size_t start = out->text.len;
        for (size_t n = 0; n < s->at_start && len >= width && !memcmp(token, s->text, width); n++)
            token += width, len -= width;
        for (size_t n = 0;
             n < s->at_end && len >= width && !memcmp(token + len - width, s->text, width); n++)
            len -= width;
        sp_buf_append(&out->text, token, len);
        close_piece(out, start);
    }
}

static void decode_fuse(const stage *s, const sp_pieces *in, sp_pieces *out) {
    (void)s;
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        sp_buf_append(&out->text, token, len);
    }
    close_piece(out, 0);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of a token "<0x0A>", -1 if it is none. */
static int byte_of(const char *token, size_t len) {
    if (len != 6 || memcmp(token, "<0x", 3) != 0 || token[5] != '>') return -1;
    int high = hex_digit(token[3]), low = hex_digit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A run of bytes is text if it is UTF-8, else every byte is U+FFFD. */
static void put_bytes(sp_buf *bytes, sp_pieces *out) {
    size_t start = out->text.len;
    if (!bytes->len) return;
    bool broken = false;
    for (size_t at = 0; at < bytes->len && !broken;) {
        int c;
        at += sp_utf8_next(bytes->data + at, bytes->len - at, &c);
        broken = c < 0;
    }
    for (size_t i = 0; broken && i < bytes->len; i++) sp_buf_puts(&out->text, "\xef\xbf\xbd");
    if (!broken) sp_buf_append(&out->text, bytes->data, bytes->len);
    close_piece(out, start);
    sp_buf_clear(bytes);
}

static void decode_byte_fallback(const stage *s, const sp_pieces *in, sp_pieces *out) {
    (void)s;
    sp_buf bytes = {0};
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        int byte = byte_of(token, len);
        if (byte >= 0) {
            sp_buf_putc(&bytes, (char)byte);
            continue;
        }
        put_bytes(&bytes, out);
        size_t start = out->text.len;
        sp_buf_append(&out->text, token, len);
        close_piece(out, start);
    }
    put_bytes(&bytes, out);
    sp_buf_free(&bytes);
}

static void decode_plain(const stage *s, const sp_pieces *in, sp_pieces *out) {
    (void)s;
    for (size_t i = 0, len; i < in->spans.len; i++) {
        const char *token = piece_text(in, i, &len);
        if (i) sp_buf_putc(&out->text, ' ');
        sp_buf_append(&out->text, token, len);
    }
    close_piece(out, 0);
}

/* ---- reading ---- */

static sp_status read_nothing(const json_t *part, stage *s) {
    (void)part, (void)s;
    return SP_OK;
}

static sp_status read_wordpiece(const json_t *part, stage *s) {
    const char *prefix = sp_part_text(part, "prefix");
    s->text = sp_strdup(prefix ? prefix : "##");
    s->flag = sp_part_flag(part, "cleanup", true);
    return SP_OK;
}

static sp_status read_metaspace(const json_t *part, stage *s) {
    const char *replacement = sp_part_text(part, "replacement");
    const char *scheme = sp_part_text(part, "prepend_scheme");
    s->text = sp_strdup(replacement && *replacement ? replacement : "\xe2\x96\x81");
    s->flag = scheme ? strcmp(scheme, "never") != 0 : sp_part_flag(part, "add_prefix_space", true);
    return SP_OK;
}

static sp_status read_bpe(const json_t *part, stage *s) {
    const char *suffix = sp_part_text(part, "suffix");
    s->pattern = sp_pattern_of_text(suffix && *suffix ? suffix : "</w>");
    return SP_OK;
}

static sp_status read_replace(const json_t *part, stage *s) {
    const char *content = sp_part_text(part, "content");
    if (!content) return sp_fail(SP_ERR_FORMAT, "a Replace decoder has no content");
    s->text = sp_strdup(content);
    return sp_pattern_read(json_object_get(part, "pattern"), &s->pattern);
}

static sp_status read_strip(const json_t *part, stage *s) {
    const char *content = sp_part_text(part, "content");
    json_int_t start = json_integer_value(json_object_get(part, "start"));
    json_int_t stop = json_integer_value(json_object_get(part, "stop"));
    if (!content || !*content || start < 0 || stop < 0)
        return sp_fail(SP_ERR_FORMAT, "a Strip decoder needs content, start and stop");
    s->text = sp_strdup(content);
    s->at_start = (size_t)start, s->at_end = (size_t)stop;
    return SP_OK;
}

typedef struct kind {
    const char *type;
    sp_status (*read)(const json_t *part, stage *out);
    void (*apply)(const stage *s, const sp_pieces *in, sp_pieces *out);
} kind;

static const kind kinds[] = {
    {"ByteLevel", read_nothing, decode_byte_level},
    {"WordPiece", read_wordpiece, decode_wordpiece},
    {"Metaspace", read_metaspace, decode_metaspace},
    {"BPEDecoder", read_bpe, decode_bpe},
    {"Replace", read_replace, decode_replace},
    {"Strip", read_strip, decode_strip},
    {"Fuse", read_nothing, decode_fuse},
    {"ByteFallback", read_nothing, decode_byte_fallback},
};

/* A match of an expression may be empty; one of a string is its length. */
static sp_status check_growth(sp_token_decoder *decoder, const json_t *part, const stage *s) {
    if (s->apply != decode_replace) return SP_OK;
    const char *text = sp_part_text(json_object_get(part, "pattern"), "String");
    size_t len = strlen(s->text);
    size_t factor = text ? len / strlen(text) : len;
    if (factor < MOST_GROWTH) decoder->growth *= factor + (text ? len % strlen(text) > 0 : 1);
    if (factor < MOST_GROWTH && !decoder->growth) decoder->growth = 1;
    if (factor < MOST_GROWTH && decoder->growth <= MOST_GROWTH) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "the Replace decoders make over %d bytes of one", MOST_GROWTH);
}

static sp_status add_stage(sp_token_decoder *decoder, const json_t *part) {
    if (decoder->count == MAX_STAGES)
        return sp_fail(SP_ERR_FORMAT, "more than %d decoders", MAX_STAGES);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!sp_part_is(part, kinds[i].type)) continue;
        stage *s = &decoder->stages[decoder->count++];
        s->apply = kinds[i].apply;
        sp_status st = kinds[i].read(part, s);
        return st ? st : check_growth(decoder, part, s);
    }
    return sp_fail(SP_ERR_FORMAT, "decoder %.40s is not supported", sp_part_type(part));
}

static sp_status add_part(sp_token_decoder *decoder, const json_t *part, int depth) {
    if (!sp_part_is(part, "Sequence")) return add_stage(decoder, part);
    if (depth == MAX_DEPTH)
        return sp_fail(SP_ERR_FORMAT, "decoders are nested deeper than %d", MAX_DEPTH);
    size_t i;
    json_t *inner;
    json_array_foreach(json_object_get(part, "decoders"), i, inner) {
        sp_status st = add_part(decoder, inner, depth + 1);
        if (st) return st;
    }
    return SP_OK;
}

sp_status sp_token_decoder_read(const json_t *part, sp_token_decoder **out) {
    *out = NULL;
    sp_token_decoder *decoder = sp_alloc(1, sizeof *decoder);
    decoder->growth = 1;
    if (sp_part_absent(part)) decoder->stages[decoder->count++].apply = decode_plain;
    sp_status st = sp_part_absent(part) ? SP_OK : add_part(decoder, part, 0);
    if (st)
        sp_token_decoder_free(decoder);
    else
        *out = decoder;
    return st;
}

/* ---- use ---- */

void sp_token_decode(const sp_token_decoder *decoder, sp_pieces *tokens) {
    sp_pieces out = {0};
    for (int i = 0; i < decoder->count && tokens->spans.len && tokens->text.data; i++) {
        const stage *s = &decoder->stages[i];
        sp_pieces_clear(&out);
        s->apply(s, tokens, &out);
        sp_pieces swapped = *tokens;
        *tokens = out;
        out = swapped;
    }
    sp_pieces_free(&out);
}
