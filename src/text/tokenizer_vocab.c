#include "text/tokenizer_vocab.h"
#include "text/gguf_pre.h"
#include "text/json_part.h"
#include "text/special_tokens.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

void sp_vocab_texts_free(sp_vocab_texts *texts) {
    sp_buf_free(&texts->vocabulary);
    sp_buf_free(&texts->merges);
    sp_buf_free(&texts->config);
    sp_buf_free(&texts->special_tokens);
    sp_buf_free(&texts->added_tokens);
}

/* What the files hold, while the tokenizer.json is made of it. */
typedef struct folder {
    json_t *vocabulary, *config, *map, *added; /* objects */
    sp_special_tokens special;
    json_t *root;
} folder;

/* A file with one object; an empty object if there is no file. `flags` are jansson's. */
static sp_status parse_object(const sp_buf *text, const char *file, size_t flags, json_t **out) {
    json_error_t error;
    *out = NULL;
    if (!text->data) *out = json_object();
    if (*out) return SP_OK;
    json_t *object = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES | flags, &error);
    if (!object) return sp_fail(SP_ERR_FORMAT, "%s:%d: %s", file, error.line, error.text);
    if (json_is_object(object)) {
        *out = object;
        return SP_OK;
    }
    json_decref(object);
    return sp_fail(SP_ERR_FORMAT, "%s: not a JSON object", file);
}

/* The next line of a text without its end, NULL behind the last; a '\r' is part of the end. */
static const char *next_line(const sp_buf *text, size_t *at, size_t *len) {
    if (*at >= text->len) return NULL;
    const char *line = text->data + *at;
    const char *end = memchr(line, '\n', text->len - *at);
    *len = end ? (size_t)(end - line) : text->len - *at;
    *at += *len + 1;
    if (*len && line[*len - 1] == '\r') --*len;
    return line;
}

static sp_status check_ids(json_t *vocabulary) {
    const char *text;
    json_t *id;
    json_object_foreach(vocabulary, text, id) if (!json_is_integer(id)) return sp_fail(
        SP_ERR_FORMAT, "vocab.json: the id of '%.40s' is no number", text);
    return SP_OK;
}

/* vocab.txt: a line is a token, its number from 0 the id; of equal tokens the last one counts. */
static sp_status read_lines(const sp_buf *text, json_t *vocabulary) {
    size_t at = 0, len;
    json_int_t id = 0;
    sp_buf token = {0};
    sp_status st = SP_OK;
    for (const char *line; !st && (line = next_line(text, &at, &len)); id++) {
        sp_buf_clear(&token);
        sp_buf_append(&token, line, len);
        if (memchr(line, 0, len) || json_object_set_new(vocabulary, token.data, json_integer(id)))
            st = sp_fail(SP_ERR_FORMAT, "vocab.txt:%lld: not UTF-8 text", (long long)id + 1);
    }
    sp_buf_free(&token);
    return st;
}

/* merges.txt: "left right" a line, below a line with the version. */
static sp_status read_merges(const sp_buf *text, json_t *merges) {
    size_t at = 0, len;
    for (const char *line; (line = next_line(text, &at, &len));) {
        if (!len || (len >= 8 && memcmp(line, "#version", 8) == 0)) continue;
        json_t *merge = memchr(line, 0, len) ? NULL : json_stringn(line, len);
        if (!merge)
            return sp_fail(SP_ERR_FORMAT, "merges.txt: merge %zu is not UTF-8 text",
                           json_array_size(merges));
        json_array_append_new(merges, merge);
    }
    return SP_OK;
}

static sp_status read_special(folder *f) {
    sp_status st;
    if ((st = sp_special_tokens_read_added(&f->special, f->added))) return st;
    if ((st = sp_special_tokens_read_map(&f->special, f->config))) return st;
    if ((st = sp_special_tokens_read_map(&f->special, f->map))) return st;
    json_object_set_new(f->root, "added_tokens", sp_special_tokens_list(&f->special));
    return SP_OK;
}

/* ---- BERT ---- */

