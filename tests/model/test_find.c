#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/find.h"
#include "support/home.h"

#define SHA  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define REST "title: T\nmodel_type: gpt2\nparameters: 3\nlicence: MIT\nsource: nowhere\n"
#define WHEEL_CARD                                                                                 \
    "name: tiny\naliases: [small]\n" REST "pypi: {package: p, version: 1, bytes: 9, sha256: " SHA  \
    ", files: [{path: a, as: tiny.gguf, bytes: 1, sha256: " SHA "}]}\n"
#define HUB_CARD                                                                                   \
    "name: far\n" REST                                                                             \
    "hub: {repository: org/far, formerly: far-old, files: [config.json, model.safetensors]}\n"

static void expect_found(const char *name, const char *expected) {
    char *path;
    if (sp_model_find(name, &path)) fail_msg("%s: %s", name, sp_error());
    assert_string_equal(path, expected);
    free(path);
}

static void expect_error(const char *name, sp_status kind, const char *part) {
    char *path = home_folder;
    assert_int_equal(sp_model_find(name, &path), kind);
    assert_null(path);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* A folder, a .gguf file and a name below models/ are found as they are. */
static void test_own(void **state) {
    (void)state;
    put_file("mine/config.json", "{}");
    put_file("models/ours/config.json", "{}");
    put_file("one.gguf", "x");
    expect_found("mine", "mine");
    expect_found("./mine", "./mine");
    expect_found("one.gguf", "one.gguf");
    expect_found("ours", "models/ours");
    expect_error("theirs/", SP_ERR_MISSING, "'theirs/' is neither a folder");
    expect_error("our", SP_ERR_MISSING, "did you mean 'ours'?");
    expect_error("", SP_ERR_MISSING, "known: ours");
    expect_error("cards", SP_ERR_MISSING, "known: ours");
}

/* A folder without config.json stands for the .gguf file in it, if there is just one. */
static void test_folder_of_gguf(void **state) {
    (void)state;
    put_file("quantised/a.gguf", "x");
    expect_found("quantised", "quantised/a.gguf");
    put_file("quantised/b.gguf", "x");
    expect_found("quantised", "quantised");
    put_file("quantised/config.json", "{}");
    expect_found("quantised", "quantised");
}

/* A card's name and its aliases lead to the fetched files, and before that to the command. */
static void test_card(void **state) {
    (void)state;
    put_file("models/cards/tiny.yaml", WHEEL_CARD);
    expect_error("small", SP_ERR_MISSING,
                 "model 'small' is not here yet; run: softprompt model fetch tiny");
    expect_error("tinny", SP_ERR_MISSING, "did you mean 'tiny'?");
    put_file("models/fetched/tiny/tiny.gguf", "x");
    expect_found("tiny", "models/fetched/tiny/tiny.gguf");
    expect_found("small", "models/fetched/tiny/tiny.gguf");
    put_file("models/tiny/config.json", "{}");
    expect_found("tiny", "models/tiny");
}

/* The snapshot of main in the Hugging Face cache counts once it has all files of the card, under
 * the repository's present or former name; a repository is found without a card. */
static void test_cache(void **state) {
    (void)state;
    put_file("models/cards/far.yaml", HUB_CARD);
    put_file("cache/models--org--far/refs/main", "abc123");
    put_file("cache/models--org--far/snapshots/abc123/config.json", "{}");
    expect_error("far", SP_ERR_MISSING, "softprompt model fetch far");
    put_file("cache/models--org--far/snapshots/abc123/model.safetensors", "x");
    expect_found("far", "cache/models--org--far/snapshots/abc123");
    expect_found("org/far", "cache/models--org--far/snapshots/abc123");
    put_file("cache/models--org--far/refs/main", "../../..");
    expect_error("far", SP_ERR_MISSING, "not here yet");
    expect_error("org/far", SP_ERR_MISSING, "nor a repository in the Hugging Face cache");
    put_file("cache/models--far-old/refs/main", "0f\n");
    put_file("cache/models--far-old/snapshots/0f/config.json", "{}");
    put_file("cache/models--far-old/snapshots/0f/model.safetensors", "x");
    expect_found("far", "cache/models--far-old/snapshots/0f");
    put_file("models/fetched/far/config.json", "{}");
    put_file("models/fetched/far/model.safetensors", "x");
    expect_found("far", "models/fetched/far");
}

/* $HF_HUB_CACHE goes before $HF_HOME/hub. */
static void test_cache_folder(void **state) {
    (void)state;
    setenv("HF_HOME", "/elsewhere", 1);
    char *cache = sp_hub_cache();
    assert_string_equal(cache, "cache");
    free(cache);
    unsetenv("HF_HUB_CACHE");
    cache = sp_hub_cache();
    assert_string_equal(cache, "/elsewhere/hub");
    free(cache);
    unsetenv("HF_HOME");
}

/* A broken card stops everything that needs cards, with its line; two cards of one name are one. */
static void test_bad_cards(void **state) {
    (void)state;
    put_file("models/cards/tiny.yaml", WHEEL_CARD);
    put_file("models/cards/small.yaml",
             "name: small\n" REST "hub: {repository: a/b, files: [f]}\n");
    expect_error("tiny", SP_ERR_SPEC, "the name 'small' is also that of the card");
    put_file("models/cards/small.yaml",
             "name: other\n" REST "hub: {repository: a/b, files: [f]}\n");
    expect_error("tiny", SP_ERR_SPEC, "name is 'other', but the file's is small.yaml");
    put_file("models/cards/small.yaml", "name: [\n");
    expect_error("tiny", SP_ERR_SPEC, "small.yaml:");
}

/* All names of a card mean the same model. */
static void test_names(void **state) {
    (void)state;
    put_file("models/cards/tiny.yaml", WHEEL_CARD);
    sp_strings names = {0};
    assert_int_equal(sp_model_names("small", &names), SP_OK);
    assert_int_equal(names.len, 2);
    assert_string_equal(names.data[0], "tiny");
    assert_string_equal(names.data[1], "small");
    assert_int_equal(sp_model_names("a/path", &names), SP_OK);
    assert_string_equal(names.data[2], "a/path");
    assert_int_equal(sp_model_names("smal", &names), SP_ERR_MISSING);
    assert_int_equal(names.len, 3);
    sp_strings_free(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_folder_of_gguf, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_card, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_cache, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_cache_folder, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_bad_cards, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(test_names, home_setup, home_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
