#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "text/bpe_trainer.h"
#include "text/documents.h"

#include <stdlib.h>
#include <string.h>

static const char *const special[] = {"<|endoftext|>", NULL};

static bool next(void *context, const char **text, size_t *len) {
    return sp_next_document(context, text, len);
}

static sp_status train(const char *text, int vocab_size, sp_tokenizer **out) {
    sp_documents documents = {text, strlen(text), 0};
    sp_bpe_train_options options = {vocab_size, special, 2};
    return sp_bpe_train(&options, next, &documents, out);
}

static void assert_same_tokens(const sp_tokenizer *a, const sp_tokenizer *b) {
    assert_int_equal(sp_tokenizer_size(a), sp_tokenizer_size(b));
    for (int id = 0; id < sp_tokenizer_size(a); id++)
        assert_string_equal(sp_tokenizer_token(a, id), sp_tokenizer_token(b, id));
}

static void the_vocabulary_is_the_reference_trainers(void **state) {
    (void)state;
    sp_buf text = {0};
    sp_tokenizer *reference, *trained;
    assert_int_equal(sp_read_file("tests/golden/tokenizer/text.txt", &text), SP_OK);
    assert_int_equal(sp_tokenizer_load("tests/golden/tokenizer/gpt2.json", &reference), SP_OK);
    assert_int_equal(train(text.data, 340, &trained), SP_OK);
    assert_same_tokens(trained, reference);
    sp_tokenizer_free(reference);
    sp_tokenizer_free(trained);
    sp_buf_free(&text);
}

static void the_same_text_gives_the_same_vocabulary(void **state) {
    (void)state;
    const char *text = "one two one two three\n\x1e\nthree two one and one two three and four four";
    sp_tokenizer *first, *second;
    assert_int_equal(train(text, 300, &first), SP_OK);
    assert_int_equal(train(text, 300, &second), SP_OK);
    assert_same_tokens(first, second);
    sp_tokenizer_free(first);
    sp_tokenizer_free(second);
}

static void the_most_frequent_pair_is_merged_first(void **state) {
    (void)state;
    sp_tokenizer *tokenizer;
    assert_int_equal(train("xy xy xy xy ab ab ab", 259, &tokenizer), SP_OK);
    assert_string_equal(sp_tokenizer_token(tokenizer, 257), "xy");
    assert_int_equal(sp_tokenizer_size(tokenizer), 259);
    sp_tokenizer_free(tokenizer);
}

static void runs_of_one_letter_are_merged(void **state) {
    (void)state;
    sp_tokenizer *tokenizer;
    assert_int_equal(train("aaaaaaa aaaaaaa aaaaaaa", 300, &tokenizer), SP_OK);
    sp_ints ids = {0};
    assert_int_equal(sp_tokenizer_encode(tokenizer, "aaaaaaa", 7, &ids), SP_OK);
    assert_int_equal(ids.len, 1);
    sp_ints_free(&ids);
    sp_tokenizer_free(tokenizer);
}

static void a_vocabulary_without_room_for_the_bytes_is_refused(void **state) {
    (void)state;
    sp_tokenizer *tokenizer;
    assert_int_equal(train("text", 256, &tokenizer), SP_ERR_SPEC);
    assert_null(tokenizer);
}

static void no_text_is_refused(void **state) {
    (void)state;
    sp_tokenizer *tokenizer;
    assert_int_equal(train("", 300, &tokenizer), SP_ERR_DATA);
}

static void documents_are_split_at_separator_lines(void **state) {
    (void)state;
    const char *file = "one\n\x1e\n\n\x1e\ntwo \x1e lines\nstill two\n\x1e\nthree\n";
    const char *const expected[] = {"one", "two \x1e lines\nstill two", "three\n"};
    sp_documents documents = {file, strlen(file), 0};
    const char *text;
    size_t len;
    for (int i = 0; i < 3; i++) {
        assert_true(sp_next_document(&documents, &text, &len));
        assert_int_equal(len, strlen(expected[i]));
        assert_memory_equal(text, expected[i], len);
    }
    assert_false(sp_next_document(&documents, &text, &len));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vocabulary_is_the_reference_trainers),
        cmocka_unit_test(the_same_text_gives_the_same_vocabulary),
        cmocka_unit_test(the_most_frequent_pair_is_merged_first),
        cmocka_unit_test(runs_of_one_letter_are_merged),
        cmocka_unit_test(a_vocabulary_without_room_for_the_bytes_is_refused),
        cmocka_unit_test(no_text_is_refused),
        cmocka_unit_test(documents_are_split_at_separator_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
