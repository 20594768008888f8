#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "support/folder.h"
#include "text/alphabet.h"
#include "text/tokenizer.h"

#include <jansson.h>
#include <pthread.h>
#include <string.h>

#define GOLDEN "tests/golden/tokenizer/"

static sp_tokenizer *load(const char *name) {
    char *path = sp_format(GOLDEN "%s.json", name);
    sp_tokenizer *tokenizer;
    if (sp_tokenizer_load(path, &tokenizer)) fail_msg("%s", sp_error());
    free(path);
    return tokenizer;
}

static json_t *read_cases(void) {
    json_error_t error;
    json_t *cases = json_load_file(GOLDEN "cases.json", 0, &error);
    if (!cases) fail_msg("%s", error.text);
    return cases;
}

/* Compares the ids of one golden case. */
static void check_case(const sp_tokenizer *tokenizer, const json_t *expected) {
    const json_t *text = json_object_get(expected, "text"), *ids = json_object_get(expected, "ids");
    sp_ints got = {0};
    assert_int_equal(
        sp_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), &got),
        SP_OK);
    bool same = got.len == json_array_size(ids);
    for (size_t i = 0; same && i < got.len; i++)
        same = got.data[i] == json_integer_value(json_array_get(ids, i));
    if (!same) {
        char *shown = json_dumps(expected, JSON_COMPACT);
        fail_msg("other ids than the reference for %s", shown);
    }
    sp_ints_free(&got);
}

static void check_reference(const char *name, size_t at_least) {
    sp_tokenizer *tokenizer = load(name);
    json_t *cases = read_cases(), *one;
    size_t i, checked = 0;
    json_array_foreach(cases, i, one) {
        if (strcmp(json_string_value(json_object_get(one, "tokenizer")), name) != 0) continue;
        check_case(tokenizer, one);
        checked++;
    }
    assert_true(checked >= at_least);
    json_decref(cases);
    sp_tokenizer_free(tokenizer);
}

static void gpt2_layout_gives_the_reference_ids(void **state) {
    (void)state;
    check_reference("gpt2", 70);
}

static void qwen_layout_gives_the_reference_ids(void **state) {
    (void)state;
    check_reference("qwen", 70);
}

static void roberta_layout_gives_the_reference_ids(void **state) {
    (void)state;
    check_reference("roberta", 70);
}

static void digits_layout_gives_the_reference_ids(void **state) {
    (void)state;
    check_reference("digits", 70);
}

static void check_round_trip(const sp_tokenizer *tokenizer, const char *text, size_t len) {
    sp_ints ids = {0};
    sp_buf back = {0};
    assert_int_equal(sp_tokenizer_encode(tokenizer, text, len, &ids), SP_OK);
    sp_tokenizer_decode(tokenizer, ids.data, ids.len, false, &back);
    assert_int_equal(back.len, len);
    if (len) assert_memory_equal(back.data, text, len);
    sp_ints_free(&ids);
    sp_buf_free(&back);
}

static void every_byte_and_pair_of_bytes_survives(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    check_round_trip(tokenizer, "", 0);
    for (int a = 0; a < 256; a++) {
        char text[2] = {(char)a};
        check_round_trip(tokenizer, text, 1);
        for (int b = 0; b < 256; b++) {
            text[1] = (char)b;
            check_round_trip(tokenizer, text, 2);
        }
    }
    sp_tokenizer_free(tokenizer);
}

static void random_bytes_survive(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    sp_rng rng = sp_rng_make(3, "bytes");
    for (int round = 0; round < 2000; round++) {
        char text[64];
        size_t len = sp_rng_below(&rng, (uint32_t)sizeof text);
        for (size_t i = 0; i < len; i++) text[i] = (char)sp_rng_below(&rng, 256);
        check_round_trip(tokenizer, text, len);
    }
    sp_tokenizer_free(tokenizer);
}

static void a_word_of_a_million_letters_is_encoded_quickly(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    size_t len = 1000000;
    char *text = sp_alloc(len, 1);
    memset(text, 'e', len);
    check_round_trip(tokenizer, text, len);
    free(text);
    sp_tokenizer_free(tokenizer);
}

