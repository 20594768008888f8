/* Tokenizers of all file formats against Hugging Face's library
 * (tests/golden/make_sentencepiece.py) and what hostile ones are refused for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "support/folder.h"
#include "text/charsmap.h"
#include "text/tokenizer.h"
#include "text/tokenizer_vocab.h"

#include <jansson.h>
#include <string.h>

#define GOLDEN "tests/golden/sentencepiece/"

static sp_tokenizer *open_golden(const char *name) {
    char *path = sp_format(GOLDEN "%s", name);
    sp_tokenizer *tokenizer;
    if (sp_tokenizer_open(path, &tokenizer)) fail_msg("%s", sp_error());
    free(path);
    return tokenizer;
}

static bool same_ids(const sp_ints *got, const json_t *ids) {
    bool same = got->len == json_array_size(ids);
    for (size_t i = 0; same && i < got->len; i++)
        same = got->data[i] == json_integer_value(json_array_get(ids, i));
    return same;
}

/* First and last id with what the post-processor adds. */
static bool same_ends(const sp_tokenizer *tokenizer, const json_t *one) {
    const json_t *text = json_object_get(one, "text"), *ends = json_object_get(one, "ends");
    sp_ints ids = {0};
    assert_int_equal(sp_tokenizer_encode_pair(tokenizer, json_string_value(text),
                                              json_string_length(text), NULL, 0, &ids, NULL),
                     SP_OK);
    bool same = !ids.len ? !json_array_size(ends)
                         : ids.data[0] == json_integer_value(json_array_get(ends, 0)) &&
                               ids.data[ids.len - 1] == json_integer_value(json_array_get(ends, 1));
    sp_ints_free(&ids);
    return same;
}

static void check_case(const sp_tokenizer *tokenizer, const json_t *one) {
    const json_t *text = json_object_get(one, "text");
    sp_ints ids = {0};
    sp_buf decoded = {0};
    assert_int_equal(
        sp_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), &ids),
        SP_OK);
    sp_tokenizer_decode(tokenizer, ids.data, ids.len, false, &decoded);
    const char *expected = json_string_value(json_object_get(one, "decoded"));
    if (!same_ids(&ids, json_object_get(one, "ids")))
        fail_msg("other ids for %s", json_dumps(one, JSON_COMPACT));
    if (strcmp(decoded.data ? decoded.data : "", expected) != 0)
        fail_msg("decoded to '%s': %s", decoded.data, json_dumps(one, JSON_COMPACT));
    if (!same_ends(tokenizer, one)) fail_msg("other ends for %s", json_dumps(one, JSON_COMPACT));
    sp_ints_free(&ids);
    sp_buf_free(&decoded);
}

static void check_reference(const char *name) {
    sp_tokenizer *tokenizer = open_golden(name);
    json_error_t error;
    json_t *cases = json_load_file(GOLDEN "cases.json", 0, &error), *one;
    if (!cases) fail_msg("%s", error.text);
    size_t i, checked = 0;
    json_array_foreach(cases, i, one) {
        if (strcmp(json_string_value(json_object_get(one, "tokenizer")), name) != 0) continue;
        check_case(tokenizer, one);
        checked++;
    }
    assert_true(checked >= 30);
    json_decref(cases);
    sp_tokenizer_free(tokenizer);
}

static void unigram_with_a_charsmap_equals_the_reference(void **state) {
    (void)state;
    check_reference("t5");
}

static void unigram_from_gguf_equals_its_tokenizer_json(void **state) {
    (void)state;
    check_reference("t5.gguf");
}

static void bpe_by_characters_with_byte_fallback_equals_the_reference(void **state) {
    (void)state;
    check_reference("llama");
}

static void merges_made_of_the_scores_of_a_gguf_equal_the_reference(void **state) {
    (void)state;
    check_reference("llama.gguf");
}

static void vocab_json_and_merges_txt_equal_the_reference(void **state) {
    (void)state;
    check_reference("gpt2");
    check_reference("roberta");
}

