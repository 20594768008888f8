#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sp-dataset-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const files[] = {"card.yaml", "train.jsonl", "empty.jsonl"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = sp_path_join(folder, files[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static char *write_file(const char *name, const char *content) {
    char *path = sp_path_join(folder, name);
    assert_int_equal(sp_write_file(path, content, strlen(content)), SP_OK);
    return path;
}

static void expect_error_text(const char *part) {
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* Opening the card fails with this status and this text. */
static void expect_card_error(const char *card, sp_status status, const char *part) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    assert_int_equal(sp_dataset_open(path, &d), status);
    assert_null(d);
    expect_error_text(part);
    free(path);
}

/* Loading a split of the card fails with this status and this text. */
static void expect_load_error(const char *card, const char *split, sp_status status,
                              const char *part) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    sp_split loaded;
    assert_int_equal(sp_dataset_load(d, split, &loaded), status);
    assert_int_equal(loaded.count, 0);
    expect_error_text(part);
    sp_dataset_free(d);
    free(path);
}

/* A card of one's own: paths beside it, renamed fields, a separator. */
static void test_own_card(void **state) {
    (void)state;
    free(write_file("train.jsonl", "{\"q\": \"x\", \"a\": [\"y\", \"z\"], \"id\": 3}\n\n"
                                   "{\"q\": \"\\u00e9\", \"a\": \"w\", \"category\": \"c\", "
                                   "\"group\": \"unseen\"}\n"));
    char *path = write_file("card.yaml", "name: mine\nreader: jsonl\nsplits: {train: train.jsonl}\n"
                                         "fields: {input: q, references: a}\n"
                                         "template: {separator: \" => \"}\n");
    sp_dataset *d;
    sp_split train;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_string_equal(sp_dataset_name(d), "mine");
    assert_string_equal(sp_dataset_separator(d), " => ");
    assert_int_equal(sp_dataset_load(d, "train", &train), SP_OK);
    assert_int_equal(train.count, 2);
    assert_int_equal(train.items[0].references.len, 2);
    assert_string_equal(train.items[0].references.data[1], "z");
    assert_string_equal(train.items[0].group, "");
    assert_string_equal(train.items[1].input, "\xc3\xa9");
    assert_string_equal(train.items[1].group, "unseen");
    sp_digest hash;
    assert_int_equal(sp_dataset_hash(d, &hash), SP_OK);
    assert_int_equal(strlen(hash.hex), 64);
    sp_split_free(&train);
    sp_dataset_free(d);
    free(path);
}

static sp_digest hash_of(const char *card) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    sp_digest hash;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_hash(d, &hash), SP_OK);
    sp_dataset_free(d);
    free(path);
    return hash;
}

/* The hash changes with what a model would read, not with what people are told. */
static void test_hash(void **state) {
    (void)state;
    free(write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"b\"}"));
#define CARD "name: x\nreader: jsonl\nsplits: {train: train.jsonl}\n"
    sp_digest plain = hash_of(CARD);
    assert_string_equal(hash_of(CARD "title: A title\n").hex, plain.hex);
    assert_string_equal(hash_of(CARD "template: {separator: \"\\n\"}\n").hex, plain.hex);
    assert_string_not_equal(hash_of(CARD "template: {separator: \" = \"}\n").hex, plain.hex);
    free(write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"c\"}"));
    assert_string_not_equal(hash_of(CARD).hex, plain.hex);
#undef CARD
}

/* A .jsonl file alone is a data set whose split is train. */
static void test_bare_file(void **state) {
    (void)state;
    char *path = write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"b\"}");
    sp_dataset *d;
    sp_split split;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_string_equal(sp_dataset_separator(d), "\n");
    assert_int_equal(sp_dataset_load(d, "train", &split), SP_OK);
    assert_string_equal(split.items[0].references.data[0], "b");
    sp_split_free(&split);
    assert_int_equal(sp_dataset_load(d, "dev", &split), SP_ERR_DATA);
    expect_error_text("has no split dev");
    assert_int_equal(sp_dataset_load(d, "valid", &split), SP_ERR_USAGE);
    sp_dataset_free(d);
    free(path);
}

/* Mistakes in a card name file, line and what is known. */
static void test_card_errors(void **state) {
    (void)state;
    expect_card_error("name: x\nreeder: jsonl\n", SP_ERR_SPEC, "card.yaml:2");
    expect_card_error("name: x\nreader: json\nsplits: {}\n", SP_ERR_SPEC,
                      "card.yaml:2: no reader 'json'; the nearest is jsonl; use one of: wntriples, "
                      "webnlg, jsonl");
    expect_card_error("name: x\nreader: jsonl\n", SP_ERR_SPEC, "no splits");
    expect_card_error("name: x\nreader: jsonl\nsplits: {trian: a}\n", SP_ERR_SPEC, "train");
    expect_card_error("name: x\nreader: jsonl\nsplits: {}\ntemplate: {seperator: a}\n", SP_ERR_SPEC,
                      "separator");
    expect_card_error("- a\n", SP_ERR_SPEC, "card.yaml:1");
    sp_dataset *d;
    assert_int_equal(sp_dataset_open("wntriplets", &d), SP_ERR_MISSING);
    expect_error_text("wntriples");
}

/* Mistakes that only its reader sees. */
static void test_reader_errors(void **state) {
    (void)state;
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: none.jsonl}\n", "train",
                      SP_ERR_MISSING, "none.jsonl");
    free(write_file("empty.jsonl", "\n \n"));
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\n", "train",
                      SP_ERR_DATA, "split train is empty");
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\nsha256: {train: 00}\n",
                      "train", SP_ERR_DATA, "sha256");
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\nfields: {inptu: a}\n",
                      "train", SP_ERR_SPEC, "input");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5}\n", "train", SP_ERR_SPEC,
                      "categories");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5, dev: 1, test: 2}\n"
                      "categories: {seen: [animals], unseen: [plant]}\n",
                      "train", SP_ERR_SPEC, "card.yaml:4");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5, dev: 1, test: 2}\n"
                      "categories: {seen: [plant], unseen: [plant]}\n",
                      "train", SP_ERR_SPEC, "both seen and unseen");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 900000, dev: 1, test: 2}\n"
                      "categories: {seen: [animal], unseen: [plant]}\n",
                      "train", SP_ERR_DATA, "usable nouns");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_card),      cmocka_unit_test(test_hash),
        cmocka_unit_test(test_bare_file),     cmocka_unit_test(test_card_errors),
        cmocka_unit_test(test_reader_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