static void special_tokens_can_be_left_out(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    int end = sp_tokenizer_id(tokenizer, "<|endoftext|>");
    assert_int_equal(end, 0);
    assert_true(sp_tokenizer_is_special(tokenizer, end));
    sp_ints ids = {0};
    const char *text = "a<|endoftext|>b";
    assert_int_equal(sp_tokenizer_encode(tokenizer, text, strlen(text), &ids), SP_OK);
    assert_int_equal(ids.len, 3);
    sp_buf back = {0};
    sp_tokenizer_decode(tokenizer, ids.data, ids.len, true, &back);
    assert_string_equal(back.data, "ab");
    sp_buf_free(&back);
    sp_ints_free(&ids);
    sp_tokenizer_free(tokenizer);
}

static void a_text_for_people_has_no_white_space_at_its_ends(void **state) {
    (void)state;
    static const char *const texts[] = {" \n a b\nc \r\n<|endoftext|>", "a", "\n\n", ""};
    static const char *const expected[] = {"a b\nc", "a", "", ""};
    sp_tokenizer *tokenizer = load("gpt2");
    for (int i = 0; i < 4; i++) {
        sp_ints ids = {0};
        assert_int_equal(sp_tokenizer_encode(tokenizer, texts[i], strlen(texts[i]), &ids), SP_OK);
        char *text = sp_tokenizer_text(tokenizer, &ids);
        assert_string_equal(text, expected[i]);
        free(text);
        sp_ints_free(&ids);
    }
    sp_tokenizer_free(tokenizer);
}

static void ids_outside_the_vocabulary_stand_for_nothing(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    int ids[] = {-1, sp_tokenizer_size(tokenizer), sp_tokenizer_id(tokenizer, "a"), INT32_MAX};
    sp_buf back = {0};
    sp_tokenizer_decode(tokenizer, ids, 4, false, &back);
    assert_string_equal(back.data, "a");
    assert_string_equal(sp_tokenizer_token(tokenizer, -1), "");
    assert_int_equal(sp_tokenizer_id(tokenizer, "no such token"), -1);
    sp_buf_free(&back);
    sp_tokenizer_free(tokenizer);
}

static void saving_and_loading_changes_nothing(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "tokenizer.json");
    sp_tokenizer *tokenizer = load("qwen"), *again;
    assert_int_equal(sp_tokenizer_save(tokenizer, path), SP_OK);
    assert_int_equal(sp_tokenizer_load(path, &again), SP_OK);
    assert_int_equal(sp_tokenizer_size(again), sp_tokenizer_size(tokenizer));
    for (int id = 0; id < sp_tokenizer_size(again); id++)
        assert_string_equal(sp_tokenizer_token(again, id), sp_tokenizer_token(tokenizer, id));
    sp_tokenizer_free(tokenizer);
    sp_tokenizer_free(again);
    free(path);
    remove_folder(folder);
}

static void *encode_all_cases(void *context) {
    json_t *cases = read_cases(), *one;
    size_t i;
    json_array_foreach(cases, i, one) {
        if (strcmp(json_string_value(json_object_get(one, "tokenizer")), "gpt2") == 0)
            check_case(context, one);
    }
    json_decref(cases);
    return NULL;
}

static void threads_share_a_tokenizer(void **state) {
    (void)state;
    sp_tokenizer *tokenizer = load("gpt2");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, encode_all_cases, tokenizer);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    sp_tokenizer_free(tokenizer);
}

static void the_byte_alphabet_is_one_to_one(void **state) {
    (void)state;
    for (int byte = 0; byte < 256; byte++)
        assert_int_equal(sp_symbol_byte(sp_byte_symbol((unsigned char)byte)), byte);
    assert_int_equal(sp_byte_symbol(' '), 0x120);
    assert_int_equal(sp_byte_symbol('\n'), 0x10a);
    assert_int_equal(sp_symbol_byte(' '), -1);
    assert_int_equal(sp_symbol_byte(0x144), -1);
}

static void check_refused(const char *text, const char *reason) {
    sp_tokenizer *tokenizer;
    assert_int_equal(sp_tokenizer_parse(text, strlen(text), "file.json", &tokenizer),
                     SP_ERR_FORMAT);
    assert_null(tokenizer);
    if (strncmp(sp_error(), "file.json", 9) != 0 || !strstr(sp_error(), reason))
        fail_msg("'%s' does not name file.json and '%s'", sp_error(), reason);
}