static void vocab_txt_is_cased_where_its_configuration_says_so(void **state) {
    (void)state;
    check_reference("bert");
    check_reference("bert-cased");
}

/* A tokenizer of any format is saved as a tokenizer.json with the same ids. */
static void what_is_saved_gives_the_same_ids(void **state) {
    (void)state;
    static const char *const names[] = {"llama.gguf", "t5.gguf", "roberta", "bert-cased"};
    static const char text[] = "The  lowest, \xc3\xa9t\xc3\xa9 <mask> [MASK]</s> \xf0\x9f\x98\x80";
    char *folder = make_folder(), *path = sp_path_join(folder, "tokenizer.json");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sp_tokenizer *first = open_golden(names[i]), *second;
        assert_int_equal(sp_tokenizer_save(first, path), SP_OK);
        if (sp_tokenizer_open(folder, &second)) fail_msg("%s", sp_error());
        sp_ints a = {0}, b = {0};
        sp_tokenizer_encode(first, text, sizeof text - 1, &a);
        sp_tokenizer_encode(second, text, sizeof text - 1, &b);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len * sizeof *a.data);
        sp_ints_free(&a);
        sp_ints_free(&b);
        sp_tokenizer_free(first);
        sp_tokenizer_free(second);
    }
    free(path);
    remove_folder(folder);
}

static sp_status open_vocab(const char *vocabulary, const char *merges, const char *config) {
    sp_vocab_texts texts = {0};
    sp_tokenizer *tokenizer;
    sp_buf_puts(&texts.vocabulary, vocabulary);
    if (merges) sp_buf_puts(&texts.merges, merges);
    if (config) sp_buf_puts(&texts.config, config);
    sp_status st = sp_tokenizer_from_vocab(&texts, "folder", &tokenizer);
    sp_tokenizer_free(tokenizer);
    sp_vocab_texts_free(&texts);
    return st;
}

static void expect_refusal(sp_status st, const char *reason) {
    assert_int_equal(st, SP_ERR_FORMAT);
    if (!strstr(sp_error(), reason)) fail_msg("'%s' is not in: %s", reason, sp_error());
}

static void a_broken_vocabulary_folder_is_refused_by_file_and_reason(void **state) {
    (void)state;
    assert_int_equal(open_vocab("{\"a\": 0, \"b\": 1, \"ab\": 2}", "#version: 0.2\na b\n", NULL),
                     SP_OK);
    expect_refusal(open_vocab("{\"a\": 0", "", NULL), "vocab.json:1");
    expect_refusal(open_vocab("[]", "", NULL), "vocab.json: not a JSON object");
    expect_refusal(open_vocab("{\"a\": \"b\"}", "", NULL), "the id of 'a' is no number");
    expect_refusal(open_vocab("{\"a\": 0}", "a c\n", NULL), "merge 0 uses a token");
    expect_refusal(open_vocab("{\"a\": 0}", "a b c\n", NULL), "merge 0 is not a pair");
    expect_refusal(open_vocab("{\"a\": 0}", "\xff a\n", NULL), "merges.txt: merge 0 is not UTF-8");
    expect_refusal(open_vocab("{\"a\": 0}", "", "{\"tokenizer_class\": \"CLIPTokenizer\"}"),
                   "of a CLIPTokenizer are not read");
    expect_refusal(open_vocab("a\nb\n", NULL, NULL), "vocab.txt has no [UNK]");
    expect_refusal(open_vocab("a\n\xff\n", NULL, NULL), "vocab.txt:2: not UTF-8");
    expect_refusal(open_vocab("{\"a\": 0}", "", "{\"added_tokens_decoder\": {\"x\": \"y\"}}"),
                   "'x' is not an id");
    expect_refusal(open_vocab("{\"a\": 0}", "", "{\"added_tokens_decoder\": {\"7\": \"a\"}}"),
                   "'a' cannot have the id 7");
}

