#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/card.h"
#include "support/folder.h"

#include <string.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD                                                                                       \
    "name: tiny\ntitle: T\nmodel_type: gpt2\nparameters: 3\nlicence: MIT\nsource: nowhere\n"
#define HUB         "hub: {repository: org/tiny, files: [config.json]}\n"
#define WHEEL       "pypi: {package: p, version: 1.0, bytes: 9, sha256: " SHA ", files: ["
#define FILE_OF(as) "{path: p/f, as: " as ", bytes: 3, sha256: " SHA "}"

static sp_status read_card(const char *text, sp_model_card *out) {
    char *folder = make_folder(), *path = sp_path_join(folder, "tiny.yaml");
    assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
    sp_status st = sp_model_card_read(path, out);
    free(path);
    remove_folder(folder);
    return st;
}

static void expect_error(const char *text, const char *part) {
    sp_model_card card;
    assert_int_equal(read_card(text, &card), SP_ERR_SPEC);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* A card of a wheel and one of the hub say what is in them. */
static void test_read(void **state) {
    (void)state;
    sp_model_card card;
    if (read_card(HEAD "aliases: [small]\n" WHEEL FILE_OF("model.gguf") "]}\n", &card))
        fail_msg("%s", sp_error());
    assert_string_equal(card.package, "p");
    assert_string_equal(card.version, "1.0");
    assert_string_equal(card.files[0].path, "p/f");
    assert_string_equal(card.files[0].name, "model.gguf");
    assert_int_equal(card.files[0].bytes, 3);
    assert_null(card.repository);
    sp_model_cards all = {&card, 1};
    assert_ptr_equal(sp_model_cards_find(&all, "small"), &card);
    assert_ptr_equal(sp_model_cards_find(&all, "tiny"), &card);
    assert_null(sp_model_cards_find(&all, "smal"));
    sp_model_card_free(&card);
    if (read_card(HEAD "hub: {repository: o/t, files: [a, {path: b, sha256: " SHA "}]}\n", &card))
        fail_msg("%s", sp_error());
    assert_string_equal(card.repository, "o/t");
    assert_string_equal(card.files[0].sha256, "");
    assert_string_equal(card.files[1].sha256, SHA);
    assert_null(card.package);
    sp_model_card_free(&card);
}

/* Every mistake is told with its line. What becomes a path or a word of pip's command line can be
 * neither a way out of the folder nor an option. */
static void test_errors(void **state) {
    (void)state;
    expect_error("[]\n", "a model card is a list");
    expect_error(HEAD, "the card has neither pypi nor hub");
    expect_error(HEAD HUB WHEEL FILE_OF("f") "]}\n", "both pypi and hub");
    expect_error(HEAD HUB "licenc: x\n", "tiny.yaml:8: unknown key 'licenc'");
    expect_error("name: tiny\n" HUB, "'title' is missing");
    expect_error("name: ../x\n", "tiny.yaml:1: name is '../x'; use up to 64");
    expect_error("name: .x\n", "name is '.x'");
    expect_error(HEAD "aliases: [a/b]\n" HUB, "an alias is 'a/b'");
    expect_error(HEAD WHEEL FILE_OF("../f") "]}\n", "as is '../f'");
    expect_error(HEAD WHEEL FILE_OF("a/f") "]}\n", "as is 'a/f'");
    expect_error(HEAD WHEEL FILE_OF("f") ", " FILE_OF("f") "]}\n", "'f' is listed twice");
    expect_error(HEAD WHEEL "]}\n", "files is missing, empty");
    expect_error(HEAD WHEEL "{path: p, as: f, bytes: 3}]}\n", "'sha256' is missing");
    expect_error(HEAD WHEEL "{path: p, as: f, bytes: 3, sha256: ABC}]}\n", "use 64 of 0-9 and a-f");
    expect_error(HEAD WHEEL "{path: p, as: f, bytes: -3, sha256: " SHA "}]}\n", "bytes is");
    expect_error(HEAD "pypi: {package: --index-url=x, version: 1}\n", "package is '--index-url=x'");
    expect_error(HEAD "pypi: {package: p, version: '1 -r x'}\n", "version is '1 -r x'");
    expect_error(HEAD "hub: {repository: a/b/c, files: [f]}\n", "'a/b/c' is no repository");
    expect_error(HEAD "hub: {repository: ../c, files: [f]}\n", "'../c' is no repository");
    expect_error(HEAD "hub: {repository: a/b, formerly: -x, files: [f]}\n",
                 "'-x' is no repository");
    expect_error(HEAD "hub: {repository: a/b, files: [../f]}\n", "a file is '../f'");
    expect_error(HEAD "hub: {repository: a/b, files: [[f]]}\n", "a file is a list");
}

/* The cards that come along are right, and no two share a name. */
static void test_shipped(void **state) {
    (void)state;
    static const char *const names[] = {
        "smollm2-135m-instruct", "smollm2-135m", "minilm-l6",     "gpt2",
        "gpt2-medium",           "bert-base",    "roberta-large", "t5"};
    sp_model_cards cards;
    if (sp_model_cards_read(&cards)) fail_msg("%s", sp_error());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!sp_model_cards_find(&cards, names[i])) fail_msg("no card %s", names[i]);
    sp_model_cards_free(&cards);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