static json_t *bert_normalizer(const json_t *config) {
    json_t *accents = json_object_get(config, "strip_accents");
    return json_pack("{s:s, s:b, s:b, s:O, s:b}", "type", "BertNormalizer", "clean_text", 1,
                     "handle_chinese_chars",
                     (int)sp_part_flag(config, "tokenize_chinese_chars", true), "strip_accents",
                     json_is_boolean(accents) ? accents : json_null(), "lowercase",
                     (int)sp_part_flag(config, "do_lower_case", true));
}

static sp_status fill_bert(folder *f) {
    static const char *const defaults[][2] = {{"pad_token", "[PAD]"},
                                              {"unk_token", "[UNK]"},
                                              {"cls_token", "[CLS]"},
                                              {"sep_token", "[SEP]"},
                                              {"mask_token", "[MASK]"}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        sp_special_tokens_default(&f->special, defaults[i][0], defaults[i][1], false);
    sp_status st = read_special(f);
    if (st) return st;
    sp_json_token unknown = sp_special_token(&f->special, "unk_token");
    sp_json_token first = sp_special_token(&f->special, "cls_token");
    sp_json_token last = sp_special_token(&f->special, "sep_token");
    if (!unknown.text || !first.text || !last.text)
        return sp_fail(SP_ERR_FORMAT, "vocab.txt has no [UNK], [CLS] or [SEP], and no other file "
                                      "names these tokens");
    json_object_set_new(f->root, "normalizer", bert_normalizer(f->config));
    json_object_set_new(f->root, "pre_tokenizer", json_pack("{s:s}", "type", "BertPreTokenizer"));
    json_object_set_new(f->root, "post_processor", sp_json_bert_template(first, last));
    json_object_set_new(
        f->root, "decoder",
        json_pack("{s:s, s:s, s:b}", "type", "WordPiece", "prefix", "##", "cleanup", 1));
    json_object_set_new(f->root, "model",
                        json_pack("{s:s, s:s, s:s, s:i, s:O}", "type", "WordPiece", "unk_token",
                                  unknown.text, "continuing_subword_prefix", "##",
                                  "max_input_chars_per_word", 100, "vocab", f->vocabulary));
    return SP_OK;
}

/* ---- GPT-2 and RoBERTa ---- */

typedef struct merges_kind {
    const char *class;      /* start of tokenizer_config.json's "tokenizer_class" */
    bool encloses;          /* texts between <s> and </s> */
    const char *expression; /* name of the pre-tokenizer (text/gguf_pre.h) */
} merges_kind;

static const merges_kind merges_kinds[] = {{"GPT2Tokenizer", false, "gpt-2"},
                                           {"RobertaTokenizer", true, "gpt-2"},
                                           {"BartTokenizer", true, "gpt-2"},
                                           {"LongformerTokenizer", true, "gpt-2"},
                                           {"Qwen2Tokenizer", false, "qwen2"}};

static sp_status find_merges_kind(const folder *f, const merges_kind **out) {
    const char *class = sp_part_text(f->config, "tokenizer_class");
    bool encloses = json_object_get(f->vocabulary, "<s>") && json_object_get(f->vocabulary, "</s>");
    *out = &merges_kinds[encloses ? 1 : 0];
    if (!class) return SP_OK;
    for (size_t i = 0; i < sizeof merges_kinds / sizeof *merges_kinds; i++) {
        *out = &merges_kinds[i];
        if (strncmp(class, (*out)->class, strlen((*out)->class)) == 0) return SP_OK;
    }
    return sp_fail(SP_ERR_FORMAT,
                   "tokenizer_config.json: vocab.json and merges.txt of a %.40s are not read; save "
                   "its tokenizer.json",
                   class);
}

static void set_merges_defaults(folder *f, const merges_kind *kind) {
    static const char *const ends[] = {"bos_token", "eos_token", "unk_token"};
    static const char *const around[][2] = {{"bos_token", "<s>"},   {"eos_token", "</s>"},
                                            {"sep_token", "</s>"},  {"cls_token", "<s>"},
                                            {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
    if (!kind->encloses) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            sp_special_tokens_default(&f->special, ends[i], "<|endoftext|>", false);
        return;
    }
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        sp_special_tokens_default(&f->special, around[i][0], around[i][1], false);
    sp_special_tokens_default(&f->special, "mask_token", "<mask>", true);
}

/* The words of GPT-2, with a space before the text where tokenizer_config.json wants it. */
static sp_status set_words(folder *f, const merges_kind *kind) {
    bool prefix = sp_part_flag(f->config, "add_prefix_space", false);
    const sp_gguf_pre *pre;
    sp_status st = sp_gguf_pre_find(kind->expression, &pre);
    if (st) return st;
    json_object_set_new(f->root, "normalizer", sp_gguf_pre_normalizer(pre));
    json_object_set_new(f->root, "pre_tokenizer",
                        prefix ? sp_json_byte_level(true, true) : sp_gguf_pre_tokenizer(pre));
    json_object_set_new(f->root, "decoder", sp_json_byte_level_decoder());
    return prefix && pre->expression
               ? sp_fail(SP_ERR_FORMAT,
                         "tokenizer_config.json: add_prefix_space does not go with "
                         "a %s",
                         kind->class)
               : SP_OK;
}

static sp_status fill_merges(folder *f, const sp_buf *text) {
    const merges_kind *kind;
    json_t *merges = json_array();
    json_object_set_new(
        f->root, "model",
        json_pack("{s:s, s:O, s:o}", "type", "BPE", "vocab", f->vocabulary, "merges", merges));
    sp_status st;
    if ((st = read_merges(text, merges))) return st;
    if ((st = find_merges_kind(f, &kind))) return st;
    set_merges_defaults(f, kind);
    if ((st = read_special(f))) return st;
    if ((st = set_words(f, kind))) return st;
    sp_json_token first = sp_special_token(&f->special, "cls_token");
    sp_json_token last = sp_special_token(&f->special, "sep_token");
    if (kind->encloses && first.text && last.text)
        json_object_set_new(f->root, "post_processor", sp_json_roberta_template(first, last));
    return SP_OK;
}

static sp_status read_folder(const sp_vocab_texts *texts, folder *f) {
    sp_status st;
    bool has_merges = texts->merges.data;
    sp_buf none = {0};
    /* "model_max_length" is often 1000000000000000019884624838656, which no integer type holds. */
    st = parse_object(&texts->config, "tokenizer_config.json", JSON_DECODE_INT_AS_REAL, &f->config);
    if (st) return st;
    if ((st = parse_object(&texts->special_tokens, "special_tokens_map.json", 0, &f->map)))
        return st;
    if ((st = parse_object(&texts->added_tokens, "added_tokens.json", 0, &f->added))) return st;
    const sp_buf *object = has_merges ? &texts->vocabulary : &none;
    if ((st = parse_object(object, "vocab.json", 0, &f->vocabulary))) return st;
    st = has_merges ? check_ids(f->vocabulary) : read_lines(&texts->vocabulary, f->vocabulary);
    if (st) return st;
    sp_special_tokens_start(&f->special, f->vocabulary);
    return has_merges ? fill_merges(f, &texts->merges) : fill_bert(f);
}

static void free_folder(folder *f) {
    sp_special_tokens_free(&f->special);
    json_decref(f->vocabulary), json_decref(f->config);
    json_decref(f->map), json_decref(f->added);
    json_decref(f->root);
}

sp_status sp_tokenizer_from_vocab(const sp_vocab_texts *texts, const char *name,
                                  sp_tokenizer **out) {
    *out = NULL;
    folder f = {.root = json_pack("{s:s, s:n, s:n}", "version", "1.0", "truncation", "padding")};
    sp_status st = read_folder(texts, &f);
    if (st)
        st = sp_fail_in(st, "%s", name);
    else
        st = sp_tokenizer_from_json(f.root, name, out);
    free_folder(&f);
    return st;
}
