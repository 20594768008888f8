#include "text/tokenizer.h"
#include "core/file.h"
#include "text/alphabet.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

/* One call of sp_tokenizer_encode. */
typedef struct encoder {
    const sp_tokenizer *tokenizer;
    void *scratch; /* of the model */
    sp_buf normal, symbols;
    sp_pieces pieces;
    sp_pre_tokenizer_scratch cutting;
    sp_ints *out;
} encoder;

static sp_status encode_piece(encoder *e, const char *text, size_t len) {
    const sp_tokenizer *tokenizer = e->tokenizer;
    if (sp_pre_tokenizer_gives_bytes(tokenizer->pre_tokenizer) && !tokenizer->kind->takes_bytes) {
        sp_buf_clear(&e->symbols);
        sp_bytes_to_symbols(text, len, &e->symbols);
        text = e->symbols.data, len = e->symbols.len;
    }
    return tokenizer->kind->encode(tokenizer->model, e->scratch, text, len, e->out);
}

/* Normal text without added tokens. */
static sp_status encode_plain(encoder *e, const char *text, size_t len, bool at_start) {
    sp_status st =
        sp_pre_tokenize(e->tokenizer->pre_tokenizer, text, len, at_start, &e->cutting, &e->pieces);
    for (size_t i = 0; !st && i < e->pieces.spans.len; i++) {
        const sp_span *span = &e->pieces.spans.data[i];
        st = encode_piece(e, e->pieces.text.data + span->start, span->end - span->start);
    }
    return st;
}

/* What to do with the text between added tokens. */
typedef sp_status (*encode_rest)(encoder *e, const char *text, size_t len, bool at_start);

/* Recognises the added tokens of a trie. */
static sp_status encode_added(encoder *e, const sp_trie *trie, const char *text, size_t len,
                              bool at_start, encode_rest encode) {
    const sp_added_tokens *added = &e->tokenizer->added;
    size_t done = 0, from = 0;
    sp_added_match match;
    while (sp_added_tokens_find(added, trie, text, len, from, done, &match)) {
        sp_status st = SP_OK;
        if (match.start > done) st = encode(e, text + done, match.start - done, at_start && !done);
        if (st) return st;
        sp_ints_push(e->out, match.id);
        done = match.end;
        from = match.next;
    }
    return done < len ? encode(e, text + done, len - done, at_start && !done) : SP_OK;
}

/* Text as it is, without the added tokens of such text. */
static sp_status encode_raw(encoder *e, const char *text, size_t len, bool at_start) {
    const sp_tokenizer *tokenizer = e->tokenizer;
    if (tokenizer->normalizer) {
        sp_status st = sp_normalize(tokenizer->normalizer, text, len, &e->normal);
        if (st) return st;
        text = e->normal.data, len = e->normal.len;
    }
    return encode_added(e, &tokenizer->added.normal, text, len, at_start, encode_plain);
}

sp_status sp_tokenizer_encode(const sp_tokenizer *tokenizer, const char *text, size_t len,
                              sp_ints *out) {
    const sp_token_model_kind *kind = tokenizer->kind;
    encoder e = {.tokenizer = tokenizer,
                 .scratch = sp_alloc(1, kind->scratch_size ? kind->scratch_size : 1),
                 .out = out};
    sp_status st = encode_added(&e, &tokenizer->added.plain, text, len, true, encode_raw);
    if (kind->free_scratch) kind->free_scratch(e.scratch);
    free(e.scratch);
    sp_buf_free(&e.normal), sp_buf_free(&e.symbols);
    sp_pieces_free(&e.pieces);
    sp_pre_tokenizer_scratch_free(&e.cutting);
    return st;
}

sp_status sp_tokenizer_encode_pair(const sp_tokenizer *tokenizer, const char *a, size_t a_len,
                                   const char *b, size_t b_len, sp_ints *ids, sp_ints *types) {
    sp_ints first = {0}, second = {0};
    sp_status st = sp_tokenizer_encode(tokenizer, a, a_len, &first);
    if (!st && b) st = sp_tokenizer_encode(tokenizer, b, b_len, &second);
    const sp_ints *const texts[2] = {&first, b ? &second : NULL};
    if (!st) sp_post_process(&tokenizer->post_processor, texts, ids, types);
    sp_ints_free(&first), sp_ints_free(&second);
    return st;
}

void sp_tokenizer_decode(const sp_tokenizer *tokenizer, const int *ids, size_t count,
                         bool skip_special, sp_buf *out) {
    sp_pieces tokens = {0};
    for (size_t i = 0; i < count; i++) {
        const sp_token *token = sp_vocabulary_token(&tokenizer->vocabulary, ids[i]);
        if (!token || (skip_special && token->special)) continue;
        size_t start = tokens.text.len;
        sp_buf_puts(&tokens.text, token->text);
        sp_spans_push(&tokens.spans, start, tokens.text.len, false);
    }
    sp_token_decode(tokenizer->decoder, &tokens);
    sp_buf_append(out, tokens.text.data ? tokens.text.data : "", tokens.text.len);
    sp_pieces_free(&tokens);
}

char *sp_tokenizer_text(const sp_tokenizer *tokenizer, const sp_ints *ids) {
    static const char white[] = " \n\r\t";
    sp_buf bytes = {0}, text = {0};
    sp_tokenizer_decode(tokenizer, ids->data, ids->len, true, &bytes);
    sp_utf8_repair(bytes.data, bytes.len, &text);
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
    int id = sp_added_token_id(&tokenizer->added, token);
    return id >= 0 ? id : sp_vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
}

int sp_tokenizer_mask(const sp_tokenizer *tokenizer) {
    int id = sp_tokenizer_id(tokenizer, "[MASK]");
    return id >= 0 ? id : sp_tokenizer_id(tokenizer, "<mask>");
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
    if (tokenizer->kind) tokenizer->kind->free(tokenizer->model);
    sp_added_tokens_free(&tokenizer->added);
    sp_vocabulary_free(&tokenizer->vocabulary);
    sp_normalizer_free(tokenizer->normalizer);
    sp_pre_tokenizer_free(tokenizer->pre_tokenizer);
    sp_post_processor_free(&tokenizer->post_processor);
    sp_token_decoder_free(tokenizer->decoder);
    free(tokenizer->source), free(tokenizer);
}