/* What Hugging Face writes where a tokenizer knows no longest text. */
static void a_configuration_may_hold_a_number_beyond_all_integers(void **state) {
    (void)state;
    const char *config = "{\"model_max_length\": 1000000000000000019884624838656}";
    if (open_vocab("{\"a\": 0}", "#version: 0.2\n", config)) fail_msg("%s", sp_error());
}

static void a_folder_without_a_tokenizer_says_what_belongs_there(void **state) {
    (void)state;
    char *folder = make_folder();
    sp_tokenizer *tokenizer;
    assert_int_equal(sp_tokenizer_open(folder, &tokenizer), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "no tokenizer.json, vocab.json with merges.txt, or"));
    assert_null(tokenizer);
    remove_folder(folder);
}

static void a_broken_charsmap_is_refused(void **state) {
    (void)state;
    static const unsigned char short_map[] = {8, 0, 0, 0, 1, 2, 3, 4};
    sp_charsmap *map;
    expect_refusal(sp_charsmap_new(short_map, sizeof short_map, &map), "truncated");
    expect_refusal(sp_charsmap_new(short_map, 3, &map), "truncated");
    expect_refusal(sp_charsmap_parse("????", &map), "not base64");
    assert_null(map);
}

static void base64_of_all_lengths_has_its_padding(void **state) {
    (void)state;
    sp_buf text = {0};
    sp_base64_append((const unsigned char *)"a", 1, &text);
    sp_base64_append((const unsigned char *)"ab", 2, &text);
    sp_base64_append((const unsigned char *)"abc", 3, &text);
    assert_string_equal(text.data, "YQ==YWI=YWJj");
    sp_buf_free(&text);
}

static sp_status parse_unigram(const char *model) {
    char *text = sp_format("{\"model\": {\"type\": \"Unigram\", %s}}", model);
    sp_tokenizer *tokenizer;
    sp_status st = sp_tokenizer_parse(text, strlen(text), "t", &tokenizer);
    sp_tokenizer_free(tokenizer);
    free(text);
    return st;
}

static void a_broken_unigram_model_is_refused(void **state) {
    (void)state;
    assert_int_equal(parse_unigram("\"unk_id\": 0, \"vocab\": [[\"a\", -1.5]]"), SP_OK);
    expect_refusal(parse_unigram("\"unk_id\": 1, \"vocab\": [[\"a\", -1.5]]"), "unk_id");
    expect_refusal(parse_unigram("\"unk_id\": -1, \"vocab\": [[\"a\", -1.5]]"), "unk_id");
    expect_refusal(parse_unigram("\"unk_id\": 0, \"vocab\": []"), "no array of tokens");
    expect_refusal(parse_unigram("\"unk_id\": 0, \"vocab\": [[\"a\"]]"),
                   "not a token and its score");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unigram_with_a_charsmap_equals_the_reference),
        cmocka_unit_test(unigram_from_gguf_equals_its_tokenizer_json),
        cmocka_unit_test(bpe_by_characters_with_byte_fallback_equals_the_reference),
        cmocka_unit_test(merges_made_of_the_scores_of_a_gguf_equal_the_reference),
        cmocka_unit_test(vocab_json_and_merges_txt_equal_the_reference),
        cmocka_unit_test(vocab_txt_is_cased_where_its_configuration_says_so),
        cmocka_unit_test(what_is_saved_gives_the_same_ids),
        cmocka_unit_test(a_broken_vocabulary_folder_is_refused_by_file_and_reason),
        cmocka_unit_test(a_configuration_may_hold_a_number_beyond_all_integers),
        cmocka_unit_test(a_folder_without_a_tokenizer_says_what_belongs_there),
        cmocka_unit_test(a_broken_charsmap_is_refused),
        cmocka_unit_test(base64_of_all_lengths_has_its_padding),
        cmocka_unit_test(a_broken_unigram_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
