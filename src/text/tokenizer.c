#include "text/tokenizer.h"
#include "core/file.h"
#include "text/alphabet.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct word_sink {
    const sp_tokenizer *tokenizer;
    void *scratch; /* of the model */
    sp_buf normal;
    sp_ints *out;
    sp_status status;
} word_sink;

static void encode_word(void *context, const char *word, size_t len) {
    word_sink *sink = context;
    const sp_tokenizer *tokenizer = sink->tokenizer;
    if (!sink->status)
        sink->status =
            tokenizer->kind->encode(tokenizer->model, sink->scratch, word, len, sink->out);
}

/* Text without added tokens. */
static sp_status encode_plain(const sp_tokenizer *tokenizer, const char *text, size_t len,
                              word_sink *sink) {
    if (!len) return SP_OK;
    sp_status st;
    if (tokenizer->normalizer) {
        if ((st = sp_normalize(tokenizer->normalizer, text, len, &sink->normal))) return st;
        text = sink->normal.data, len = sink->normal.len;
        if (!len) return SP_OK;
    }
    sp_buf spaced = {0};
    if (tokenizer->prefix_space && text[0] != ' ') {
        sp_buf_putc(&spaced, ' ');
        sp_buf_append(&spaced, text, len);
        text = spaced.data, len = spaced.len;
    }
    st = sp_split_words(tokenizer->splitter, text, len, encode_word, sink);
    sp_buf_free(&spaced);
    return st ? st : sink->status;
}

static const sp_added_token *added_at(const sp_tokenizer *tokenizer, const char *text, size_t len) {
    if (!tokenizer->starts_added[(unsigned char)*text]) return NULL;
    for (int i = 0; i < tokenizer->added_count; i++) {
        const sp_added_token *added = &tokenizer->added[i];
        if (added->len <= len && memcmp(added->text, text, added->len) == 0) return added;
    }
    return NULL;
}

/* Bytes of the white-space character at the start of the text, 0 if there is none. */
static size_t white_width(const char *text, size_t len) {
    utf8proc_int32_t c;
    utf8proc_ssize_t width =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &c);
    if (width <= 0) return 0;
    utf8proc_category_t category = utf8proc_category(c);
    bool white = (c >= '\t' && c <= '\r') || c == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
                 category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
    return white ? (size_t)width : 0;
}

/* Length of the text without white space at its end. */
static size_t stripped_length(const char *text, size_t len) {
    for (;;) {
        size_t start = len;
        while (start && len - start < 3 && ((unsigned char)text[--start] & 0xc0) == 0x80) continue;
        size_t width = white_width(text + start, len - start);
        if (!width || start + width != len) return len;
        len = start;
    }
}

static size_t white_prefix(const char *text, size_t len) {
    size_t at = 0;
    for (size_t width; at < len && (width = white_width(text + at, len - at)); at += width)
        continue;
    return at;
}

static sp_status encode_text(const sp_tokenizer *tokenizer, const char *text, size_t len,
                             word_sink *sink) {
    size_t done = 0, at = 0;
    while (at < len) {
        const sp_added_token *added = added_at(tokenizer, text + at, len - at);
        if (!added) {
            at++;
            continue;
        }
        size_t plain = at - done;
        if (added->strip_left) plain = stripped_length(text + done, plain);
        sp_status st = encode_plain(tokenizer, text + done, plain, sink);
        if (st) return st;
        sp_ints_push(sink->out, added->id);
        at += added->len;
        if (added->strip_right) at += white_prefix(text + at, len - at);
        done = at;
    }
    return encode_plain(tokenizer, text + done, len - done, sink);
}

sp_status sp_tokenizer_encode(const sp_tokenizer *tokenizer, const char *text, size_t len,
                              sp_ints *out) {
    const sp_token_model_kind *kind = tokenizer->kind;
    word_sink sink = {
        .tokenizer = tokenizer, .scratch = sp_alloc(1, kind->scratch_size), .out = out};
    sp_status st = encode_text(tokenizer, text, len, &sink);
    if (kind->free_scratch) kind->free_scratch(sink.scratch);
    free(sink.scratch);
    sp_buf_free(&sink.normal);
    return st;
}

void sp_tokenizer_decode(const sp_tokenizer *tokenizer, const int *ids, size_t count,
                         bool skip_special, sp_buf *out) {
    for (size_t i = 0; i < count; i++) {
        const sp_token *token = sp_vocabulary_token(&tokenizer->vocabulary, ids[i]);
        if (token && !(skip_special && token->special))
            sp_symbols_to_bytes(token->text, strlen(token->text), out);
    }
}

/* Bytes at `text` that are not UTF-8: a lead byte and the continuation bytes after it. */
static size_t broken_length(const char *text, size_t len) {
    size_t n = 1;
    if ((text[0] & 0xc0) != 0xc0) return n;
    while (n < len && n < 4 && (text[n] & 0xc0) == 0x80) n++;
    return n;
}

/* A copy in which what is not UTF-8 has become U+FFFD. */
static void append_valid(const char *text, size_t len, sp_buf *out) {
    for (size_t i = 0; i < len;) {
        utf8proc_int32_t symbol;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                              (utf8proc_ssize_t)(len - i), &symbol);
        size_t taken = n > 0 ? (size_t)n : broken_length(text + i, len - i);
        if (n > 0)
            sp_buf_append(out, text + i, taken);
        else
            sp_buf_puts(out, "\xef\xbf\xbd");
        i += taken;
    }
}

char *sp_tokenizer_text(const sp_tokenizer *tokenizer, const sp_ints *ids) {
    static const char white[] = " \n\r\t";
    sp_buf bytes = {0}, text = {0};
    sp_tokenizer_decode(tokenizer, ids->data, ids->len, true, &bytes);
    append_valid(bytes.data, bytes.len, &text);
    sp_buf_free(&bytes);
    const char *start = text.data ? text.data : "";
    start += strspn(start, white);
    size_t len = strlen(start);
    while (len && strchr(white, start[len - 1])) len--;
    char *trimmed = sp_strndup(start, len);
    sp_buf_free(&text);
    return trimmed;
}

int sp_tokenizer_size(const sp_tokenizer *tokenizer) {
    return tokenizer->vocabulary.size;
}

int sp_tokenizer_id(const sp_tokenizer *tokenizer, const char *token) {
    for (int i = 0; i < tokenizer->added_count; i++)
        if (strcmp(tokenizer->added[i].text, token) == 0) return tokenizer->added[i].id;
    return sp_vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
}

const char *sp_tokenizer_token(const sp_tokenizer *tokenizer, int id) {
    const sp_token *token = sp_vocabulary_token(&tokenizer->vocabulary, id);
    return token ? token->text : "";
}

bool sp_tokenizer_is_special(const sp_tokenizer *tokenizer, int id) {
    const sp_token *token = sp_vocabulary_token(&tokenizer->vocabulary, id);
    return token && token->special;
}

sp_status sp_tokenizer_save(const sp_tokenizer *tokenizer, const char *path) {
    return sp_write_file(path, tokenizer->source, strlen(tokenizer->source));
}

void sp_tokenizer_free(sp_tokenizer *tokenizer) {
    if (!tokenizer) return;
    for (int i = 0; i < tokenizer->added_count; i++) free(tokenizer->added[i].text);
    if (tokenizer->kind) tokenizer->kind->free(tokenizer->model);
    sp_vocabulary_free(&tokenizer->vocabulary);
    sp_normalizer_free(tokenizer->normalizer);
    sp_splitter_free(tokenizer->splitter);
    free(tokenizer->added), free(tokenizer->source);
    free(tokenizer);
}
