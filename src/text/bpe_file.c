/* BPE as a tokenizer.json has it, and as a kind of model. */
#include "text/alphabet.h"
#include "text/bpe.h"
#include "text/json_part.h"
#include "text/token_model.h"

#include <string.h>

/* A merge is "left right" or ["left", "right"]; false if it is neither. */
static bool split_merge(const json_t *merge, const char **left, size_t *left_len,
                        const char **right) {
    if (json_is_array(merge) && json_array_size(merge) == 2) {
        *left = json_string_value(json_array_get(merge, 0));
        *right = json_string_value(json_array_get(merge, 1));
        *left_len = *left ? strlen(*left) : 0;
        return *left && *right;
    }
    *left = json_string_value(merge);
    const char *space = *left ? strchr(*left, ' ') : NULL;
    if (!space || strchr(space + 1, ' ')) return false;
    *left_len = (size_t)(space - *left);
    *right = space + 1;
    return true;
}

static sp_status read_merges(sp_bpe *bpe, const json_t *merges) {
    size_t rank;
    json_t *merge;
    sp_buf both = {0};
    sp_status st = SP_OK;
    json_array_foreach(merges, rank, merge) {
        const char *left, *right;
        size_t left_len;
        if (!split_merge(merge, &left, &left_len, &right)) {
            st = sp_fail(SP_ERR_FORMAT, "merge %zu is not a pair of tokens", rank);
            break;
        }
        sp_buf_clear(&both);
        sp_buf_append(&both, left, left_len);
        sp_buf_puts(&both, right);
        int left_id = sp_vocabulary_find(bpe->vocabulary, left, left_len);
        int right_id = sp_vocabulary_find(bpe->vocabulary, right, strlen(right));
        int merged = sp_vocabulary_find(bpe->vocabulary, both.data, both.len);
        if (left_id < 0 || right_id < 0 || merged < 0) {
            st = sp_fail(SP_ERR_FORMAT, "merge %zu uses a token that is not in the vocabulary",
                         rank);
            break;
        }
        sp_bpe_add_merge(bpe, left_id, right_id, (int)rank, merged);
    }
    sp_buf_free(&both);
    return st;
}

/* A byte without a token becomes the unknown token; without one it is left out, as in the
 * reference implementation. */
static void find_bytes(sp_bpe *bpe, const char *unknown) {
    int fallback = unknown ? sp_vocabulary_find(bpe->vocabulary, unknown, strlen(unknown)) : -1;
    sp_buf symbol = {0};
    for (int byte = 0; byte < 256; byte++) {
        sp_buf_clear(&symbol);
        sp_bytes_to_symbols(&(char){(char)byte}, 1, &symbol);
        int id = sp_vocabulary_find(bpe->vocabulary, symbol.data, symbol.len);
        bpe->byte_ids[byte] = id < 0 ? fallback : id;
    }
    sp_buf_free(&symbol);
}

static bool has_text(const json_t *model, const char *name) {
    const char *text = sp_part_text(model, name);
    return text && *text;
}

static sp_status check_form(const json_t *model, bool bytes) {
    if (!json_is_object(json_object_get(model, "vocab")) ||
        !json_is_array(json_object_get(model, "merges")))
        return sp_fail(SP_ERR_FORMAT, "the model has no vocab object or no merges array");
    if (!bytes)
        return sp_fail(SP_ERR_FORMAT, "BPE without a ByteLevel pre-tokenizer is not supported");
    if (has_text(model, "continuing_subword_prefix") || has_text(model, "end_of_word_suffix"))
        return sp_fail(SP_ERR_FORMAT, "subword prefixes and suffixes are not byte-level BPE");
    return SP_OK;
}

static sp_status read_bpe(const json_t *model, sp_vocabulary *vocabulary, bool bytes, void **out) {
    *out = NULL;
    sp_status st;
    if ((st = check_form(model, bytes))) return st;
    if ((st = sp_vocabulary_read(vocabulary, json_object_get(model, "vocab")))) return st;
    sp_bpe *bpe = sp_bpe_new(vocabulary);
    if ((st = read_merges(bpe, json_object_get(model, "merges")))) {
        sp_bpe_free(bpe);
        return st;
    }
    bpe->whole_words_first = sp_part_flag(model, "ignore_merges", false);
    find_bytes(bpe, sp_part_text(model, "unk_token"));
    *out = bpe;
    return SP_OK;
}

static void free_bpe(void *bpe) {
    sp_bpe_free(bpe);
}

static sp_status encode_piece(const void *bpe, void *scratch, const char *piece, size_t len,
                              sp_ints *out) {
    sp_bpe_encode(bpe, scratch, piece, len, out);
    return SP_OK;
}

static void free_scratch(void *scratch) {
    sp_bpe_scratch_free(scratch);
}

const sp_token_model_kind sp_token_model_bpe = {.type = "BPE",
                                                .takes_bytes = true,
                                                .read = read_bpe,
                                                .free = free_bpe,
                                                .encode = encode_piece,
                                                .scratch_size = sizeof(sp_bpe_scratch),
                                                .free_scratch = free_scratch};
