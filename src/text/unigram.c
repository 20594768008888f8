#include "text/unigram.h"
#include "text/byte_tokens.h"
#include "text/json_part.h"
#include "text/token_model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* A long token makes every place of a text expensive. */
enum { LONGEST_TOKEN = 1024 };

/* SentencePiece's: an unknown character is so much less likely than the least likely token. */
static const double unknown_penalty = 10.0;

static void free_unigram(void *model) {
    sp_unigram *unigram = model;
    if (!unigram) return;
    sp_trie_free(&unigram->trie);
    free(unigram->scores);
    free(unigram);
}

static sp_status read_entry(const json_t *entry, size_t id, sp_vocabulary *vocabulary,
                            double *score) {
    const char *text = json_string_value(json_array_get(entry, 0));
    const json_t *number = json_array_get(entry, 1);
    if (!text || !json_is_number(number))
        return sp_fail(SP_ERR_FORMAT, "entry %zu of the vocab is not a token and its score", id);
    if (strlen(text) > LONGEST_TOKEN)
        return sp_fail(SP_ERR_FORMAT, "token %zu is longer than %d bytes", id, LONGEST_TOKEN);
    *score = json_number_value(number);
    return sp_vocabulary_add(vocabulary, text, (json_int_t)id);
}

static sp_status read_vocabulary(sp_unigram *unigram, const json_t *entries,
                                 sp_vocabulary *vocabulary) {
    size_t id;
    json_t *entry;
    unigram->scores = sp_alloc(json_array_size(entries) + 1, sizeof *unigram->scores);
    double least = 0;
    json_array_foreach(entries, id, entry) {
        sp_status st = read_entry(entry, id, vocabulary, &unigram->scores[id]);
        if (st) return st;
        if (!id || unigram->scores[id] < least) least = unigram->scores[id];
    }
    unigram->unknown_score = least - unknown_penalty;
    return SP_OK;
}

static void build_trie(sp_unigram *unigram) {
    const sp_word_map *ids = &unigram->vocabulary->ids;
    for (size_t i = 0; i < ids->count; i++)
        sp_trie_add(&unigram->trie, ids->words[i].text, ids->words[i].len,
                    (int)ids->words[i].value);
}

static sp_status read_unknown(const json_t *model, size_t count, int *out) {
    const json_t *id = json_object_get(model, "unk_id");
    *out = -1;
    if (sp_part_absent(id)) return SP_OK;
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || (size_t)value >= count)
        return sp_fail(SP_ERR_FORMAT, "unk_id is not a number from 0 to %zu", count - 1);
    *out = (int)value;
    return SP_OK;
}

static sp_status fill(sp_unigram *unigram, const json_t *model, sp_vocabulary *vocabulary) {
    const json_t *entries = json_object_get(model, "vocab");
    if (!json_array_size(entries) || json_array_size(entries) > INT_MAX)
        return sp_fail(SP_ERR_FORMAT, "the vocab of a Unigram model is no array of tokens");
    sp_status st;
    if ((st = read_unknown(model, json_array_size(entries), &unigram->unknown))) return st;
    if ((st = read_vocabulary(unigram, entries, vocabulary))) return st;
    unigram->has_bytes = sp_part_flag(model, "byte_fallback", false);
    sp_find_byte_tokens(vocabulary, unigram->byte_ids);
    build_trie(unigram);
    return SP_OK;
}

static sp_status read_unigram(const json_t *model, sp_vocabulary *vocabulary, bool bytes,
                              void **out) {
    (void)bytes;
    sp_unigram *unigram = sp_alloc(1, sizeof *unigram);
    unigram->vocabulary = vocabulary;
    sp_status st = fill(unigram, model, vocabulary);
    if (st) free_unigram(unigram);
    *out = st ? NULL : unigram;
    return st;
}

static int width_at(const char *text, size_t len) {
    if ((unsigned char)*text < 0x80) return 1;
    utf8proc_int32_t code;
    utf8proc_ssize_t width =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &code);
    return width > 0 ? (int)width : 1;
}

/* Of equally good ways the one found first stays, the longest last token that is. */
static void offer(sp_unigram_step *steps, int start, int end, int id, double score) {
    double sum = steps[start].score + score;
    if (steps[end].start >= 0 && !(sum > steps[end].score)) return;
    steps[end] = (sp_unigram_step){sum, start, id};
}