#define BYTE_LEVEL "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define MODEL(vocab, merges)                                                                       \
    "{" BYTE_LEVEL ",\"model\":{\"type\":\"BPE\",\"vocab\":" vocab ",\"merges\":" merges "}}"

static void a_broken_file_is_refused_with_the_reason(void **state) {
    (void)state;
    check_refused("", "not a tokenizer.json");
    check_refused("{\"model\":", "not a tokenizer.json");
    check_refused("[]", "no vocab");
    check_refused("{" BYTE_LEVEL "}", "no vocab");
    check_refused(MODEL("{}", "[]"), "empty");
    check_refused(MODEL("{\"a\":-1}", "[]"), "id of token 'a'");
    check_refused(MODEL("{\"a\":4000000000}", "[]"), "id of token 'a'");
    check_refused(MODEL("{\"a\":\"0\"}", "[]"), "id of token 'a'");
    check_refused(MODEL("{\"a\":0,\"b\":0}", "[]"), "same id");
    check_refused(MODEL("{\"a\":0}", "[\"a b\"]"), "merge 0");
    check_refused(MODEL("{\"a\":0}", "[\"a\"]"), "not a pair");
    check_refused(MODEL("{\"a\":0}", "[[\"a\"]]"), "not a pair");
    check_refused("{\"model\":{\"type\":\"Char\",\"vocab\":{}}," BYTE_LEVEL "}", "Char");
    check_refused("{\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}}", "UnicodeScripts");
    check_refused("{\"normalizer\":{\"type\":\"Nmt\"}}", "Nmt");
    check_refused("{\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\","
                  "\"pattern\":{\"Regex\":\"(\"}}}",
                  "expression '('");
}

static void merges_may_be_pairs_or_strings(void **state) {
    (void)state;
    const char *const files[] = {MODEL("{\"a\":0,\"b\":1,\"ab\":2}", "[\"a b\"]"),
                                 MODEL("{\"a\":0,\"b\":1,\"ab\":2}", "[[\"a\",\"b\"]]")};
    for (int i = 0; i < 2; i++) {
        sp_tokenizer *tokenizer;
        assert_int_equal(sp_tokenizer_parse(files[i], strlen(files[i]), "f", &tokenizer), SP_OK);
        sp_ints ids = {0};
        assert_int_equal(sp_tokenizer_encode(tokenizer, "aab", 3, &ids), SP_OK);
        assert_int_equal(ids.len, 2);
        assert_int_equal(ids.data[1], 2);
        sp_ints_free(&ids);
        sp_tokenizer_free(tokenizer);
    }
}

static void a_missing_file_is_told_by_name(void **state) {
    (void)state;
    sp_tokenizer *tokenizer;
    assert_int_equal(sp_tokenizer_load("no/such/tokenizer.json", &tokenizer), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "no/such/tokenizer.json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_layout_gives_the_reference_ids),
        cmocka_unit_test(qwen_layout_gives_the_reference_ids),
        cmocka_unit_test(roberta_layout_gives_the_reference_ids),
        cmocka_unit_test(digits_layout_gives_the_reference_ids),
        cmocka_unit_test(every_byte_and_pair_of_bytes_survives),
        cmocka_unit_test(random_bytes_survive),
        cmocka_unit_test(a_word_of_a_million_letters_is_encoded_quickly),
        cmocka_unit_test(special_tokens_can_be_left_out),
        cmocka_unit_test(a_text_for_people_has_no_white_space_at_its_ends),
        cmocka_unit_test(ids_outside_the_vocabulary_stand_for_nothing),
        cmocka_unit_test(saving_and_loading_changes_nothing),
        cmocka_unit_test(threads_share_a_tokenizer),
        cmocka_unit_test(the_byte_alphabet_is_one_to_one),
        cmocka_unit_test(a_broken_file_is_refused_with_the_reason),
        cmocka_unit_test(merges_may_be_pairs_or_strings),
        cmocka_unit_test(a_missing_file_is_told_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