/* Offers all tokens that begin at `start`. */
static void extend(const sp_unigram *unigram, sp_unigram_step *steps, const char *piece, int start,
                   int len) {
    int width = width_at(piece + start, (size_t)(len - start));
    bool is_known = false;
    long node = 0;
    for (int end = start, id; end < len;) {
        node = sp_trie_step(&unigram->trie, node, (unsigned char)piece[end++], &id);
        if (!node) break;
        if (id < 0) continue;
        offer(steps, start, end, id, unigram->scores[id]);
        is_known = is_known || end == start + width;
    }
    if (!is_known) offer(steps, start, start + width, unigram->unknown, unigram->unknown_score);
}

static void find_best(const sp_unigram *unigram, sp_unigram_scratch *scratch, const char *piece,
                      int len) {
    size_t count = (size_t)len + 1;
    if (count > scratch->cap) {
        scratch->cap = count < 64 ? 64 : 2 * count;
        scratch->steps = sp_realloc(scratch->steps, scratch->cap, sizeof *scratch->steps);
    }
    sp_unigram_step *steps = scratch->steps;
    for (size_t i = 0; i < count; i++) steps[i].start = -1;
    steps[0].score = 0;
    for (int at = 0; at < len; at += width_at(piece + at, (size_t)(len - at)))
        extend(unigram, steps, piece, at, len);
}

/* Places where the best tokens end; neighbouring unknown characters are one token. */
static void collect_cuts(const sp_unigram *unigram, sp_unigram_scratch *scratch, int len) {
    const sp_unigram_step *steps = scratch->steps;
    bool after_unknown = false;
    scratch->cuts.len = 0;
    for (int end = len; end > 0; end = steps[end].start) {
        bool is_unknown = steps[end].id == unigram->unknown;
        if (!(is_unknown && after_unknown)) sp_ints_push(&scratch->cuts, end);
        after_unknown = is_unknown;
    }
}

static bool push_bytes(const sp_unigram *unigram, const char *text, size_t len, sp_ints *out) {
    for (size_t i = 0; i < len; i++)
        if (unigram->byte_ids[(unsigned char)text[i]] < 0) return false;
    for (size_t i = 0; i < len; i++) sp_ints_push(out, unigram->byte_ids[(unsigned char)text[i]]);
    return true;
}

static sp_status push_token(const sp_unigram *unigram, const char *text, size_t len, sp_ints *out) {
    int id = sp_vocabulary_find(unigram->vocabulary, text, len);
    if (id < 0 && unigram->has_bytes && push_bytes(unigram, text, len, out)) return SP_OK;
    if (id < 0) id = unigram->unknown;
    if (id < 0)
        return sp_fail(SP_ERR_FORMAT,
                       "the text has '%.*s', which the tokenizer has no token for, nor an unknown "
                       "token",
                       len < 40 ? (int)len : 40, text);
    sp_ints_push(out, id);
    return SP_OK;
}

static sp_status encode_piece(const void *model, void *memory, const char *piece, size_t len,
                              sp_ints *out) {
    const sp_unigram *unigram = model;
    sp_unigram_scratch *scratch = memory;
    if (len >= INT_MAX) return sp_fail(SP_ERR_DATA, "a text of %zu bytes is too long", len);
    find_best(unigram, scratch, piece, (int)len);
    collect_cuts(unigram, scratch, (int)len);
    size_t start = 0;
    for (size_t i = scratch->cuts.len; i-- > 0;) {
        size_t end = (size_t)scratch->cuts.data[i];
        sp_status st = push_token(unigram, piece + start, end - start, out);
        if (st) return st;
        start = end;
    }
    return SP_OK;
}

static void free_scratch(void *memory) {
    sp_unigram_scratch *scratch = memory;
    free(scratch->steps);
    sp_ints_free(&scratch->cuts);
}

const sp_token_model_kind sp_token_model_unigram = {.type = "Unigram",
                                                    .read = read_unigram,
                                                    .free = free_unigram,
                                                    .encode = encode_piece,
                                                    .scratch_size = sizeof(sp_unigram_scratch),
                                                    .free_scratch = free_scratch};
